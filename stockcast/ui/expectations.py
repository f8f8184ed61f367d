"""What the champion expects next, ticker by ticker: cards for a few, a table for many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from stockcast.errors import StockcastError
from stockcast.monitoring.acknowledgements import Acknowledgement
from stockcast.monitoring.findings import Finding
from stockcast.prices.store import StoredHistory
from stockcast.registry.versions import ModelVersion
from stockcast.ui.drift_overview import TickerDrift
from stockcast.ui.escaping import plain
from stockcast.ui.format import interval, money, price, session
from stockcast.ui.router import FORECAST
from stockcast.ui.selection import TICKER
from stockcast.ui.shared import answer, workspace
from stockcast.workflows.forecast import Answer

MOST_CARDS = 6


@dataclass(frozen=True, eq=False)
class Expectation:
    """One ticker's forecast with where its prices came from; its drift report is without what was acknowledged."""

    history: StoredHistory
    answer: Answer
    acknowledged: tuple[tuple[Finding, Acknowledgement], ...] = ()

    @property
    def drift(self) -> TickerDrift:
        """What was found of the prices."""
        return TickerDrift(self.history.ticker, self.answer.drift, self.acknowledged)


def gather(
    universe: str, histories: Sequence[StoredHistory], speaks: ModelVersion
) -> tuple[list[Expectation], dict[str, StockcastError]]:
    """The champion's forecasts, and the tickers that it cannot speak about with the reason."""
    found: list[Expectation] = []
    failed: dict[str, StockcastError] = {}
    for history in histories:
        try:
            said = answer(universe, history, speaks)
            told = workspace().alerts.sift(said.drift, universe, history.ticker, said.forecast.context.cutoff)
            found.append(Expectation(history, replace(said, drift=told.shown), told.acknowledged))
        except StockcastError as problem:
            failed[history.ticker] = problem
    return found, failed


def show_expectations(expectations: Sequence[Expectation]) -> None:
    """Cards with a sparkline of the window that was read, or a table of the same."""
    if len(expectations) > MOST_CARDS:
        st.dataframe(
            expectation_table(expectations), hide_index=True, column_config=_columns(), alt="Expected closes"
        )
        return
    with st.grid(3, min_column_width=260, gap="medium"):
        for expectation in expectations:
            _card(expectation)


def _card(expectation: Expectation) -> None:
    found = expectation.answer
    forecast, context = found.forecast, found.forecast.context
    low, high = forecast.interval(0.8)
    with st.container(border=True):
        st.metric(
            f"{plain(expectation.history.ticker)} · {session(forecast.session(1), 1)}",
            money(forecast.median[0], context.currency),
            interval(low[0], high[0]),
            delta_description="80 % interval",
            delta_color="off",
            delta_arrow="off",
            chart_data=found.window.closes.tolist(),
            chart_type="line",
            help="Median of the next close, and the range that holds it with 80 % probability. The line shows the "
            "closes that the model has read.",
        )
        st.caption(
            f"Naive {price(found.naive.median[0])} · last close {price(context.last_close)} on {context.cutoff}"
        )
        st.page_link(
            FORECAST,
            label="The whole forecast",
            icon=":material/arrow_forward:",
            query_params={TICKER: expectation.history.ticker},
        )
        if found.drift.warning:
            st.badge("Check the input", icon=":material/warning:", color="orange", help="See the Forecast page.")


def expectation_table(expectations: Sequence[Expectation]) -> pd.DataFrame:
    """One row a ticker."""
    rows = []
    for expectation in expectations:
        forecast, context = expectation.answer.forecast, expectation.answer.forecast.context
        low, high = forecast.interval(0.8)
        rows.append(
            {
                "Ticker": expectation.history.ticker,
                "Closes": expectation.answer.window.closes.tolist(),
                "Last session": context.cutoff,
                "Last close": context.last_close,
                "Next session": forecast.session(1),
                "Median": forecast.median[0],
                "80 % interval": interval(low[0], high[0]),
                "Naive": expectation.answer.naive.median[0],
                "Currency": context.currency,
                "Width": 100 * (high[0] - low[0]) / context.last_close,
                "Input": {"healthy": "", "info": "changed regime"}.get(
                    expectation.answer.drift.severity, "check the data"
                ),
            }
        )
    return pd.DataFrame(rows)


def _columns() -> dict[str, ColumnConfig]:
    number = st.column_config.NumberColumn
    return {
        "Closes": st.column_config.LineChartColumn(help="The closes that the model has read."),
        "Last close": number(format="%.2f"),
        "Median": number(format="%.2f"),
        "Naive": number(format="%.2f"),
        "Width": number(format="%.1f %%", help="Width of the 80 % interval in percent of the last close."),
    }
