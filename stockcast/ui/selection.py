"""What a visitor looks at, kept in the address of the page: it survives a refresh and can be shared."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from stockcast.prices.store import StoredHistory
from stockcast.ui.shared import workspace
from stockcast.workspace import DEFAULT_UNIVERSE


def choose_universe() -> None:
    """Draws the choice of the universe where there is one to make."""
    universes = workspace().universes()
    if len(universes) > 1:
        st.selectbox(
            "Universe", universes, key="universe", bind="query-params", help="The tickers that share one model."
        )


def universe() -> str:
    """The universe that was chosen."""
    chosen = st.session_state.get("universe")
    return chosen if chosen in workspace().universes() else DEFAULT_UNIVERSE


def histories_of(universe_name: str) -> tuple[StoredHistory, ...]:
    """Stored histories of a universe's tickers; empty when nothing is stored."""
    ws = workspace()
    named = ws.config(universe_name).universe.tickers
    return tuple(history for history in ws.prices.list() if not named or history.ticker in named)


def choose_ticker(histories: Sequence[StoredHistory]) -> StoredHistory:
    """Draws the choice of a stored ticker. `histories` must not be empty."""
    by_ticker = {history.ticker: history for history in histories}
    chosen: str = st.selectbox("Ticker", list(by_ticker), key="ticker", bind="query-params", width=240)
    return by_ticker[chosen]
