"""Try it: the last stored window of a ticker goes to the API, and what it says is shown as a program gets it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import streamlit as st

from stockcast.client.schemas import Prediction
from stockcast.errors import StockcastError, TooShortHistory
from stockcast.prices.store import StoredHistory
from stockcast.ui.api_talk import PATIENT, Answered, Failed, ask
from stockcast.ui.domain_words import told
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.figure_card import figure_card
from stockcast.ui.format import figures, glued, interval, money, session, signed_percent
from stockcast.ui.language import _
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
        ws.settings.api_url,
        universe,
        history.ticker,
        tuple(frame.close[-lookback:].tolist()),
        tuple(frame.sessions[-lookback:].astype(object).tolist()),
    )


@st.fragment
def try_it(window: AskedWindow) -> None:
    """A field for the key, a button, and the answer."""
    with boundary():
        with st.form("api_try", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
            key = st.text_input(
                _("Key"),
                type="password",
                key="api_try_key",
                width=320,
                autocomplete="off",
                placeholder=_("only where the API asks for one"),
                help=_(
                    "It is sent to the API and kept nowhere: not in the address, not in a snippet, not in a log."
                ),
            )
            asked = st.form_submit_button(
                _("Ask the API"),
                type="primary",
                icon=":material/send:",
                key="api_try_go",
                help=_("POST /predict with this window. The forecast is written into the journal, as any other."),
            )
        if asked:
            with st.spinner(_("Asking …")):
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
            _("Median, {session}").format(session=session(said.session, 1)),
            money(said.predicted_price, said.currency),
            signed_percent(said.predicted_price / last - 1),
            _("predicted_price: half of the probability lies above it, half below."),
            about=_("on the last close"),
        )
        low, high = said.interval_80
        figure_card(
            glued(_("80 % interval")),
            interval(low, high),
            _("{low} to {high}").format(
                low=signed_percent(low / last - 1, 1), high=signed_percent(high / last - 1, 1)
            ),
            _("interval_80: the close lies inside with 80 % probability."),
        )
        figure_card(
            _("Naive: no change"),
            money(said.naive_price, said.currency),
            signed_percent(said.naive_price / last - 1),
            _("naive_price: the forecast that every model has to beat."),
            about=_("on the last close"),
        )
        figure_card(
            _("Answered in"),
            f"{figures(f'{took * 1000:,.0f}')} ms",
            _("new connection"),
            _(
                "Measured here, from the first byte sent to the last one read. A client that keeps "
                "its connection waits less."
            ),
        )
    model = f"{said.model.kind} v{said.model.version}"
    st.markdown(
        _("**{model}** has spoken; the log knows this as request `{request_id}`.").format(
            model=plain(model), request_id=plain(said.request_id)
        )
    )
    if said.drift_warning:
        st.warning(
            bullets(map(told, said.drift_details)),
            title=_("drift_warning: look at the window first"),
            icon=":material/warning:",
        )
    elif said.drift_details:
        st.caption(" ".join(plain(told(detail)) for detail in said.drift_details))
    if said.stale:
        st.caption(f":material/schedule: {plain(told(said.stale))}")
    with st.expander(_("The answer as JSON"), icon=":material/data_object:"):
        st.json(said.model_dump(mode="json"))
