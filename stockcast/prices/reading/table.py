"""A file to a raw bar table, and a sentence that says how it was read: shown before anything is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stockcast.errors import UnreadableFile
from stockcast.prices.reading.datestyle import DateOrder, parse_dates
from stockcast.prices.reading.grid import Cell, Grid
from stockcast.prices.reading.headers import Header, Role, find_header
from stockcast.prices.reading.numerals import DecimalMark, decide_mark, is_number, parse_numbers
from stockcast.prices.reading.sniff import read_grid
from stockcast.prices.repairs import repair, some_lines
from stockcast.prices.source import Repair

_HEADER_HINT = (
    "Name the columns in a header row, such as Date,Open,High,Low,Close,Volume "
    "or Data;Abertura;Máxima;Mínima;Fechamento;Volume."
)


@dataclass(frozen=True)
class Reading:
    """How a file was read."""

    kind: str  # CSV, XLSX or Parquet
    detail: str  # encoding and separator, or the sheet
    decimal_mark: DecimalMark | None  # None where numbers are typed
    date_style: str | None  # None where dates are typed, or there are none
    columns: tuple[tuple[Role, str], ...]  # role and the name that the file gives it
    rows: int

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


def read_table(name: str, content: bytes, date_order: DateOrder = "auto") -> RawTable:
    """The bars of a CSV, XLSX or Parquet file, unrepaired.

    Raises UnreadableFile when the file is no table, names no dates and closes, or can be read in two ways.
    """
    grid = read_grid(name, content)
    header = find_header(grid.rows, frozenset({"session"})) or _headless(grid)
    if header is None:
        first = ", ".join(f"{cell}" for cell in grid.rows[0] if cell is not None)[:80]
        raise UnreadableFile(
            f"No column of dates beside a column of closes is named; found: {first}.", _HEADER_HINT
        )
    return read_columns(grid, header, date_order)


def read_columns(grid: Grid, header: Header, date_order: DateOrder) -> RawTable:
    """The columns that a header names. Raises UnreadableFile as `read_table` does."""
    body = grid.rows[header.row + 1 :]
    if not body:
        raise UnreadableFile("The file has a header but no rows below it.", "Add one row per session.")
    cells: dict[Role, list[Cell]] = {role: _column(body, at) for role, at in header.columns.items()}
    mark = _mark(grid, header, body)
    lines = pd.Index(grid.lines[header.row + 1 :], name="line")
    table = pd.DataFrame(np.nan, index=lines, columns=["open", "high", "low", "close", "volume"])
    unreadable = np.zeros(len(body), dtype=bool)
    for role, column in cells.items():
        if role != "session":
            table[role], wrong = parse_numbers(column, mark)
            unreadable |= wrong if role in ("open", "high", "low", "volume") else False
    dates = (
        parse_dates(cells["session"], date_order, mark == "," or header.portuguese) if "session" in cells else None
    )
    days = dates.days if dates else np.full(len(body), np.datetime64("NaT", "D"))
    table.insert(0, "session", days.astype("datetime64[ns]"))
    if dates and np.isnat(days).all():
        raise _holds_nothing(header.names["session"], "date", cells["session"])
    close: Role = "adjusted" if "adjusted" in cells else "close"
    if table[close].isna().all():
        raise _holds_nothing(header.names[close], "number", cells[close])
    typed = not any(isinstance(cell, str) for cell in cells[close])
    reading = Reading(
        grid.kind,
        grid.detail,
        None if typed else mark,
        dates.style if dates else None,
        tuple(header.names.items()),
        len(body),
    )
    wrong_lines = lines[unreadable]
    repairs = (repair("unreadable_value", len(wrong_lines), some_lines(wrong_lines)),) if len(wrong_lines) else ()
    return RawTable(_with_close(table), reading, repairs)


def _headless(grid: Grid) -> Header | None:
    """A table of two columns without names can only be dates and closes."""
    if any(len(row) != 2 for row in grid.rows[:5]) or not is_number(grid.rows[0][1]):
        return None
    return Header(-1, {"session": 0, "close": 1}, {"session": "first column", "close": "second column"}, False)


def _column(body: Sequence[Sequence[Cell]], at: int) -> list[Cell]:
    return [row[at] if at < len(row) else None for row in body]


def _mark(grid: Grid, header: Header, body: Sequence[Sequence[Cell]]) -> DecimalMark:
    dates = header.columns.get("session")
    prices = {at for at in header.columns.values() if at != dates}
    return decide_mark(
        (cell for row in body for at, cell in enumerate(row) if at in prices),
        (cell for row in body for at, cell in enumerate(row) if at not in prices and at != dates),
        grid.separator,
        header.portuguese,
    )


def _with_close(table: pd.DataFrame) -> pd.DataFrame:
    """Where only an adjusted close is given it is the close; the range beside it has another level."""
    if "adjusted" not in table.columns or table["close"].notna().any():
        return table
    return table.assign(close=table["adjusted"], open=np.nan, high=np.nan, low=np.nan).drop(columns="adjusted")


def _holds_nothing(name: str, what: str, cells: Sequence[Cell]) -> UnreadableFile:
    example = next((f", for example '{str(cell)[:40]}'" for cell in cells if cell is not None), "")
    return UnreadableFile(
        f"The column '{name}' holds no {what}s{example}.", f"Fill it with {what}s, or rename it."
    )
