"""A file to a raw bar table, and how it was read: shown before anything is stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stockcast.errors import UnreadableFile
from stockcast.prices.reading.currencies import currency_told
from stockcast.prices.reading.datestyle import Dates, parse_dates
from stockcast.prices.reading.grid import Cell, Grid
from stockcast.prices.reading.headers import Header, Role, find_header
from stockcast.prices.reading.numerals import DecimalMark, LineCell, decide_mark, is_number, parse_numbers
from stockcast.prices.reading.read_as import AS_IT_STANDS, ReadAs
from stockcast.prices.reading.sniff import read_grid
from stockcast.prices.repairs import dates_of, repair, some_lines
from stockcast.prices.source import Repair

_HEADER_HINT = (
    "Say which column holds what (--column close=NAME), or name them in a header row, such as "
    "Date,Open,High,Low,Close,Volume or Data;Abertura;Máxima;Mínima;Fechamento;Volume."
)
_LOOKED_AT = 100  # rows in which a currency is looked for

# Whether an adjusted close stands beside the close, is the only one, or is not there.
Adjusted = Literal["beside", "alone", "no"]


@dataclass(frozen=True)
class Reading:
    """How a file was read."""

    kind: str  # CSV, XLSX or Parquet
    detail: str  # encoding and separator, or the sheet
    decimal_mark: DecimalMark | None  # None where numbers are typed
    date_style: str | None  # None where dates are typed, or there are none
    columns: tuple[tuple[Role, str], ...]  # role and the name that the file gives it
    rows: int
    adjusted: Adjusted = "no"
    currency: str | None = None  # ISO code that the file names itself
    date_order_assumed: bool = False  # no date decides between day and month

    @property
    def sentence(self) -> str:
        """The reading in one line."""
        parts = [f"{self.kind} ({self.detail})", f"{self.rows:,} rows"]
        if self.decimal_mark:
            parts.append("decimal comma" if self.decimal_mark == "," else "decimal point")
        if self.date_style:
            parts.append(f"dates as {self.date_style}")
        return ", ".join(parts) + "; " + ", ".join(f"{role} from '{name}'" for role, name in self.columns) + "."


@dataclass(frozen=True, eq=False)
class RawTable:
    """What a file holds, as `cleaning` wants it, with how it was read and what was unreadable."""

    rows: pd.DataFrame  # session, open, high, low, close, volume and perhaps adjusted; the index is "line"
    reading: Reading
    repairs: tuple[Repair, ...]


def read_table(name: str, content: bytes, read_as: ReadAs = AS_IT_STANDS) -> RawTable:
    """The bars of a CSV, XLSX or Parquet file, unrepaired.

    Raises UnreadableFile when the file is no table, names no dates and closes, or can be read in two ways.
    """
    grid = read_grid(name, content)
    header = find_header(grid, frozenset({"session"}), read_as.columns) or _headless(grid)
    if header is None:
        first = ", ".join(f"{cell}" for cell in grid.rows[0] if cell is not None)[:80]
        raise UnreadableFile(
            f"No column of dates beside a column of closes is named; line {grid.lines[0]} reads: {first}.",
            _HEADER_HINT,
        )
    return read_columns(grid, header, read_as)


def read_columns(grid: Grid, header: Header, read_as: ReadAs = AS_IT_STANDS) -> RawTable:
    """The columns that a header names. Raises UnreadableFile as `read_table` does."""
    body, numbers = grid.rows[header.row + 1 :], grid.lines[header.row + 1 :]
    if not body:
        raise UnreadableFile(
            f"The file has a header (line {grid.lines[-1]}) but no rows below it.", "Add one row per session."
        )
    cells: dict[Role, list[Cell]] = {role: _column(body, at) for role, at in header.columns.items()}
    mark = read_as.decimal_mark or _mark(grid, header)
    lines = pd.Index(numbers, name="line")
    table = pd.DataFrame(np.nan, index=lines, columns=["open", "high", "low", "close", "volume"])
    unreadable = np.zeros(len(body), dtype=bool)
    for role, column in cells.items():
        if role != "session":
            table[role], wrong = parse_numbers(column, mark)
            unreadable |= wrong if role in ("open", "high", "low", "volume") else False
    dates = None
    if "session" in cells:
        dates = parse_dates(cells["session"], numbers, read_as.date_order, mark == "," or header.portuguese)
    days = dates.days if dates else np.full(len(body), np.datetime64("NaT", "D"))
    table.insert(0, "session", days.astype("datetime64[ns]"))
    if dates and np.isnat(days).all():
        raise _holds_nothing(header.names["session"], "date", cells["session"], numbers)
    close: Role = "adjusted" if "adjusted" in cells else "close"
    if table[close].isna().all():
        raise _holds_nothing(header.names[close], "number", cells[close], numbers)
    gaps = _incomplete(table, cells.keys(), close) & ~unreadable
    found = {"unreadable_value": table[unreadable], "missing_value": table[gaps]}
    repairs = tuple(
        repair(kind, len(rows), some_lines(rows.index), dates_of(rows["session"]))
        for kind, rows in found.items()
        if len(rows)
    )
    return RawTable(_with_close(table), _reading(grid, header, cells, mark, dates), repairs)


def _incomplete(table: pd.DataFrame, given: Iterable[Role], close: Role) -> NDArray[np.bool_]:
    """Rows with a date and a close that lack a value of a column which others fill. [T]"""
    beside = [role for role in given if role in ("open", "high", "low", "volume") and table[role].notna().any()]
    usable = table["session"].notna() & table[close].notna()
    return (usable & table[beside].isna().any(axis=1)).to_numpy()


def _reading(
    grid: Grid, header: Header, cells: dict[Role, list[Cell]], mark: DecimalMark, dates: Dates | None
) -> Reading:
    prices = {role: column for role, column in cells.items() if role not in ("session", "volume")}
    typed = not any(isinstance(cell, str) for cell in prices.get("adjusted", prices.get("close", [])))
    texts = (
        cell
        for row in islice(grid.rows, max(header.row, 0), header.row + _LOOKED_AT)
        for at, cell in enumerate(row)
        if isinstance(cell, str) and at in header.columns.values()
    )
    return Reading(
        kind=grid.kind,
        detail=grid.detail,
        decimal_mark=None if typed else mark,
        date_style=dates.style if dates else None,
        columns=tuple(header.names.items()),
        rows=len(grid.rows) - header.row - 1,
        adjusted="no" if "adjusted" not in prices else "beside" if "close" in prices else "alone",
        currency=currency_told(chain(texts, header.names.values())),
        date_order_assumed=dates.assumed if dates else False,
    )


def _headless(grid: Grid) -> Header | None:
    """A table of two columns without names can only be dates and closes."""
    if any(len(row) != 2 for row in grid.rows[:5]) or not is_number(grid.rows[0][1]):
        return None
    return Header(-1, {"session": 0, "close": 1}, {"session": "first column", "close": "second column"}, False)


def _column(body: Sequence[Sequence[Cell]], at: int) -> list[Cell]:
    return [row[at] if at < len(row) else None for row in body]


def _mark(grid: Grid, header: Header) -> DecimalMark:
    dates = header.columns.get("session")
    prices = {at for at in header.columns.values() if at != dates}
    ours: list[LineCell] = []
    others: list[LineCell] = []
    for line, row in zip(grid.lines[header.row + 1 :], grid.rows[header.row + 1 :], strict=True):
        for at, cell in enumerate(row):
            if at != dates:
                (ours if at in prices else others).append((line, cell))
    return decide_mark(ours, others, grid.separator, header.portuguese)


def _with_close(table: pd.DataFrame) -> pd.DataFrame:
    """Where only an adjusted close is given it is the close; the range beside it has another level."""
    if "adjusted" not in table.columns or table["close"].notna().any():
        return table
    return table.assign(close=table["adjusted"], open=np.nan, high=np.nan, low=np.nan).drop(columns="adjusted")


def _holds_nothing(name: str, what: str, cells: Sequence[Cell], lines: Sequence[int]) -> UnreadableFile:
    filled = ((line, cell) for line, cell in zip(lines, cells, strict=True) if cell not in (None, ""))
    example = next((f", for example '{str(cell)[:40]}' (line {line})" for line, cell in filled), "")
    return UnreadableFile(
        f"The column '{name}' holds no {what}s{example}.",
        f"Fill it with {what}s, or say which column holds them.",
    )
