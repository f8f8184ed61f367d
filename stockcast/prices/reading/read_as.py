"""What a person says about a file; whatever is left open, the file itself decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stockcast.errors import InvalidRequest
from stockcast.prices.reading.datestyle import DateOrder
from stockcast.prices.reading.headers import ROLES, Told
from stockcast.prices.reading.numerals import DecimalMark


@dataclass(frozen=True)
class ReadAs:
    """How a file is to be read, as far as somebody has said so."""

    date_order: DateOrder = "auto"
    decimal_mark: DecimalMark | None = None
    columns: tuple[Told, ...] = ()


AS_IT_STANDS = ReadAs()


def told_columns(assignments: Iterable[str]) -> tuple[Told, ...]:
    """'close=Último' or 'close=3' as a column that was told; 'adjusted=0' says that there is none.

    Raises InvalidRequest for anything else.
    """
    told: list[Told] = []
    for text in assignments:
        said, sign, place = (part.strip() for part in text.partition("="))
        role = next((known for known in ROLES if known == said), None)
        if role is None or not sign or not place:
            raise InvalidRequest(
                f"'{text[:60]}' does not say which column holds what.",
                f"Write ROLE=NAME or ROLE=NUMBER, counted from 1; the roles are {', '.join(ROLES)}.",
            )
        told.append((role, int(place) if place.isascii() and place.isdigit() else place))
    return tuple(told)
