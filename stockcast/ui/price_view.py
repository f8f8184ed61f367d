"""One stored history: its bars, how good it is, and a file of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
import streamlit as st

from stockcast.prices.frame import PriceFrame
from stockcast.prices.price_export import export_csv, export_name, export_xlsx
from stockcast.prices.source import PriceReport
from stockcast.prices.store import StoredHistory
from stockcast.ui.candlestick_chart import candlestick_chart
from stockcast.ui.chart_style import TOOL_BAR
from stockcast.ui.escaping import plain
from stockcast.ui.format import count
from stockcast.ui.price_findings import show_findings
from stockcast.ui.price_reads import look_over
from stockcast.ui.selection import choose_ticker

RANGES = {"1M": 1, "3M": 3, "6M": 6, "1Y": 12, "5Y": 60, "All": None}  # months
AROUND = 40  # sessions on each side of what is pointed out


def bars_of_range(frame: PriceFrame, months: int | None) -> PriceFrame:
    """The bars of the last calendar months of a history, all of them for None."""
    if months is None:
        return frame
    begin: date = (pd.Timestamp(frame.last_session) - pd.DateOffset(months=months)).date()
    return frame.rows(int(np.searchsorted(frame.sessions, np.datetime64(begin, "D"), side="right")), len(frame))


def bars_around(frame: PriceFrame, first: date, last: date) -> PriceFrame:
    """The bars of some sessions, which need not be there themselves, and those around them."""
    begin, end = np.searchsorted(frame.sessions, np.array([first, last], dtype="datetime64[D]"))
    return frame.rows(max(0, int(begin) - AROUND), min(len(frame), int(end) + 1 + AROUND))


def show_history(histories: Sequence[StoredHistory]) -> None:
    """Candlesticks of one ticker with their range and scale, the quality report, and a file to take along."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        history = choose_ticker(histories)
        chosen = st.segmented_control(
            "Range",
            list(RANGES),
            default="1Y",
            required=True,
            key="range",
            bind="query-params",
            help="Calendar months or years up to the last session. Long ranges are drawn in weeks.",
        )
        log_scale = st.toggle("Log scale", key="log", bind="query-params", help="Equal heights are equal changes.")
    chart = st.container()
    looked = look_over(history)
    pointed_out = show_findings(history, looked)
    in_range = bars_of_range(looked.frame, RANGES.get(chosen, 12))
    shown = bars_around(looked.frame, *pointed_out) if pointed_out else in_range
    with chart:
        st.plotly_chart(
            candlestick_chart(shown, log_scale=log_scale, marked=pointed_out),
            width="stretch",
            key="candles",
            config=TOOL_BAR,
            alt=f"Price bars of {history.ticker}",
        )
        if pointed_out:
            st.caption(
                f"{AROUND} sessions on each side of the row selected below; clear it to return to {chosen}."
            )
    _take_along(in_range, history.report)


def _take_along(frame: PriceFrame, report: PriceReport) -> None:
    st.markdown(
        f"**Take them along:** {count(len(frame), 'session', 'sessions')} of {plain(frame.ticker)} in {frame.currency}, "
        f"{frame.first_session} to {frame.last_session}, the range of the chart."
    )
    with st.container(horizontal=True):
        st.download_button(
            "CSV",
            lambda: export_csv(frame),
            export_name(frame, "csv"),
            "text/csv",
            icon=":material/download:",
            key="export_csv",
            on_click="ignore",
            help="Adjusted prices at full precision; the Data page and `prices import` read it back.",
        )
        st.download_button(
            "XLSX",
            lambda: export_xlsx(frame, report),
            export_name(frame, "xlsx"),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            icon=":material/download:",
            key="export_xlsx",
            on_click="ignore",
            help="The same for a spreadsheet, with a sheet that says where they came from and what was mended.",
        )
