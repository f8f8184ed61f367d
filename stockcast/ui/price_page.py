"""The upper half of the Data page: what is stored, its bars, and how good they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from stockcast.prices.store import StoredHistory
from stockcast.ui.language import _
from stockcast.ui.price_table import show_price_table
from stockcast.ui.price_view import show_history

_ADDING: Final = ("yahoo_go", "store_prices", "load_sample")  # the buttons below that store something


def adds_prices() -> bool:
    """Whether this run is that of a button which stores prices; asked before it is drawn."""
    return any(st.session_state.get(button) for button in _ADDING)


def show_stored(histories: Sequence[StoredHistory]) -> None:
    """The table of all histories and a closer look at one, or the way to the first one."""
    if histories:
        show_price_table(histories)
        show_history(histories)
    else:
        st.info(
            _("Download from Yahoo or upload a file below, or load the bundled sample, which needs no network."),
            title=_("No prices are stored yet"),
            icon=":material/inbox:",
        )
