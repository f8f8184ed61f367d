"""A visitor's own window of closes: uploaded, read, forecast; nothing of it is stored among the prices."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from stockcast.prices.window import PriceWindow
from stockcast.prices.windowfile import read_window
from stockcast.ui.answer_view import show_answer
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.format import count
from stockcast.ui.shared import workspace

FILE_TYPES = ["csv", "txt", "tsv", "json", "xlsx", "parquet"]
NO_TICKER = "not named"


def window_upload(universe: str, lookback: int, tickers: list[str]) -> None:
    """The upload with its forecast, or with a sentence that says what is wrong."""
    st.markdown(
        f"Upload exactly **{lookback} closes**, oldest first: one per line, a table with a `Close` or "
        "`Fechamento` column, or JSON. With dates and a ticker the forecast has dates, too."
    )
    left, right = st.columns([3, 1])
    upload = left.file_uploader(
        f"File with {lookback} closes", type=FILE_TYPES, key="window_file", max_upload_size=20
    )
    named = right.selectbox(
        "Its ticker",
        [NO_TICKER, *tickers],
        key="window_ticker",
        help="Names the exchange and the currency, and lets the closes be held against the stored history.",
    )
    if upload is None:
        return
    with boundary():
        window = read_window(upload.name, upload.getvalue())
        if named != NO_TICKER:
            window = replace(window, ticker=named)
        st.caption(f"{plain(upload.name)}: {_described(window)}")
        with st.spinner("Forecasting …"):
            answer = workspace().forecast_window(window, universe, "page")
        show_answer(answer, universe, "window")


def _described(window: PriceWindow) -> str:
    closes = count(len(window.closes), "close", "closes")
    if window.sessions is None or not len(window.sessions):
        return f"{closes} without dates."
    return f"{closes}, dated {window.sessions[0]} to {window.sessions[-1]}."
