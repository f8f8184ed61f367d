"""Which column holds what: headers in English and Portuguese, as spreadsheets and price sites write them.

What nobody recognises, and what two columns claim, a person may settle by naming or numbering the columns.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from stockcast.errors import UnreadableFile
from stockcast.prices.reading.datestyle import is_date
from stockcast.prices.reading.grid import Cell, Grid
from stockcast.prices.reading.numerals import is_number

Role = Literal["session", "open", "high", "low", "close", "adjusted", "volume"]
Claim = tuple[Role, int]  # a role and the position of the column that could play it
# A role and the column that shall play it: its name, its number from 1 on, or 0 for none.
Told = tuple[Role, int | str]

ROLES: tuple[Role, ...] = ("session", "open", "high", "low", "close", "adjusted", "volume")

_ENGLISH: dict[Role, tuple[str, ...]] = {
    "session": ("date", "session", "day", "datetime", "timestamp", "trade date", "trading day"),
    "open": ("open", "opening", "open price"),
    "high": ("high", "high price"),
    "low": ("low", "low price"),
    "close": ("close", "close last", "closing price", "close price", "last", "last price"),
    "adjusted": ("adj close", "adjclose", "adjusted close", "close adjusted", "adj close price"),
    "volume": ("volume", "vol"),
}
_PORTUGUESE: dict[Role, tuple[str, ...]] = {
    "session": ("data", "dia", "data do pregao", "pregao"),
    "open": ("abertura", "preco de abertura", "abert", "preabe"),
    "high": ("maxima", "maximo", "preco maximo", "premax"),
    "low": ("minima", "minimo", "preco minimo", "premin"),
    "close": ("fechamento", "preco de fechamento", "fech", "ultimo", "ultimo preco", "preult"),
    "adjusted": ("fechamento ajustado", "fech ajustado", "fech aj", "preco ajustado", "ajustado"),
    "volume": ("volume negociado", "volume total"),
}
_BOTH: dict[Role, tuple[str, ...]] = {"high": ("max",), "low": ("min",)}
# Taken only where nothing better is there: an unnamed first column, and investing.com's "Price".
_WEAK: dict[Role, tuple[str, ...]] = {
    "session": ("", "index", "unnamed 0", "index level 0"),
    "close": ("price", "preco"),
}
_SEARCHED_ROWS = 25


@dataclass(frozen=True)
class Header:
    """Where the header stands and which column plays which role."""

    row: int  # position of its last row in the grid, -1 where the file has none
    columns: dict[Role, int]
    names: dict[Role, str]  # as the file writes them
    portuguese: bool


@dataclass(frozen=True)
class Guess:
    """The row that looks most like a header, and what it seems to name."""

    row: int  # position of its last row in the grid, -1 where the file has none
    cells: Sequence[Cell]  # the names
    claims: tuple[Claim, ...]  # two columns may claim the same role
    portuguese: bool
    complete: bool  # a close and all that was needed are named

    def name(self, column: int) -> str:
        """The name of a column as the file writes it."""
        written = self.cells[column] if column < len(self.cells) else None
        if written is not None and f"{written}".strip():
            return f"{written}"
        return "first column" if column == 0 else f"column {column + 1}"


def find_header(grid: Grid, needed: frozenset[Role], told: Sequence[Told] = ()) -> Header | None:
    """The first row that names a close and all `needed` roles; None when there is no such row.

    `told` overrules what is recognised. Raises UnreadableFile when two columns could play the same role, or when
    a column that was told is not there.
    """
    guess = guess_header(grid, needed)
    if not guess.complete and not told:
        return None
    line = grid.lines[guess.row] if guess.row >= 0 else None
    chosen = {role: _position(place, guess, max(map(len, grid.rows)), line) for role, place in told}
    taken = [claim for claim in guess.claims if claim[0] not in chosen and claim[1] not in chosen.values()]
    taken += [(role, column) for role, column in chosen.items() if column is not None]
    _refuse_rivals(taken, guess, line)
    columns = dict(sorted(taken, key=lambda claim: claim[1]))
    if lacking := sorted(needed - columns.keys()) + ([] if columns.keys() & {"close", "adjusted"} else ["close"]):
        raise UnreadableFile(f"No column is named as the {lacking[0]}.", "Say which column holds it.")
    return Header(guess.row, columns, {role: guess.name(at) for role, at in columns.items()}, guess.portuguese)


def guess_header(grid: Grid, needed: frozenset[Role]) -> Guess:
    """The first row that names a close and all `needed` roles; where there is none, the row above the numbers."""
    rows = grid.rows
    for position in range(min(_SEARCHED_ROWS, len(rows))):
        claims, last, portuguese = _claims(rows, position)
        roles = {role for role, _ in claims}
        if needed <= roles and roles & {"close", "adjusted"}:
            return Guess(last, rows[position], tuple(claims), portuguese, complete=True)
    above = _row_above_numbers(rows)
    if above < 0:
        return Guess(above, (), (), portuguese=False, complete=False)
    claims, last, portuguese = _claims(rows, above)
    return Guess(last, rows[above], tuple(claims), portuguese, complete=False)


def _claims(rows: Sequence[Sequence[Cell]], position: int) -> tuple[list[Claim], int, bool]:
    """What a row seems to name, the last row of the header that it would begin, and whether it is Portuguese."""
    row = rows[position]
    words = [_normal(cell) if isinstance(cell, str) or cell is None else "-" for cell in row]
    portuguese = _roles(words, _PORTUGUESE)
    found = _roles(words, _ENGLISH) + portuguese + _roles(words, _BOTH)
    known = {role for role, _ in found}
    weak = [(role, column) for role, column in _roles(words, _WEAK) if role not in known]
    # Of an unnamed column, only the first can hold the dates.
    found += [(role, column) for role, column in weak if role != "session" or column == 0]
    if found and "session" not in dict(found) and (below := _date_below(rows, position)):
        return [("session", 0), *found], below, bool(portuguese)
    return found, position, bool(portuguese)


def _date_below(rows: Sequence[Sequence[Cell]], position: int) -> int | None:
    """The row that names only the dates: yfinance writes `Price,Close,...`, `Ticker,AAPL,...`, `Date,,...`."""
    for below in range(position + 1, min(position + 3, len(rows))):
        first, *others = rows[below]
        if isinstance(first, str) and _normal(first) == "date" and not any(others):
            return below
    return None


def _row_above_numbers(rows: Sequence[Sequence[Cell]]) -> int:
    """The row before the first one that holds two numbers or dates; -1 where that is no row of names."""
    for position, row in enumerate(rows[:_SEARCHED_ROWS]):
        if sum(is_number(cell) or isinstance(cell, date) or is_date(cell) for cell in row) >= 2:
            names = [cell for cell in rows[position - 1] if cell] if position else []
            return position - 1 if len(names) >= 2 else -1
    return 0


def _roles(words: Sequence[str], names: dict[Role, tuple[str, ...]]) -> list[Claim]:
    return [(role, column) for column, word in enumerate(words) for role in names if word in names[role]]


def _position(place: int | str, guess: Guess, width: int, line: int | None) -> int | None:
    if isinstance(place, int):
        if not 0 <= place <= width:
            raise UnreadableFile(f"There is no column {place}; the file has {width}.", "Count the columns from 1.")
        return place - 1 if place else None
    wanted = _normal(place)
    found = [at for at, cell in enumerate(guess.cells) if isinstance(cell, str) and _normal(cell) == wanted]
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"'{cell}'" for cell in guess.cells if cell is not None)[:120] or "nothing"
    how_many = "No column" if not found else "More than one column"
    raise UnreadableFile(
        f"{how_many} is named '{place[:40]}'; {f'line {line}' if line else 'the file'} names {names}.",
        "Give the column's number instead, counted from 1.",
    )


def _refuse_rivals(taken: Sequence[Claim], guess: Guess, line: int | None) -> None:
    where = f" (line {line})" if line else ""
    for role in dict.fromkeys(role for role, _ in taken):
        rivals = [f"'{guess.name(column)}'" for other, column in taken if other == role]
        if len(rivals) > 1:
            raise UnreadableFile(
                f"{len(rivals)} columns could hold the {role}: {', '.join(rivals)[:120]}{where}.",
                f"Say which one is meant (--column {role}=NAME), or remove or rename the others.",
            )
    for column in dict.fromkeys(column for _, column in taken):
        roles = [role for role, other in taken if other == column]
        if len(roles) > 1:
            raise UnreadableFile(
                f"The column '{guess.name(column)}' cannot be both the {roles[0]} and the {roles[1]}.",
                "Choose another column for one of them.",
            )


def _normal(cell: str | None) -> str:
    """'Adj. Close**' -> 'adj close', 'Máxima (R$)' -> 'maxima', '4. close' -> 'close'."""
    plain = unicodedata.normalize("NFKD", cell or "").encode("ascii", "ignore").decode().casefold()
    plain = re.sub(r"\(.*?\)|^\d+\.", " ", plain)
    return " ".join(re.findall(r"[a-z0-9]+", plain))
