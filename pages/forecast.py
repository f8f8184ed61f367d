"""Forecast: what will this ticker close at, and how sure are we?"""

import streamlit as st

from stockcast.ui import router
from stockcast.ui.answer_view import show_answer
from stockcast.ui.error_boundary import boundary
from stockcast.ui.selection import choose_ticker, histories_of, universe
from stockcast.ui.shared import answer, champion, workspace
from stockcast.ui.welcome import welcome
from stockcast.ui.window_upload import window_upload

router.require_frame()

st.title("How will it close?")
if not workspace().prices.list():
    welcome()
    st.stop()

speaks = champion(universe())
history = choose_ticker(workspace().prices.list())
with boundary():
    if history not in histories_of(universe()):
        st.caption(f"{history.ticker} is not in the universe {universe()}: its model was not made for it.")
    found = answer(universe(), history, speaks)
    show_answer(found, universe(), "ticker", history.source)

st.subheader("Forecast your own window")
with boundary():
    lookback = workspace().speaker(universe()).forecaster.lookback
    window_upload(universe(), lookback, [each.ticker for each in workspace().prices.list()])
