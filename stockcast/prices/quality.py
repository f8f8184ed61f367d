"""How good a stored history is: what is missing in it and what looks wrong. Pure; nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from stockcast.prices.frame import Floats, PriceFrame
from stockcast.prices.repairs import some_of
from stockcast.prices.sessions import sessions_between

# Log returns, not percent. A session's move is suspicious beyond both, as the drift check has it.
_LEAST_JUMP, _JUMP_SIGMAS = 0.45, 12.0
# Close ratios that splits and unit errors leave behind, and how near a ratio must come.
_RATIOS = {2: "a split", 3: "a split", 5: "a split", 10: "a split or unit error", 100: "a unit error",
           1000: "a unit error"}  # fmt: skip
_NEARNESS = 0.02
LONG_STANDSTILL = 4  # identical closes in a row


@dataclass(frozen=True)
class Jump:
    """A close-to-close move that should be looked at."""

    session: date
    log_return: float
    looks_like: str  # "a split", "a unit error", or "an extreme move"


@dataclass(frozen=True)
class PriceQuality:
    """What the Data page says about a history of `sessions` bars."""

    sessions: int
    missing_sessions: tuple[date, ...]  # the exchange traded, the history has no bar
    zero_volume: tuple[date, ...]  # sessions whose volume is exactly zero
    jumps: tuple[Jump, ...]
    standstill: int  # longest run of identical closes
    standstill_until: date
    range_share: float  # share of sessions with open, high and low, 0 to 1
    volume_share: float  # share of sessions with a known volume, 0 to 1

    @property
    def sentences(self) -> tuple[str, ...]:
        """Everything worth saying, the good news included."""
        return tuple(filter(None, (self._gaps(), self._jumps(), self._still(), self._volumes(), self._ranges())))

    @property
    def suspicious(self) -> bool:
        """Whether a person should look at the data before training on it."""
        share_missing = len(self.missing_sessions) / (self.sessions + len(self.missing_sessions))
        return bool(self.jumps) or self.standstill >= LONG_STANDSTILL or share_missing > 0.01

    def _gaps(self) -> str:
        missing = self.missing_sessions
        if not missing:
            return "No session of the exchange is missing."
        return f"{_count(len(missing), 'session')} of the exchange missing: {_dates(missing)}."

    def _jumps(self) -> str:
        if not self.jumps:
            return "No move looks like a missed split or a unit error."
        shown = [
            f"{jump.session} ({100 * np.expm1(jump.log_return):+.0f} %, {jump.looks_like})" for jump in self.jumps
        ]
        return f"{_count(len(shown), 'move')} to look at: {some_of(shown)}."

    def _still(self) -> str:
        if self.standstill < LONG_STANDSTILL:
            return ""
        return f"The close stood still for {self.standstill} sessions until {self.standstill_until}."

    def _volumes(self) -> str:
        if self.volume_share == 0:
            return "Volumes are not known."
        if not self.zero_volume:
            return ""
        return f"{_count(len(self.zero_volume), 'session')} without any volume: {_dates(self.zero_volume)}."

    def _ranges(self) -> str:
        if self.range_share == 0:
            return "Only closes are known, no open, high and low."
        return f"Open, high and low are known for {100 * self.range_share:.1f} % of the sessions."


def assess_quality(frame: PriceFrame) -> PriceQuality:
    """Looks a whole history over."""
    expected = sessions_between(frame.exchange, frame.first_session, frame.last_session)
    missing = np.setdiff1d(expected, frame.sessions)
    ranges = ~(np.isnan(frame.open) | np.isnan(frame.high) | np.isnan(frame.low))
    first, last = max(standstills(frame.close), key=lambda run: run[1] - run[0])
    # Indices and currencies have a volume of zero throughout, which means that it is not known.
    volume = frame.volume if (frame.volume > 0).any() else np.full(len(frame), np.nan)
    return PriceQuality(
        sessions=len(frame),
        missing_sessions=tuple(missing.tolist()),
        zero_volume=tuple(frame.sessions[volume == 0].tolist()),
        jumps=_find_jumps(frame),
        standstill=last - first + 1,
        standstill_until=frame.sessions[last].astype(object),
        range_share=float(ranges.mean()),
        volume_share=float((~np.isnan(volume)).mean()),
    )


def _find_jumps(frame: PriceFrame) -> tuple[Jump, ...]:
    returns = np.diff(np.log(frame.close))
    if not returns.size:
        return ()
    # The median absolute deviation is not impressed by the jumps themselves; 1.4826 makes it a sigma.
    sigma = 1.4826 * float(np.median(np.abs(returns - np.median(returns))))
    jumps = []
    for row, move in enumerate(returns.tolist()):
        likeness = _likeness(move)
        if likeness or abs(move) > max(_LEAST_JUMP, _JUMP_SIGMAS * sigma):
            jumps.append(Jump(frame.sessions[row + 1].astype(object), move, likeness or "an extreme move"))
    return tuple(jumps)


def _likeness(move: float) -> str | None:
    return next((what for ratio, what in _RATIOS.items() if abs(abs(move) - np.log(ratio)) < _NEARNESS), None)


def standstills(closes: Floats) -> list[tuple[int, int]]:
    """First and last row of every run of identical closes; most runs are one row long."""
    ends = np.flatnonzero(np.diff(closes))
    firsts, lasts = np.append(0, ends + 1), np.append(ends, len(closes) - 1)
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def _dates(days: tuple[date, ...]) -> str:
    return some_of([f"{day}" for day in days])


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
