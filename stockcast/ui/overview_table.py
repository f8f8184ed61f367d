"""One table of the universe: what is expected of each ticker, how sure, how well lately, what to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ButtonColumnResult, ColumnConfig

from stockcast.monitoring.record import LATELY
from stockcast.ui.chart_style import HISTORY
from stockcast.ui.format import MISSING, interval, money, price, session, signed_percent
from stockcast.ui.language import _
from stockcast.ui.overview_lately import Lately, words_of
from stockcast.ui.overview_rows import TickerRow, concern
from stockcast.ui.router import FORECAST
from stockcast.ui.selection import TICKER

_ORDER = (
    "Ticker", "Median", "Change", "Interval", "Naive", "Attention", "Closes", "Lately", "Last session",
    "Next session",
)  # fmt: skip
OPENED = "overview_opened"  # the click on a ticker, for one run


def show_universe(rows: Sequence[TickerRow], judged: Mapping[str, Lately | None]) -> None:
    """Draws the table; a click on a ticker leads to its forecast."""
    st.caption(_("What to look at stands first. Click a ticker to open its forecast."))
    table = universe_table(rows, judged)
    st.dataframe(
        table.style.format({"Change": _percent}, na_rep=MISSING),
        hide_index=True,
        height="content" if len(rows) <= 15 else 560,
        column_config=_columns(),
        placeholder=MISSING,
        key="overview_table",
        alt=_("What is expected of every ticker, what needs attention first"),
    )
    ticker = opened()
    if ticker is not None:
        st.switch_page(FORECAST, query_params={TICKER: ticker})


def opened() -> str | None:
    """The ticker that was just clicked, by its name: the visitor may have sorted the rows."""
    click = st.session_state.get(OPENED)
    return str(click["label"]) if click is not None else None


def _percent(change: object) -> str:
    return signed_percent(change / 100) if isinstance(change, float) else MISSING


def universe_table(rows: Sequence[TickerRow], judged: Mapping[str, Lately | None]) -> pd.DataFrame:
    """One row a ticker, in the given order; change in percent of the last close."""
    return pd.DataFrame([_row(row, judged.get(row.ticker)) for row in rows], columns=list(_ORDER))


def _row(row: TickerRow, judged: Lately | None) -> dict[str, object]:
    told: dict[str, object] = {"Ticker": row.ticker, "Attention": concern(row)}
    if row.expectation is None:
        return told | {"Last session": row.history.last_session, "Lately": words_of(judged)}
    found = row.expectation.answer
    forecast, context = found.forecast, found.forecast.context
    low, high = forecast.interval(0.8)
    return told | {
        "Next session": session(forecast.session(1), 1),
        "Median": money(forecast.median[0], context.currency),
        "Change": 100 * row.expectation.change,
        "Interval": interval(low[0], high[0]),
        "Naive": price(found.naive.median[0]),
        "Last session": context.cutoff,
        "Closes": found.window.closes.tolist(),
        "Lately": words_of(judged),
    }


def _columns() -> dict[str, ColumnConfig | ButtonColumnResult]:
    text = st.column_config.TextColumn
    ticker = st.column_config.ButtonColumn(
        _("Ticker"),
        type="secondary",
        pinned=True,
        alignment="left",
        key=OPENED,
        help=_("Opens its forecast."),
    )
    return {
        "Ticker": ticker,
        "Attention": text(_("Needs attention"), help=_("Empty where nothing does.")),
        "Next session": text(_("Next session"), help=_("The session that is forecast.")),
        "Median": text(_("Median"), alignment="right", help=_("As likely to close above it as below.")),
        "Change": st.column_config.NumberColumn(_("Change"), help=_("From the last close to the median.")),
        "Interval": text(_("80 % interval"), alignment="right", help=_("Holds the close with 80 % probability.")),
        "Naive": text(
            _("Last close, naive"),
            alignment="right",
            help=_("The naive forecast says the last close again: what has to be beaten."),
        ),
        "Closes": st.column_config.LineChartColumn(
            _("Closes"), width=90, color=HISTORY, help=_("The closes that the model has read.")
        ),
        "Last session": st.column_config.DateColumn(_("Of"), help=_("Session of the last close.")),
        "Lately": text(
            _("How well lately"),
            width=290,
            help=_(
                "How often the 80 % interval held, of how many forecasts, and the skill against naive: of the "
                "last {sessions} sessions, or of the backtest while too few have come true."
            ).format(sessions=LATELY),
        ),
    }  # fmt: skip
