"""A file or paste of closes to a PriceWindow: exactly as they stand, in the order given, nothing repaired.

How many closes a window needs is the forecaster's affair.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stockcast.errors import UnreadableFile
from stockcast.prices.reading.datestyle import DateOrder
from stockcast.prices.reading.grid import MAX_ROWS, Cell, Grid
from stockcast.prices.reading.headers import Header, find_header
from stockcast.prices.reading.numerals import is_number
from stockcast.prices.reading.read_as import ReadAs
from stockcast.prices.reading.sniff import read_grid, refuse_size
from stockcast.prices.reading.table import Reading, read_columns
from stockcast.prices.reading.text import decode
from stockcast.prices.window import PriceWindow

_WAY_OUT = (
    "Provide one close per line, a table with a Close column, or JSON such as [41.2, 41.5] "
    'or {"last_prices": [41.2, 41.5]}.'
)


_LONGEST_QUOTE = 60
_WHOLE = re.compile(r"(?:R\$|US\$|€)?\s*[0-9]{1,7}")  # not 20240131
_GROUPED = re.compile(r"(?:R\$|US\$|€)?\s*[0-9]{1,3}(?:\.[0-9]{3})+")
_CENTS = re.compile(r"[0-9]{1,7}")


@dataclass(frozen=True, eq=False)
class ReadWindow:
    """A window with where each of its closes stands, and how it was read; None of a JSON list."""

    window: PriceWindow
    lines: tuple[int, ...]  # [L] of the text, or rows of the sheet
    quotes: tuple[str, ...]  # [L] what stands there, for whoever looks for it
    reading: Reading | None


def read_window(name: str, content: bytes, date_order: DateOrder = "auto") -> PriceWindow:
    """The closes of a JSON list, a column of numbers or a table, with their dates when it has any.

    Raises UnreadableFile when there is no one column of closes.
    """
    return read_window_as(name, content, ReadAs(date_order)).window


def read_window_as(name: str, content: bytes, read_as: ReadAs) -> ReadWindow:
    """The same, read as somebody said, with the lines. Raises UnreadableFile."""
    refuse_size(name, len(content))
    if content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{"):
        window = _read_json(decode(content)[0])
        numbers = tuple(range(1, len(window.closes) + 1))
        return ReadWindow(window, numbers, tuple(f"{close:g}" for close in window.closes), None)
    grid = _as_one_column(read_grid(name, content))
    header = find_header(grid, frozenset(), read_as.columns) or _nameless(grid)
    table = read_columns(grid, header, read_as)
    closes = table.rows["adjusted" if "adjusted" in table.rows.columns else "close"].to_numpy(dtype=np.float64)
    sessions = table.rows["session"].to_numpy().astype("datetime64[D]") if "session" in header.columns else None
    quotes = (
        " · ".join(str(cell) for cell in row if cell is not None)[:_LONGEST_QUOTE]
        for row in grid.rows[header.row + 1 :]
    )
    lines = tuple(int(line) for line in table.rows.index)
    return ReadWindow(PriceWindow(closes, sessions), lines, tuple(quotes), table.reading)


def _read_json(text: str) -> PriceWindow:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise UnreadableFile(f"The JSON cannot be read: {str(problem)[:80]}.", _WAY_OUT) from problem
    values = data.get("last_prices") if isinstance(data, dict) else data
    if not isinstance(values, list) or not 0 < len(values) <= MAX_ROWS:
        raise UnreadableFile("The JSON holds no list of closes.", _WAY_OUT)
    return PriceWindow(np.array([_close(value, number) for number, value in enumerate(values, 1)]))


def _close(value: object, number: int) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnreadableFile(f"Close number {number} is {json.dumps(value)[:40]}, not a number.", _WAY_OUT)
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _as_one_column(grid: Grid) -> Grid:
    """Joins what was cut at decimal commas, and turns a single line of closes on its side."""
    if len(grid.rows) == 1 and len(grid.rows[0]) > 2 and all(is_number(cell) for cell in grid.rows[0]):
        cells = grid.rows[0]
        return Grid(grid.kind, [[cell] for cell in cells], [1] * len(cells), grid.detail, grid.separator)
    body = grid.rows if is_number(grid.rows[0][0]) else grid.rows[1:]
    if grid.separator == "," and any(len(row) == 2 for row in body) and all(map(_cut_at_comma, body)):
        rows: list[list[Cell]] = [[",".join(str(cell) for cell in row)] for row in grid.rows]
        return Grid(grid.kind, rows, grid.lines, grid.detail, ";")
    return grid


def _cut_at_comma(row: Sequence[Cell]) -> bool:
    """Whether a row is one cell, or the two halves of a number such as 41,25, R$ 41,25 or 1.041,25."""
    if len(row) == 1:
        return True
    if len(row) != 2 or not all(isinstance(cell, str) and len(cell) < 20 for cell in row):
        return False
    whole, cents = map(str, row)
    return bool(_WHOLE.fullmatch(whole) and _CENTS.fullmatch(cents)) or bool(
        _GROUPED.fullmatch(whole) and _CENTS.fullmatch(cents) and len(cents) <= 2
    )


def _nameless(grid: Grid) -> Header:
    """One column is the closes, two are dates and closes."""
    width = max(map(len, grid.rows))
    first = -1 if is_number(grid.rows[0][-1]) else 0
    if width == 1:
        return Header(first, {"close": 0}, {"close": "the only column"}, False)
    if width == 2:
        return Header(
            first, {"session": 0, "close": 1}, {"session": "first column", "close": "second column"}, False
        )
    raise UnreadableFile(f"The file has {width} columns and none of them is named as the close.", _WAY_OUT)
