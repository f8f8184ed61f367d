"""The Forecast page: the answer first, the evidence below, and the knobs last."""

from __future__ import annotations

import streamlit as st

from stockcast.ui.answer_view import show_answer
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.forecast_evidence import evidence
from stockcast.ui.forecast_what_if import what_if
from stockcast.ui.language import _
from stockcast.ui.selection import choose_ticker, histories_of, universe
from stockcast.ui.shared import answer, champion, workspace
from stockcast.ui.window_upload import window_upload


def forecast_page() -> None:
    """Everything below the title, over at least one stored history."""
    chosen, speaks, stored = universe(), champion(universe()), workspace().prices.list()
    history = choose_ticker(stored)
    with boundary():
        if history not in histories_of(chosen):
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
