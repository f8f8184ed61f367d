"""CUSUM of interval misses: whether the 80 % interval has begun to miss too often, or too seldom.

The one test that looks at the order of events: a run of misses that an average over a year would drown. Two
one-sided sums of log likelihood ratios (Page, 1954; for misses and hits: Reynolds and Stoumbos, 1999), one that
waits for half as many misses again as were promised, one for half as many.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from stockcast.forecasting.returns import Floats
from stockcast.prices.sessions import Sessions

PROMISED = 0.2  # share of misses
MORE, FEWER = 0.3, 0.1  # shares that the two sums wait for
# In nats. A calibrated forecaster of one ticker crosses it in 5 % of years, by either sum (a test simulates it).
# The share of several tickers that miss varies less, whatever moves them together, and crosses it less often.
THRESHOLD = 5.25
# Neither sum rises further above it, so that an alarm ends some weeks after the intervals hold again.
_MOST = THRESHOLD + 1.0

Alarm = Literal["too many misses", "too few misses"]


@dataclass(frozen=True)
class MissCusum:
    """Both sums after each session. S sessions."""

    sessions: tuple[date, ...]  # [S]
    too_many: tuple[float, ...]  # [S] nats
    too_few: tuple[float, ...]  # [S]
    threshold: float = THRESHOLD

    @property
    def alarm(self) -> Alarm | None:
        """Which sum stands above the threshold after the last session."""
        if self.sessions and self.too_many[-1] > self.threshold:
            return "too many misses"
        if self.sessions and self.too_few[-1] > self.threshold:
            return "too few misses"
        return None

    @property
    def since(self) -> date | None:
        """The session since which that sum has stood above it; None without an alarm."""
        if self.alarm is None:
            return None
        above = np.array(self.too_many if self.alarm == "too many misses" else self.too_few) > self.threshold
        return self.sessions[int(np.flatnonzero(~above)[-1]) + 1 if not above.all() else 0]


def miss_cusum(shares: Floats, sessions: Sessions) -> MissCusum:
    """From the share of tickers whose close missed the 80 % interval, session by session. [S], [S]"""
    return MissCusum(tuple(sessions.tolist()), _sums(shares, MORE), _sums(shares, FEWER))


def _sums(shares: Floats, awaited: float) -> tuple[float, ...]:
    """The log likelihood ratio of the awaited share to the promised one, added up from the last zero."""
    miss, hit = np.log(awaited / PROMISED), np.log((1 - awaited) / (1 - PROMISED))
    total, found = 0.0, []
    for share in shares.tolist():
        total = min(max(0.0, total + share * miss + (1 - share) * hit), _MOST)
        found.append(float(total))
    return tuple(found)
