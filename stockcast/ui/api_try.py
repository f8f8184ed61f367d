"""Try it: the last stored window of a ticker goes to the API, and what it says is shown as a program gets it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import streamlit as st

from stockcast.client.schemas import Prediction
from stockcast.errors import StockcastError, TooShortHistory
from stockcast.prices.store import StoredHistory
from stockcast.ui.api_talk import PATIENT, Answered, Failed, ask
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.figure_card import figure_card
from stockcast.ui.format import interval, money, session, signed_percent
from stockcast.ui.shared import workspace


@dataclass(frozen=True)
class AskedWindow:
    """What is sent: the last closes of a ticker with their sessions, oldest first."""

    address: str
    universe: str
    ticker: str
    closes: tuple[float, ...]
    sessions: tuple[date, ...]


def last_window(history: StoredHistory, universe: str) -> AskedWindow:
    """As many closes as the champion reads. Raises TooShortHistory."""
    ws = workspace()
    try:
        lookback = ws.speaker(universe).forecaster.lookback
    except StockcastError:  # MLflow is away, and the API goes on without it
        lookback = ws.config(universe).windows.lookback
    frame = ws.prices.load(history.ticker)
    if len(frame) < lookback:
        raise TooShortHistory(
            f"{history.ticker} has {len(frame)} sessions; a forecast needs at least {lookback}.",
            "Choose another ticker, or get a longer history.",
        )
    return AskedWindow(
        ws.settings.api_url, universe, history.ticker, tuple(frame.close[-lookback:].tolist()),
        tuple(frame.sessions[-lookback:].astype(object).tolist()),
    )  # fmt: skip


@st.fragment
def try_it(window: AskedWindow) -> None:
    """A field for the key, a button, and the answer."""
    with boundary():
        with st.form("api_try", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
            key = st.text_input(
                "Key", type="password", key="api_try_key", width=320, autocomplete="off",
                placeholder="only where the API asks for one",
                help="It is sent to the API and kept nowhere: not in the address, not in a snippet, not in a log.",
            )  # fmt: skip
            asked = st.form_submit_button(
                "Ask the API", type="primary", icon=":material/send:", key="api_try_go",
                help="POST /predict with this window. The forecast is written into the journal, as any other.",
            )  # fmt: skip
        if asked:
            with st.spinner("Asking …"):
                found = _predict(window, (key or "").strip() or None)
            if isinstance(found, Failed):
                show_failure(found)
            else:
                _show(found.said, window, found.seconds)


def _predict(window: AskedWindow, key: str | None) -> Answered[Prediction] | Failed:
    return ask(
        window.address,
        lambda api: api.predict(window.closes, window.ticker, window.sessions, window.universe),
        key,
        PATIENT,
    )


def show_failure(failed: Failed) -> None:
    """What the API said instead of an answer, or why it said nothing."""
    show, icon = (st.error, ":material/block:") if failed.refused else (st.warning, ":material/power_off:")
    show(f"{plain(failed.message)}  \n{plain(failed.hint)}", title=failed.title, icon=icon)


def _show(said: Prediction, window: AskedWindow, took: float) -> None:
    last = window.closes[-1]
    with st.grid(4, min_column_width=150, gap="medium"):
        figure_card(
            f"Median, {session(said.session, 1)}",
            money(said.predicted_price, said.currency),
            signed_percent(said.predicted_price / last - 1),
            "predicted_price: half of the probability lies above it, half below.",
            about="on the last close",
        )
        low, high = said.interval_80
        figure_card(
            "80\N{NO-BREAK SPACE}% interval",
            interval(low, high),
            f"{signed_percent(low / last - 1, 1)} to {signed_percent(high / last - 1, 1)}",
            "interval_80: the close lies inside with 80 % probability.",
        )
        figure_card(
            "Naive: no change",
            money(said.naive_price, said.currency),
            signed_percent(said.naive_price / last - 1),
            "naive_price: the forecast that every model has to beat.",
            about="on the last close",
        )
        figure_card(
            "Answered in", f"{took * 1000:.0f} ms", "new connection",
            "Measured here, from the first byte sent to the last one read. A client that keeps its connection "
            "waits less.",
        )  # fmt: skip
    model = f"{said.model.kind} v{said.model.version}"
    st.markdown(f"**{plain(model)}** has spoken; the log knows this as request `{plain(said.request_id)}`.")
    if said.drift_warning:
        st.warning(
            bullets(said.drift_details),
            title="drift_warning: look at the window first",
            icon=":material/warning:",
        )
    elif said.drift_details:
        st.caption(" ".join(map(plain, said.drift_details)))
    if said.stale:
        st.caption(f":material/schedule: {plain(said.stale)}")
    with st.expander("The answer as JSON", icon=":material/data_object:"):
        st.json(said.model_dump(mode="json"))
