"""A grid of cells, which is what every file format becomes, and the limits that no upload may pass.

Nothing in here knows what a price is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from stockcast.errors import UnreadableFile

MAX_BYTES = 20 * 2**20
MAX_UNPACKED_BYTES = 200 * 2**20
MAX_ROWS = 200_000
MAX_COLUMNS = 100
MAX_CELLS = 20 * MAX_ROWS

Cell = str | float | int | bool | date | datetime | time | timedelta | None


@dataclass(frozen=True)
class Grid:
    """The rows of a table, top to bottom, without the blank ones. Rows may differ in length."""

    kind: Literal["CSV", "XLSX", "Parquet"]
    rows: list[list[Cell]]
    lines: list[int]  # the line of the text, or row of the sheet, that each row comes from
    detail: str  # encoding or sheet, in words
    separator: str | None = None  # of a text


def refuse_many_rows(rows: int) -> None:
    """Raises UnreadableFile beyond MAX_ROWS."""
    if rows > MAX_ROWS:
        raise UnreadableFile(
            f"The file has more than {MAX_ROWS:,} rows.",
            "Keep one row per session of one ticker; a history of 50 years has fewer than 13,000.",
        )


def refuse_large_box(rows: int, columns: int) -> None:
    """Raises UnreadableFile for a table that is too long, too wide, or whose cells lie too far apart."""
    refuse_many_rows(rows)
    if columns > MAX_COLUMNS or rows * columns > MAX_CELLS:
        raise UnreadableFile(
            f"The table spans {rows:,} rows and {columns:,} columns, which is no price table.",
            "Keep the columns of one ticker: Date, Open, High, Low, Close, Volume.",
        )
