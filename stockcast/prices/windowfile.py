"""A file or paste of closes to a PriceWindow: exactly as they stand, in the order given, nothing repaired.

How many closes a window needs is the forecaster's affair.
"""

from __future__ import annotations

import json
import math

import numpy as np

from stockcast.errors import UnreadableFile
from stockcast.prices.reading.datestyle import DateOrder
from stockcast.prices.reading.grid import MAX_ROWS, Cell, Grid
from stockcast.prices.reading.headers import Header, find_header
from stockcast.prices.reading.numerals import is_number
from stockcast.prices.reading.read_as import ReadAs
from stockcast.prices.reading.sniff import read_grid, refuse_size
from stockcast.prices.reading.table import read_columns
from stockcast.prices.reading.text import decode
from stockcast.prices.window import PriceWindow

_WAY_OUT = (
    "Provide one close per line, a table with a Close column, or JSON such as [41.2, 41.5] "
    'or {"last_prices": [41.2, 41.5]}.'
)


def read_window(name: str, content: bytes, date_order: DateOrder = "auto") -> PriceWindow:
    """The closes of a JSON list, a column of numbers or a table, with their dates when it has any.

    Raises UnreadableFile when there is no one column of closes.
    """
    refuse_size(name, len(content))
    if content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{"):
        return _read_json(decode(content)[0])
    grid = _as_one_column(read_grid(name, content))
    header = find_header(grid, frozenset()) or _nameless(grid)
    table = read_columns(grid, header, ReadAs(date_order))
    closes = table.rows["adjusted" if "adjusted" in table.rows.columns else "close"].to_numpy(dtype=np.float64)
    sessions = table.rows["session"].to_numpy().astype("datetime64[D]") if "session" in header.columns else None
    return PriceWindow(closes, sessions)


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
    if grid.separator == "," and body and all(len(row) <= 2 and all(map(_is_digits, row)) for row in body):
        rows: list[list[Cell]] = [[",".join(str(cell) for cell in row)] for row in grid.rows]
        return Grid(grid.kind, rows, grid.lines, grid.detail, ";")
    return grid


def _is_digits(cell: Cell) -> bool:
    return isinstance(cell, str) and cell.isascii() and cell.isdigit() and len(cell) < 8  # not 20240131


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
