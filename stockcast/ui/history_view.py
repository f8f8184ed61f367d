"""One stored history: its bars, and how good it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
import streamlit as st

from stockcast.prices.frame import PriceFrame
from stockcast.prices.store import StoredHistory
from stockcast.ui.candlestick_chart import candlestick_chart
from stockcast.ui.chart_style import TOOL_BAR
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.selection import choose_ticker
from stockcast.ui.shared import quality, workspace

RANGES = {"1M": 1, "6M": 6, "1Y": 12, "5Y": 60, "All": None}  # months


def bars_of_range(frame: PriceFrame, months: int | None) -> PriceFrame:
    """The bars of the last calendar months of a history, all of them for None."""
    if months is None:
        return frame
    begin: date = (pd.Timestamp(frame.last_session) - pd.DateOffset(months=months)).date()
    return frame.rows(int(np.searchsorted(frame.sessions, np.datetime64(begin, "D"), side="right")), len(frame))


def show_history(histories: Sequence[StoredHistory]) -> None:
    """Candlesticks of one ticker with their range and scale, then the quality report."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        history = choose_ticker(histories)
        chosen = st.segmented_control(
            "Range", list(RANGES), default="1Y", required=True, key="range", bind="query-params"
        )
        log_scale = st.toggle("Log scale", key="log", bind="query-params", help="Equal heights are equal changes.")
    frame = bars_of_range(workspace().prices.load(history.ticker), RANGES.get(chosen, 12))
    st.plotly_chart(
        candlestick_chart(frame, log_scale=log_scale),
        width="stretch",
        key="candles",
        config=TOOL_BAR,
        alt=f"Price bars of {history.ticker}",
    )
    _quality(history)


def _quality(history: StoredHistory) -> None:
    report = quality(history)
    st.subheader(f"How good are the prices of {plain(history.ticker)}?")
    if report.suspicious:
        st.warning(
            bullets(report.sentences), title="Look at these before you train on them", icon=":material/warning:"
        )
    else:
        st.markdown(bullets(report.sentences))
    if history.report.repairs:
        st.markdown("**What was mended when they were read**")
        st.markdown(bullets(repair.sentence for repair in history.report.repairs))
