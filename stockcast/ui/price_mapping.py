"""How a file shall be read where its own header does not say, or where a person knows better."""

from __future__ import annotations

import streamlit as st

from stockcast.prices.reading.datestyle import DateOrder
from stockcast.prices.reading.headers import ROLES, Role
from stockcast.prices.reading.numerals import DecimalMark
from stockcast.prices.reading.read_as import ReadAs
from stockcast.prices.reading.sketch import ColumnSketch, FileSketch

_ORDERS: dict[str, DateOrder] = {
    "Let the dates decide": "auto",
    "Day first (31/12)": "dmy",
    "Month first (12/31)": "mdy",
}
_MARKS: dict[str, DecimalMark | None] = {
    "Let the numbers decide": None,
    "Point (1,234.56)": ".",
    "Comma (1.234,56)": ",",
}
_LABELS: dict[Role, tuple[str, str]] = {
    "session": ("Date", "The trading day of each row."),
    "open": ("Open", "First price of the session."),
    "high": ("High", "Highest price of the session."),
    "low": ("Low", "Lowest price of the session."),
    "close": ("Close", "Last price of the session."),
    "adjusted": (
        "Adjusted close",
        "The close adjusted for splits and dividends. Where there is one, all prices are brought to its level.",
    ),
    "volume": ("Volume", "Shares traded."),
}
_NONE = 0  # the number of no column


def choose_reading(sketch: FileSketch, file_id: str, unclear: bool) -> ReadAs:
    """Draws the choices, open where the file alone is `unclear`, and returns what was said."""
    numbers = [_NONE, *(column.number for column in sketch.columns)]
    shown = {column.number: _shown(column) for column in sketch.columns}
    chosen: dict[Role, int] = {}
    label = "Say how to read it" if unclear else "Read it another way"
    with st.expander(label, expanded=unclear, icon=":material/tune:"):
        left, right = st.columns(2)
        order = left.selectbox(
            "Order of day and month",
            list(_ORDERS),
            key=f"price_order_{file_id}",
            help="Matters only where no day above 12 decides it.",
        )
        mark = right.selectbox(
            "Decimal mark",
            list(_MARKS),
            key=f"price_mark_{file_id}",
            help="Matters only where numbers such as 1.234 could be read in two ways.",
        )
        places = [place for _ in range(0, len(ROLES), 2) for place in st.columns(2)]
        for role, place in zip(ROLES, places, strict=False):
            label, explained = _LABELS[role]
            chosen[role] = place.selectbox(
                label,
                numbers,
                index=numbers.index(sketch.recognised.get(role, _NONE)),
                format_func=lambda number: shown.get(number, "none"),
                key=f"price_column_{role}_{file_id}",
                help=f"{explained} Which column holds it?",
            )
    recognised = {role: sketch.recognised.get(role, _NONE) for role in ROLES}
    columns = () if chosen == recognised else tuple(chosen.items())
    return ReadAs(_ORDERS[order], _MARKS[mark], columns)


def _shown(column: ColumnSketch) -> str:
    examples = ", ".join(column.examples)
    return f"{column.number}. {column.name}" + (f" ({examples})" if examples else " (empty)")
