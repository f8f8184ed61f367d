"""What the champion expects next, ticker by ticker: the forecasts themselves, and a card for each of a few."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from stockcast.errors import StockcastError
from stockcast.monitoring.acknowledgements import Acknowledgement
from stockcast.monitoring.findings import Finding
from stockcast.prices.store import StoredHistory
from stockcast.registry.versions import ModelVersion
from stockcast.ui.drift_overview import TickerDrift
from stockcast.ui.escaping import plain
from stockcast.ui.format import interval, money, price, session, signed_percent
from stockcast.ui.language import _
from stockcast.ui.router import FORECAST
from stockcast.ui.selection import TICKER
from stockcast.ui.shared import answer, workspace
from stockcast.workflows.forecast import Answer

MOST_CARDS = 6
_PATIENCE = 0.3  # seconds that a visitor waits without being told for what


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

    @property
    def change(self) -> float:
        """From the last close to the median of the next one, as a share of the last close."""
        forecast = self.answer.forecast
        return float(forecast.median[0] / forecast.context.last_close - 1)

    @property
    def width(self) -> float:
        """Of the 80 % interval of the next close, as a share of the last close."""
        low, high = self.answer.forecast.interval(0.8)
        return float((high[0] - low[0]) / self.answer.forecast.context.last_close)


def gather(
    universe: str, histories: Sequence[StoredHistory], speaks: ModelVersion
) -> tuple[list[Expectation], dict[str, StockcastError]]:
    """The champion's forecasts, and the tickers that it cannot speak about with the reason.

    Each is kept until its prices or the champion change; a bar tells how far it is where that takes a while.
    """
    found: list[Expectation] = []
    failed: dict[str, StockcastError] = {}
    began, place, alerts = time.monotonic(), st.empty(), workspace().alerts
    for done, history in enumerate(histories):
        if time.monotonic() - began > _PATIENCE:
            text = _("Forecasting {ticker}: {done} of {all} done").format(
                ticker=plain(history.ticker), done=done, all=len(histories)
            )
            place.progress(done / len(histories), text)
        try:
            said = answer(universe, history, speaks, quiet=len(histories) > 1)
            told = alerts.sift(said.drift, universe, history.ticker, said.forecast.context.cutoff)
            found.append(Expectation(history, replace(said, drift=told.shown), told.acknowledged))
        except StockcastError as problem:
            failed[history.ticker] = problem
    place.empty()
    return found, failed


def show_cards(expectations: Sequence[Expectation]) -> None:
    """Cards with a sparkline of the window that was read; nothing where there are more than a glance holds."""
    if len(expectations) > MOST_CARDS:
        return
    with st.grid(3, min_column_width=260, gap="medium"):
        for expectation in expectations:
            _card(expectation)


def _card(expectation: Expectation) -> None:
    found = expectation.answer
    forecast, context = found.forecast, found.forecast.context
    low, high = forecast.interval(0.8)
    with st.container(border=True, gap="small"):
        st.metric(
            f"{plain(expectation.history.ticker)} · {session(forecast.session(1), 1)}",
            money(forecast.median[0], context.currency),
            interval(low[0], high[0]),
            delta_description=_("80 % interval"),
            delta_color="off",
            delta_arrow="off",
            chart_data=found.window.closes.tolist(),
            chart_type="line",
            help=_(
                "Median of the next close, and the range that holds it with 80 % probability. The line shows the "
                "closes that the model has read."
            ),
        )
        st.caption(
            _("{change} from {close} on {date}  \nNaive {naive}").format(
                change=signed_percent(expectation.change),
                close=price(context.last_close),
                date=context.cutoff,
                naive=price(found.naive.median[0]),
            )
        )
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.page_link(
                FORECAST,
                label=_("The whole forecast"),
                icon=":material/arrow_forward:",
                query_params={TICKER: expectation.history.ticker},
            )
            if found.drift.warning:
                st.badge(
                    _("Check the input"), icon=":material/warning:", color="orange",
                    help=_("See the Forecast page."),
                )  # fmt: skip
