"""Which column holds what: headers in English and Portuguese, as spreadsheets and price sites write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from stockcast.errors import UnreadableFile
from stockcast.prices.reading.grid import Cell

Role = Literal["session", "open", "high", "low", "close", "adjusted", "volume"]

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

    row: int  # position of its last row in the grid
    columns: dict[Role, int]
    names: dict[Role, str]  # as the file writes them
    portuguese: bool


def find_header(rows: Sequence[Sequence[Cell]], needed: frozenset[Role]) -> Header | None:
    """The first row that names a close and all `needed` roles; None when there is no such row.

    Raises UnreadableFile when two columns could play the same role.
    """
    for position, row in enumerate(rows[:_SEARCHED_ROWS]):
        words = [_normal(cell) if isinstance(cell, str) or cell is None else "-" for cell in row]
        found = _roles(words, _ENGLISH) + _roles(words, _PORTUGUESE) + _roles(words, _BOTH)
        known = {role for role, _ in found}
        weak = [(role, column) for role, column in _roles(words, _WEAK) if role not in known]
        # Of an unnamed column, only the first can hold the dates.
        found += [(role, column) for role, column in weak if role != "session" or column == 0]
        last = position
        if found and "session" not in dict(found) and (below := _date_below(rows, position)):
            found, last = [("session", 0), *found], below
        roles = {role for role, _ in found}
        if needed <= roles and roles & {"close", "adjusted"}:
            _refuse_rivals(found, row)
            columns = dict(sorted(found, key=lambda pair: pair[1]))
            names = {role: f"{row[column] or 'first column'}" for role, column in columns.items()}
            return Header(last, columns, names, bool(_roles(words, _PORTUGUESE)))
    return None


def _date_below(rows: Sequence[Sequence[Cell]], position: int) -> int | None:
    """The row that names only the dates: yfinance writes `Price,Close,...`, `Ticker,AAPL,...`, `Date,,...`."""
    for below in range(position + 1, min(position + 3, len(rows))):
        first, *others = rows[below]
        if isinstance(first, str) and _normal(first) == "date" and not any(others):
            return below
    return None


def _roles(words: Sequence[str], names: dict[Role, tuple[str, ...]]) -> list[tuple[Role, int]]:
    return [(role, column) for column, word in enumerate(words) for role in names if word in names[role]]


def _refuse_rivals(found: list[tuple[Role, int]], row: Sequence[Cell]) -> None:
    for role in dict.fromkeys(role for role, _ in found):
        rivals = [f"'{row[column]}'" for other, column in found if other == role]
        if len(rivals) > 1:
            raise UnreadableFile(
                f"{len(rivals)} columns could hold the {role}: {', '.join(rivals)[:120]}.",
                "Keep one of them, of one ticker, and remove or rename the others.",
            )


def _normal(cell: str | None) -> str:
    """'Adj. Close**' -> 'adj close', 'Máxima (R$)' -> 'maxima', '4. close' -> 'close'."""
    plain = unicodedata.normalize("NFKD", cell or "").encode("ascii", "ignore").decode().casefold()
    plain = re.sub(r"\(.*?\)|^\d+\.", " ", plain)
    return " ".join(re.findall(r"[a-z0-9]+", plain))
