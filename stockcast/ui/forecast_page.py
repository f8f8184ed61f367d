"""The Forecast page: the answer first, the evidence below, and the knobs last."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from stockcast.prices.store import StoredHistory
from stockcast.ui.answer_view import show_answer
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.forecast_evidence import evidence
from stockcast.ui.forecast_what_if import what_if
from stockcast.ui.language import _
from stockcast.ui.selection import choose_ticker, universe
from stockcast.ui.shared import answer, champion, workspace
from stockcast.ui.window_upload import window_upload


def forecast_page(stored: Sequence[StoredHistory]) -> None:
    """Everything below the title. `stored` must not be empty."""
    chosen, speaks = universe(), champion(universe())
    history = choose_ticker(stored)
    with boundary():
        named = workspace().config(chosen).universe.tickers
        if named and history.ticker not in named:
            st.caption(
                _("{ticker} is not in the universe {universe}: its model was not made for it.").format(
                    ticker=plain(history.ticker), universe=plain(chosen)
                )
            )
        found = answer(chosen, history, speaks)
        show_answer(found, chosen, "ticker", history.source)
        evidence(found, chosen, history, speaks)
        what_if(found, chosen, history)
    with boundary():
        window_upload(chosen, speaks, [each.ticker for each in stored], history)
