"""How a file shall be read where its own header does not say, or where a person knows better."""

from __future__ import annotations

import streamlit as st

from stockcast.prices.reading.datestyle import DateOrder
from stockcast.prices.reading.headers import ROLES, Role
from stockcast.prices.reading.numerals import DecimalMark
from stockcast.prices.reading.read_as import ReadAs
from stockcast.prices.reading.sketch import ColumnSketch, FileSketch
from stockcast.ui.language import N_, _

_ORDERS: dict[str, DateOrder] = {
    N_("Let the dates decide"): "auto",
    N_("Day first (31/12)"): "dmy",
    N_("Month first (12/31)"): "mdy",
}
_MARKS: dict[str, DecimalMark | None] = {
    N_("Let the numbers decide"): None,
    N_("Point (1,234.56)"): ".",
    N_("Comma (1.234,56)"): ",",
}
_LABELS: dict[Role, tuple[str, str]] = {
    "session": (N_("Date"), N_("The trading day of each row.")),
    "open": (N_("Open"), N_("First price of the session.")),
    "high": (N_("High"), N_("Highest price of the session.")),
    "low": (N_("Low"), N_("Lowest price of the session.")),
    "close": (N_("Close"), N_("Last price of the session.")),
    "adjusted": (
        N_("Adjusted close"),
        N_(
            "The close adjusted for splits and dividends. Where there is one, all prices are brought to its level."
        ),
    ),
    "volume": (N_("Volume"), N_("Shares traded.")),
}
_NONE = 0  # the number of no column


def choose_reading(sketch: FileSketch, file_id: str, unclear: bool) -> ReadAs:
    """Draws the choices, open where the file alone is `unclear`, and returns what was said."""
    numbers = [_NONE, *(column.number for column in sketch.columns)]
    shown = {column.number: _shown(column) for column in sketch.columns}
    chosen: dict[Role, int] = {}
    label = _("Say how to read it") if unclear else _("Read it another way")
    with st.expander(label, expanded=unclear, icon=":material/tune:"):
        left, right = st.columns(2)
        order = left.selectbox(
            _("Order of day and month"),
            list(_ORDERS),
            format_func=_,
            key=f"price_order_{file_id}",
            help=_("Matters only where no day above 12 decides it."),
        )
        mark = right.selectbox(
            _("Decimal mark"),
            list(_MARKS),
            format_func=_,
            key=f"price_mark_{file_id}",
            help=_("Matters only where numbers such as 1.234 could be read in two ways."),
        )
        places = [place for row in range(0, len(ROLES), 2) for place in st.columns(2)]
        for role, place in zip(ROLES, places, strict=False):
            label, explained = _LABELS[role]
            chosen[role] = place.selectbox(
                _(label),
                numbers,
                index=numbers.index(sketch.recognised.get(role, _NONE)),
                format_func=lambda number: shown.get(number, _("none")),
                key=f"price_column_{role}_{file_id}",
                help=f"{_(explained)} {_('Which column holds it?')}",
            )
    recognised = {role: sketch.recognised.get(role, _NONE) for role in ROLES}
    columns = () if chosen == recognised else tuple(chosen.items())
    return ReadAs(_ORDERS[order], _MARKS[mark], columns)


def _shown(column: ColumnSketch) -> str:
    examples = ", ".join(column.examples)
    return f"{column.number}. {column.name} ({examples or _('empty')})"
