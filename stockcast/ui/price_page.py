"""The upper half of the Data page: what is stored, its bars, and how good they are."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from stockcast.prices.store import StoredHistory
from stockcast.ui.language import _
from stockcast.ui.price_table import show_price_table
from stockcast.ui.price_view import show_history

_SEEN = "prices_seen"


def begin_stored() -> DeltaGenerator:
    """The place of it: a skeleton at the first visit, what was there before at any later run."""
    place = st.empty()
    if not st.session_state.get(_SEEN):
        place.skeleton(height=760)
    return place


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
    st.session_state[_SEEN] = True
