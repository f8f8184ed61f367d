"""The Monitor page in its order: the answer, what rings, the figures behind it, drift, and what is still open."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from stockcast.monitoring.open_forecasts import OpenForecast
from stockcast.monitoring.record import LiveScores, TrackRecord
from stockcast.prices.store import StoredHistory
from stockcast.ui.error_boundary import boundary
from stockcast.ui.format import count
from stockcast.ui.language import _
from stockcast.ui.monitor_alerts import show_alerts
from stockcast.ui.monitor_drift import MOST_CUTOFFS, show_drift
from stockcast.ui.monitor_empty import show_nothing_yet
from stockcast.ui.monitor_filters import Chosen, choose_part, horizon_in_address
from stockcast.ui.monitor_tables import show_left_out, show_open, show_tickers, show_versions
from stockcast.ui.monitor_view import show_cards, show_pictures, show_verdict
from stockcast.ui.shared import workspace
from stockcast.ui.track_reads import Mark, drift_days, live_record, mark, open_ones


def show_monitor(universe: str, histories: Sequence[StoredHistory]) -> None:
    """Everything about the live record of a universe. `histories` must not be empty."""
    at, horizon = mark(), horizon_in_address()
    whole = live_record(at, universe, horizon)
    waiting = open_ones(at, universe, horizon)
    answer = st.container()  # the answer stands above the filters that it depends on
    chosen = choose_part(whole) if whole.scores or horizon > 1 else Chosen(None, None, None)
    record = whole
    if not chosen.whole:
        record = live_record(at, universe, horizon, chosen.ticker, chosen.model_version, chosen.last)
    waiting = tuple(each for each in waiting if chosen.holds(each))
    with answer:
        _answer(record, waiting, chosen, histories)
    with boundary():
        show_alerts(universe, chosen.ticker, quiet=record.scores is None)
    if record.scores is not None:
        _record(record, record.scores)
    st.subheader(_("Does the input still look like what it has learnt?"))
    with boundary():
        show_drift(drift_days(at, universe, histories, MOST_CUTOFFS), chosen.ticker, chosen.last)
    if waiting:
        st.subheader(_("What is still open?"))
        show_open(waiting)
    _rest(at, record, universe, chosen)


def _answer(
    record: TrackRecord, waiting: Sequence[OpenForecast], chosen: Chosen, histories: Sequence[StoredHistory]
) -> None:
    if record.scores is not None:
        show_verdict(record, record.scores)
        show_cards(record.scores, record.promise, waiting)
    elif chosen.whole:
        show_nothing_yet(record, waiting, histories)
    else:
        st.info(_("Nothing that counts has come true in this part of the record."), icon=":material/filter_alt:")


def _record(record: TrackRecord, scores: LiveScores) -> None:
    show_pictures(record, scores)
    if len(record.tickers) > 1:
        st.subheader(_("Which ticker needs a look?"))
        show_tickers(record.tickers)
    st.subheader(_("What was each version worth?"))
    show_versions(record.versions)


def _rest(at: Mark, record: TrackRecord, universe: str, chosen: Chosen) -> None:
    """What does not count, and everything as a file."""
    if record.left_out.count:
        title = _("What does not count, and why ({forecasts})").format(
            forecasts=count(record.left_out.count, "forecast", "forecasts")
        )
        with st.expander(title, icon=":material/rule:"):
            show_left_out(record.left_out)
    if not any(at[1:]):
        return
    name = f"journal-{universe}" + (f"-{chosen.ticker}" if chosen.ticker else "")
    st.download_button(
        _("Download the journal as CSV"),
        lambda: workspace().track.export(universe, chosen.ticker).content,
        file_name=f"{name.replace('^', '').replace('=', '-')}.csv",
        mime="text/csv",
        icon=":material/download:",
        key="journal_csv",
        on_click="ignore",
        help=_("Every forecast as it was said, with what came true of it; one row a forecast and session ahead."),
    )
