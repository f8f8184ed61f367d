"""What can be mended in a price table, in words: one sentence per kind of repair.

A repair that can happen again at the next update is worded by its kind alone, so that the reports of two
updates add up to one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from stockcast.prices.source import PriceReport, Repair

if TYPE_CHECKING:
    import pandas as pd

# kind -> (one row, several rows); the places, where they are known, follow in brackets.
_WORDING = {
    "undated_row": (
        "1 row without a readable date was left out",
        "{n} rows without a readable date were left out",
    ),
    "unreadable_value": (
        "1 open, high, low or volume is not a number and is taken as unknown",
        "{n} opens, highs, lows or volumes are not numbers and are taken as unknown",
    ),
    "missing_value": (
        "1 row lacks an open, high, low or volume, which is taken as unknown",
        "{n} rows lack an open, high, low or volume, which is taken as unknown",
    ),
    "unfinished_bar": (
        "1 bar was left out, because its session is not over yet",
        "{n} bars were left out, because their sessions are not over yet",
    ),
    "phantom_session": (
        "1 row was left out, because nothing was traded then",
        "{n} rows were left out, because nothing was traded then",
    ),
    "missing_close": (
        "1 row without a readable close was left out",
        "{n} rows without a readable close were left out",
    ),
    "duplicate_row": ("1 repeated row was merged", "{n} repeated rows were merged"),
    "unsorted_rows": ("1 row was put into the order of time", "{n} rows were put into the order of time"),
    "inconsistent_range": (
        "The open, high and low of 1 session contradict one another and are taken as unknown",
        "The opens, highs and lows of {n} sessions contradict one another and are taken as unknown",
    ),
    "unusable_volume": (
        "1 negative or infinite volume is taken as unknown",
        "{n} negative or infinite volumes are taken as unknown",
    ),
    "off_calendar": (
        "1 traded session that the exchange calendar does not know was kept",
        "{n} traded sessions that the exchange calendar does not know were kept",
    ),
    "restated": (
        "The source has told earlier sessions anew once, and the whole history was fetched again",
        "The source has told earlier sessions anew {n} times, and the whole history was fetched again",
    ),
    "rescaled": (
        "All earlier prices were multiplied by a factor once, for a dividend or a split since",
        "All earlier prices were multiplied by a factor {n} times, for dividends or splits since",
    ),
}
MOST_SESSIONS = 500  # of one repair; its count tells how many there are
# What the next update makes good; not worth remembering.
_PASSING = {"unfinished_bar", "partial_answer"}


def repair(kind: str, count: int, places: str = "", sessions: Iterable[date] = ()) -> Repair:
    """A repair of a known kind in words, with the places and the sessions where it was made."""
    one, several = _WORDING[kind]
    words = one if count == 1 else several.format(n=f"{count:,}")
    days = tuple(sorted(set(sessions)))[:MOST_SESSIONS]
    return Repair(kind, count, f"{words} ({places})." if places else f"{words}.", days)


def words_for_one(kind: str) -> str:
    """What a repair of a known kind has done to one session."""
    return f"{_WORDING[kind][0]}."


def some_of(places: list[str]) -> str:
    """The first five places, and how many more there are."""
    shown = ", ".join(places[:5])
    return shown if len(places) <= 5 else f"{shown} and {len(places) - 5:,} more"


def some_lines(lines: Iterable[object]) -> str:
    """The same for the lines of a file."""
    shown = [f"{line}" for line in lines]
    return f"line {shown[0]}" if len(shown) == 1 else f"lines {some_of(shown)}"


def dates_of(sessions: pd.Series[pd.Timestamp]) -> list[date]:
    """Plain dates, without those that are unknown."""
    return sessions.dropna().dt.date.tolist()


def add_reports(earlier: PriceReport, later: PriceReport) -> PriceReport:
    """The report of a history that was read in two steps. Repairs of one kind are counted together."""
    found = {old.kind: old for old in earlier.repairs if old.kind not in _PASSING}
    for new in later.repairs:
        old = found.get(new.kind)
        if old:
            found[new.kind] = repair(new.kind, old.count + new.count, sessions=(*old.sessions, *new.sessions))
        else:
            found[new.kind] = new
    return PriceReport(earlier.rows_read + later.rows_read, tuple(found.values()))
