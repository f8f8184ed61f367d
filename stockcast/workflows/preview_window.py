"""Preview a window: how closes that somebody handed over are read, and what keeps them from being forecast from.

Nothing is forecast and nothing is kept. Rows without a close are left out, rows are put into the order of time,
equal rows are merged; each is told with its line. What is wrong beyond that is refused, with its line, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stockcast.forecasting.context import LARGEST_CLOSE, LEAST_CLOSE
from stockcast.prices.reading.read_as import AS_IT_STANDS, ReadAs
from stockcast.prices.reading.table import Reading
from stockcast.prices.tickers import exchange_of
from stockcast.prices.window import PriceWindow
from stockcast.prices.windowfile import ReadWindow, read_window_as

_MOST_TOLD = 20  # rows of one kind, one by one; the others by their number

Rows = NDArray[np.intp]  # positions in what was read


@dataclass(frozen=True, eq=False)
class WindowPreview:
    """A reading. The window can be forecast from where there are no `faults`."""

    window: PriceWindow  # oldest first
    reading: Reading | None  # None of a JSON list
    lines: tuple[int, ...]  # where each close of the window stands
    found: int  # closes that could be read, also where only the last ones are taken
    changes: tuple[str, ...]  # what was left out, merged or sorted
    faults: tuple[str, ...]  # what keeps it from being forecast from
    cautions: tuple[str, ...]  # what was assumed, and should be looked at


def preview_window(
    name: str,
    content: bytes,
    lookback: int,
    *,
    ticker: str | None = None,
    read_as: ReadAs = AS_IT_STANDS,
    last_only: bool = False,
) -> WindowPreview:
    """Reads a file or a paste; `last_only` takes the last `lookback` closes of a longer one.

    Raises UnreadableFile where there is no one column of closes.
    """
    read = read_window_as(name, content, read_as)
    notes = _Notes(read)
    rows = _in_order(read, _dated(read, _with_close(read, notes), notes), notes)
    notes.faults += [
        f"{notes.at(row)}: closes must be positive numbers between {LEAST_CLOSE:g} and {LARGEST_CLOSE:g}."
        for row in rows
        if not LEAST_CLOSE <= read.window.closes[row] <= LARGEST_CLOSE
    ][:_MOST_TOLD]
    found = len(rows)
    if last_only and found > lookback:
        rows = rows[-lookback:]
        notes.changes.append(f"Of {found:,} closes the last {lookback} are taken.")
    if len(rows) != lookback:
        notes.faults.append(f"A window needs exactly {lookback} closes; this one has {len(rows):,}.")
    sessions = read.window.sessions
    return WindowPreview(
        window=PriceWindow(read.window.closes[rows], None if sessions is None else sessions[rows], ticker),
        reading=read.reading,
        lines=tuple(read.lines[row] for row in rows),
        found=found,
        changes=tuple(notes.changes),
        faults=tuple(notes.faults),
        cautions=tuple(_cautions(read, ticker)),
    )


@dataclass
class _Notes:
    """What is told of the rows on the way."""

    read: ReadWindow
    changes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def at(self, row: int) -> str:
        """Where a row stands and what it says."""
        what = "Close number" if self.read.reading is None else "Line"  # a JSON list may stand on one line
        return f"{what} {self.read.lines[row]} ('{self.read.quotes[row]}')"

    def left_out(self, rows: Rows, why: str) -> None:
        """Tells each row, or the first of many."""
        self.changes += [f"{self.at(row)} {why} and was left out." for row in rows[:_MOST_TOLD]]
        if len(rows) > _MOST_TOLD:
            self.changes.append(
                f"So were {len(rows) - _MOST_TOLD:,} more, up to line {self.read.lines[rows[-1]]}."
            )


def _with_close(read: ReadWindow, notes: _Notes) -> Rows:
    """The rows that hold a number; what is infinite or no price is refused later."""
    missing = np.isnan(read.window.closes)
    notes.left_out(np.flatnonzero(missing), "has no close that can be read")
    return np.flatnonzero(~missing)


def _dated(read: ReadWindow, rows: Rows, notes: _Notes) -> Rows:
    """Of a table with dates, those that carry one: a sum or a mean below the table does not."""
    if read.window.sessions is None:
        return rows
    undated = np.isnat(read.window.sessions[rows])
    notes.left_out(rows[undated], "has no date that can be read")
    return rows[~undated]


def _in_order(read: ReadWindow, rows: Rows, notes: _Notes) -> Rows:
    """Oldest first and one a date, where there are dates."""
    if read.window.sessions is None or not len(rows):
        return rows
    days = read.window.sessions[rows]
    order = np.argsort(days, kind="stable")
    if (np.diff(days).astype("int64") < 0).any():
        newest_first = bool((np.diff(days).astype("int64") <= 0).all())
        notes.changes.append(
            "The newest row stands first: they were turned into the order of time."
            if newest_first
            else "The rows were put into the order of time."
        )
    ordered = rows[order]
    kept: list[int] = []
    for row in ordered:
        if kept and read.window.sessions[kept[-1]] == read.window.sessions[row]:
            _tell_twice(read, kept[-1], int(row), notes)
        else:
            kept.append(int(row))
    return np.array(kept, dtype=np.intp)


def _tell_twice(read: ReadWindow, first: int, second: int, notes: _Notes) -> None:
    one, other = read.window.closes[first], read.window.closes[second]
    lines = f"Lines {read.lines[first]} and {read.lines[second]}"
    day = read.window.sessions[first] if read.window.sessions is not None else ""
    if one == other:
        notes.changes.append(f"{lines} both give {day} the close {one:g} and were merged.")
    else:
        notes.faults.append(f"{lines} give {day} two closes, {one:g} and {other:g}; keep one of them.")


def _cautions(read: ReadWindow, ticker: str | None) -> Sequence[str]:
    told = []
    if read.window.sessions is None:
        told.append(
            "There are no dates: the first close is taken for the oldest, and the forecast is for one to five "
            "sessions after the last one."
        )
    if read.reading and read.reading.date_order_assumed:
        told.append("No date decides between day and month; the day was taken to come first.")
    currency = read.reading.currency if read.reading else None
    if ticker and currency and currency != exchange_of(ticker).currency:
        told.append(
            f"The closes speak of {currency}, and {ticker} is quoted in {exchange_of(ticker).currency}; "
            "nothing is converted."
        )
    return told
