"""One stored history: its bars, how good it is, and a file of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from stockcast.prices.frame import PriceFrame
from stockcast.prices.price_export import export_csv, export_name, export_xlsx
from stockcast.prices.source import PriceReport
from stockcast.prices.store import StoredHistory
from stockcast.ui.address_choice import choose_from
from stockcast.ui.candlestick_chart import candlestick_chart
from stockcast.ui.chart_style import TOOL_BAR
from stockcast.ui.escaping import plain
from stockcast.ui.first_window import below
from stockcast.ui.format import count
from stockcast.ui.language import N_, _, language
from stockcast.ui.price_findings import pointed_out, show_findings
from stockcast.ui.price_reads import look_over
from stockcast.ui.price_table import ROWS
from stockcast.ui.selection import choose_ticker

RANGES = {N_("1M"): 1, N_("3M"): 3, N_("6M"): 6, N_("1Y"): 12, N_("5Y"): 60, N_("All"): None}  # months
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
        chosen = choose_from(
            _("Range"),
            "range",
            list(RANGES),
            "1Y",
            buttons=True,
            help=_("Calendar months or years up to the last session. Long ranges are drawn in weeks."),
        )
        log_scale = st.toggle(
            _("Log scale"), key="log", bind="query-params", help=_("Equal heights are equal changes.")
        )
    if len(histories) >= ROWS:  # their table fills the first window
        below("data")
    looked = look_over(history)
    marked = pointed_out(history, looked)
    in_range = bars_of_range(looked.frame, RANGES.get(chosen, 12))
    shown = bars_around(looked.frame, *marked) if marked else in_range
    key = (history.ticker, history.content_hash, chosen, log_scale, marked, language())
    st.plotly_chart(
        _drawn(key, shown, log_scale, marked),
        width="stretch",
        key="candles",
        config=TOOL_BAR,
        alt=_("Price bars of {ticker}").format(ticker=history.ticker),
    )
    if marked:
        st.caption(
            _("{around} sessions on each side of the row selected below; clear it to return to {chosen}.").format(
                around=AROUND, chosen=_(chosen)
            )
        )
    below("data")
    show_findings(history, looked)
    _take_along(in_range, history.report)


@st.cache_resource(max_entries=50, show_spinner=False)  # a page only reads it
def _drawn(
    key: tuple[object, ...], _shown: PriceFrame, _log_scale: bool, _marked: tuple[date, date] | None
) -> go.Figure:
    return candlestick_chart(_shown, log_scale=_log_scale, marked=_marked)


def _take_along(frame: PriceFrame, report: PriceReport) -> None:
    st.markdown(
        _(
            "**Take them along:** {sessions} of {ticker} in {currency}, {first_session} to "
            "{last_session}, the range of the chart."
        ).format(
            sessions=count(len(frame), "session", "sessions"),
            ticker=plain(frame.ticker),
            currency=frame.currency,
            first_session=frame.first_session,
            last_session=frame.last_session,
        )
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
            help=_("Adjusted prices at full precision; the Data page and `prices import` read it back."),
        )
        st.download_button(
            "XLSX",
            lambda: export_xlsx(frame, report),
            export_name(frame, "xlsx"),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            icon=":material/download:",
            key="export_xlsx",
            on_click="ignore",
            help=_("The same for a spreadsheet, with a sheet that says where they came from and what was mended."),
        )
