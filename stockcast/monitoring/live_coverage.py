"""How often intervals held in the track record, with the band in which a calibrated forecaster's share lies.

Tickers rise and fall together: a hundred forecasts of one session are not a hundred proofs, and a band that took
them for such would cry wolf. The band is that of as many independent forecasts as tell the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from stockcast.evaluation.calibration import band, pit_sentence
from stockcast.evaluation.diagnosis import PitHistogram
from stockcast.forecasting.returns import Floats
from stockcast.monitoring.scored import Bools
from stockcast.prices.sessions import Sessions

BINS = 10
_LEAST_SESSIONS = 20  # before which how far tickers move together cannot be told: then as if they were one


@dataclass(frozen=True)
class LiveCoverage:
    """One interval. Shares are of one."""

    promised: float
    count: int
    held: int
    share: float
    naive_share: float  # of the naive forecast's interval
    independent: int  # forecasts of which the band is
    low: float
    high: float

    @property
    def inside(self) -> bool:
        """Whether the share lies where that of a calibrated forecaster would."""
        return self.low <= self.share <= self.high

    @property
    def sentence(self) -> str:
        """For a person."""
        chance = f"{self.low * 100:.1f} – {self.high * 100:.1f} %"
        return (
            f"{self.held:,} of {self.count:,} closes ({self.share * 100:.1f} %) lay in the "
            f"{self.promised * 100:.0f} % interval, {'inside' if self.inside else 'outside'} the {chance} "
            "that chance allows."
        )


def live_coverage(
    promised: float, held: Bools, naive_held: Bools, sessions: Sessions, horizon: int, confidence: float
) -> LiveCoverage:
    """From whether each interval held, in the order of `sessions` or in any other. [N], [N], [N]"""
    count, independent = len(held), int(independent_count(held, sessions, horizon))
    low, high = band(promised, independent, confidence)
    return LiveCoverage(
        promised=promised,
        count=count,
        held=int(held.sum()),
        share=float(held.mean()),
        naive_share=float(naive_held.mean()),
        independent=independent,
        low=low / independent,
        high=high / independent,
    )


def live_pit(pit: Floats, sessions: Sessions, horizon: int, confidence: float) -> PitHistogram:
    """The PIT in ten bins, and what their shape says. [N], [N]"""
    place = np.clip((pit * BINS).astype(np.int64), 0, BINS - 1)
    alike = int(np.mean([independent_count(place == each, sessions, horizon) for each in range(BINS)]))
    low, high = band(1 / BINS, alike, confidence)
    return PitHistogram(
        counts=tuple(np.bincount(place, minlength=BINS).tolist()),
        low=int(np.floor(low * len(pit) / alike)),
        high=int(np.ceil(high * len(pit) / alike)),
        sentence=pit_sentence(pit, alike),
    )


def independent_count(events: Bools, sessions: Sessions, horizon: int) -> float:
    """How many independent events tell as much about their share as these, at least 1. [N], [N]

    The count divided by the design effect (Kish, 1965), estimated from totals per session and widened for being
    an estimate (Korn and Graubard, 1998). Forecasts several sessions ahead overlap, so that the lags up to the
    horizon count too (Newey and West, 1987).
    """
    days, inverse, sizes = np.unique(sessions, return_inverse=True, return_counts=True)
    count, share = len(events), float(events.mean())
    as_one = horizon * float((sizes**2).sum()) / count  # were all tickers one, and all overlaps whole
    effect = as_one
    if len(days) >= _LEAST_SESSIONS and 0 < share < 1:
        totals = np.asarray(np.bincount(inverse, weights=events - share), dtype=np.float64)
        uncertain = (float(stdtrit(len(days) - 1, 0.975)) / 1.96) ** 2
        effect = uncertain * _long_run(totals, horizon) / (count * share * (1 - share))
    return max(1.0, count / min(max(effect, 1.0), as_one))


def _long_run(totals: Floats, horizon: int) -> float:
    lags = range(1, min(horizon, len(totals)))
    lagged = sum((1 - lag / horizon) * float(totals[lag:] @ totals[:-lag]) for lag in lags)
    return float(totals @ totals) + 2 * lagged
