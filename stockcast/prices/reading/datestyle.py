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


def parse_dates(cells: Sequence[Cell], order: DateOrder, day_first_likely: bool) -> Dates:
    """Reads a column of dates. `day_first_likely` settles what no day above 12 decides.

    Raises UnreadableFile when the order cannot be told or contradicts `order`.
    """
    numeric = [found for cell in cells if isinstance(cell, str) and (found := _NUMERIC.fullmatch(cell))]
    decided = _decide(numeric, order, day_first_likely) if numeric else None
    days = np.array([_day(cell, decided) for cell in cells], dtype="datetime64[D]")
    typed = sum(isinstance(cell, date) for cell in cells) > len(cells) / 2
    return Dates(days, _SHOWN[decided] if decided else None if typed else "yyyy-mm-dd")


def _decide(numeric: Sequence[re.Match[str]], order: DateOrder, day_first_likely: bool) -> Literal["dmy", "mdy"]:
    day_first = next((found[0] for found in numeric if int(found[1]) > 12), None)
    month_first = next((found[0] for found in numeric if int(found[3]) > 12), None)
    if day_first and month_first:
        raise UnreadableFile(
            f"The dates are written in two ways: {day_first} and {month_first}.", "Write all dates as yyyy-mm-dd."
        )
    against = month_first if order == "dmy" else day_first if order == "mdy" else None
    if against and order != "auto":
        raise UnreadableFile(
            f"The date {against} is not written as {_SHOWN[order]}.", "Choose the other --date-order, or auto."
        )
    if order != "auto":
        return order
    if day_first or month_first:
        return "dmy" if day_first else "mdy"
    if day_first_likely or numeric[0][2] == ".":  # nobody writes the month first with dots
        return "dmy"
    raise UnreadableFile(
        f"Does {numeric[0][0]} begin with the day or with the month? No date in the file tells.",
        "Say it with --date-order dmy or --date-order mdy, or write the dates as yyyy-mm-dd.",
    )


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
