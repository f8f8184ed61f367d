"""Whether a new download tells the same story as what is stored, judged by an overlap of log returns.

Levels cannot be compared: every dividend and split moves the whole adjusted history by a factor. Returns stay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from stockcast.prices.frame import COLUMNS, Floats, PriceFrame

# Log return, not percent. Vendors round adjusted prices to six decimals or to 32 bits, which moves a return by
# up to 1e-5; the smallest dividends and corrections that matter move it by more than 1e-3.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Overlap:
    """What the comparison of two downloads found."""

    sessions: int  # shared by both
    first_disagreement: date | None = None  # first session whose return, or whose existence, differs
    difference: float | None = None  # log return fetched less log return stored; None where a session is missing
    price_factor: float = 1.0  # fetched level / stored level
    volume_factor: float = 1.0

    @property
    def agreed(self) -> bool:
        """Whether the fetched sessions may follow the stored ones."""
        return self.sessions >= 2 and self.first_disagreement is None


def compare_overlap(stored: PriceFrame, fetched: PriceFrame) -> Overlap:
    """Compares the log returns of the sessions that both cover."""
    first = max(stored.sessions[0], fetched.sessions[0])
    last = min(stored.sessions[-1], fetched.sessions[-1])
    old, new = _between(stored, first, last), _between(fetched, first, last)
    shared = np.intersect1d(old.sessions, new.sessions)
    if len(shared) < 2:
        return Overlap(len(shared))
    one_sided = np.setxor1d(old.sessions, new.sessions)
    old, new = _at(old, shared), _at(new, shared)
    differences = np.diff(np.log(new.close)) - np.diff(np.log(old.close))
    wrong = np.flatnonzero(np.abs(differences) > TOLERANCE)
    found: list[tuple[date, float | None]] = [(day.astype(object), None) for day in one_sided[:1]]
    found += [(shared[row + 1].astype(object), float(differences[row])) for row in wrong[:1]]
    if found:
        return Overlap(len(shared), *min(found, key=lambda case: case[0]))
    return Overlap(
        len(shared),
        price_factor=_factor(old.close, new.close),
        volume_factor=_factor(old.volume, new.volume),
    )


def splice(stored: PriceFrame, fetched: PriceFrame, overlap: Overlap) -> PriceFrame:
    """The stored bars before the fetched ones, brought to their level, and then the fetched ones."""
    if not overlap.agreed:
        raise ValueError("only histories that agree can be spliced")
    older = stored.rows(0, int(np.searchsorted(stored.sessions, fetched.sessions[0])))
    head, tail = older.to_dataframe(), fetched.to_dataframe()
    head[["open", "high", "low", "close"]] *= overlap.price_factor
    head["volume"] *= overlap.volume_factor
    return PriceFrame.from_dataframe(
        pd.concat([head, tail]), ticker=fetched.ticker, source=fetched.source, as_of=fetched.as_of
    )


def _between(frame: PriceFrame, first: np.datetime64, last: np.datetime64) -> PriceFrame:
    start = int(np.searchsorted(frame.sessions, first))
    return frame.rows(start, max(start, int(np.searchsorted(frame.sessions, last, side="right"))))


def _at(frame: PriceFrame, sessions: np.ndarray[tuple[int], np.dtype[np.datetime64]]) -> PriceFrame:
    """The bars of the shared sessions."""
    kept = np.isin(frame.sessions, sessions)
    return replace(frame, sessions=frame.sessions[kept], **{name: getattr(frame, name)[kept] for name in COLUMNS})


def _factor(old: Floats, new: Floats) -> float:
    """The usual ratio of new to old, exactly 1 where only rounding differs.

    Prices move by dividends and splits, volumes by splits; vendors correct single volumes later.
    """
    known = (old > 0) & (new > 0)
    factor = float(np.median(new[known] / old[known])) if known.any() else 1.0
    return 1.0 if abs(factor - 1) < TOLERANCE / 10 else factor
