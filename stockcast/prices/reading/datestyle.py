"""Dates as people write them, and whether 03/04/2024 means March or April."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stockcast.errors import UnreadableFile
from stockcast.prices.reading.grid import Cell

DateOrder = Literal["auto", "dmy", "mdy"]

_ISO = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?|(\d{4})/(\d{1,2})/(\d{1,2})(?: .*)?|(\d{4})(\d\d)(\d\d)"
)
_NUMERIC = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?: \d.*)?")
_NAMED = re.compile(r"(?:(\d{1,2})[ .-]+(?:de )?)?([a-zç]{3,9})\.?[ .,/-]+(?:de )?(?:(\d{1,2}),? +)?(\d{4}|\d{2})")
_NAMES = "jan feb/fev mar apr/abr may/mai jun jul aug/ago sep/set oct/out nov dec/dez"
_MONTHS = {name: number for number, names in enumerate(_NAMES.split(), 1) for name in names.split("/")}
_SHOWN = {"dmy": "dd/mm/yyyy", "mdy": "mm/dd/yyyy"}


@dataclass(frozen=True)
class Dates:
    """The dates of a column and how they were written."""

    days: NDArray[np.datetime64]  # [T] datetime64[D], NaT where unreadable
    style: str | None  # for example "dd/mm/yyyy"; None where the cells are dates already
    assumed: bool = False  # no date decides between day and month; the rest of the file made one likelier


def is_date(cell: Cell) -> bool:
    """Whether a cell reads as a date, in whatever style."""
    return _day(cell, "dmy") is not None or _day(cell, "mdy") is not None


def parse_dates(cells: Sequence[Cell], lines: Sequence[int], order: DateOrder, day_first_likely: bool) -> Dates:
    """Reads a column of dates. `day_first_likely` settles what no day above 12 decides.

    Raises UnreadableFile, with the lines, when the order cannot be told or contradicts `order`.
    """
    numeric = [
        (line, found)
        for line, cell in zip(lines, cells, strict=True)
        if isinstance(cell, str) and (found := _NUMERIC.fullmatch(cell))
    ]
    decided, assumed = _decide(numeric, order, day_first_likely) if numeric else (None, False)
    days = np.array([_day(cell, decided) for cell in cells], dtype="datetime64[D]")
    typed = sum(isinstance(cell, date) for cell in cells) > len(cells) / 2
    return Dates(days, _SHOWN[decided] if decided else None if typed else "yyyy-mm-dd", assumed)


def _decide(
    numeric: Sequence[tuple[int, re.Match[str]]], order: DateOrder, day_first_likely: bool
) -> tuple[Literal["dmy", "mdy"], bool]:
    """The order of day and month, and whether it is only likely."""
    day_first = next((_quoted(line, found) for line, found in numeric if int(found[1]) > 12), None)
    month_first = next((_quoted(line, found) for line, found in numeric if int(found[3]) > 12), None)
    if day_first and month_first:
        raise UnreadableFile(
            f"The dates are written in two ways: {day_first} and {month_first}.", "Write all dates as yyyy-mm-dd."
        )
    against = month_first if order == "dmy" else day_first if order == "mdy" else None
    if against and order != "auto":
        raise UnreadableFile(
            f"The date {against} is not written as {_SHOWN[order]}.",
            "Choose the other order of day and month (--date-order), or let the dates decide.",
        )
    if order != "auto":
        return order, False
    if day_first or month_first:
        return "dmy" if day_first else "mdy", False
    line, first = numeric[0]
    if first[2] == ".":  # nobody writes the month first with dots
        return "dmy", False
    if day_first_likely:
        return "dmy", True
    raise UnreadableFile(
        f"Does {_quoted(line, first)} begin with the day or with the month? No date in the file tells.",
        "Say which comes first (--date-order dmy or mdy), or write the dates as yyyy-mm-dd.",
    )


def _quoted(line: int, found: re.Match[str]) -> str:
    return f"{found[0]} (line {line})"


def _day(cell: Cell, order: Literal["dmy", "mdy"] | None) -> date | None:
    if isinstance(cell, date):  # or a datetime, which is one too
        return _valid(cell.year, cell.month, cell.day)
    if isinstance(cell, int) and not isinstance(cell, bool):
        cell = str(cell)
    if not isinstance(cell, str) or len(cell) > 40:
        return None
    if found := _ISO.fullmatch(cell):
        year, month, day = (int(part) for part in found.groups() if part)
        return _valid(year, month, day)
    if found := _NUMERIC.fullmatch(cell):
        first, second = int(found[1]), int(found[3])
        day, month = (second, first) if order == "mdy" else (first, second)
        return _valid(_full_year(found[4]), month, day)
    if found := _NAMED.fullmatch(cell.casefold()):
        day_text = found[1] or found[3]
        return _valid(_full_year(found[4]), _MONTHS.get(found[2][:3], 0), int(day_text or 0))
    return None


def _full_year(text: str) -> int:
    year = int(text)
    return year if len(text) == 4 else year + (2000 if year < 70 else 1900)


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if 1900 <= year < 2200 else None
    except ValueError:
        return None
