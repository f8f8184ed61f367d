"""What the Monitor page reads, kept until the journal or its outcomes change: a visit reads nothing twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import streamlit as st

from stockcast.monitoring.drift_history import DriftDay
from stockcast.monitoring.open_forecasts import OpenForecast
from stockcast.monitoring.record import TrackRecord
from stockcast.monitoring.scored import Scored
from stockcast.monitoring.track_record import track_record
from stockcast.prices.sessions import last_completed_session
from stockcast.prices.store import StoredHistory
from stockcast.ui.language import _
from stockcast.ui.shared import workspace
from stockcast.workspace import Workspace

# A record that was read while MLflow did not answer lacks the promise: it is read again by then.
_KEPT = timedelta(minutes=10)

Mark = tuple[str, int, int]  # the home, the newest row of its journal, and how many outcomes there are


def mark() -> Mark:
    """What everything here depends on."""
    ws = workspace()
    return (str(ws.settings.home), *ws.track.mark())


def live_record(
    at: Mark,
    universe: str,
    horizon: int,
    ticker: str | None = None,
    model_version: str | None = None,
    last: int | None = None,
) -> TrackRecord:
    """The track record, or a part of it."""
    with st.spinner(_("Reading the live record …")):
        return _record(at, workspace(), universe, horizon, ticker, model_version, last)


@st.cache_resource(max_entries=50, ttl=_KEPT, show_spinner=False)
def _record(
    at: Mark,
    _workspace: Workspace,
    universe: str,
    horizon: int,
    ticker: str | None,
    model_version: str | None,
    last: int | None,
) -> TrackRecord:
    scored = _scored(at, _workspace, universe, horizon)
    promised = _workspace.track.promised(universe, sorted(set(scored.versions.tolist())))
    return track_record(scored, ticker=ticker, model_version=model_version, last=last, promised=promised)


@st.cache_resource(max_entries=2, show_spinner=False)
def _scored(at: Mark, _workspace: Workspace, universe: str, horizon: int) -> Scored:
    return _workspace.track.outcomes.scored(universe, horizon=horizon)


def open_ones(at: Mark, universe: str, horizon: int) -> tuple[OpenForecast, ...]:
    """What has been said and has not come true."""
    ws = workspace()
    histories = ws.prices.list()
    stored = tuple((each.ticker, str(each.last_session)) for each in histories)
    exchanges = sorted({each.exchange for each in histories})
    completed = tuple((code, str(last_completed_session(code, ws.clock()))) for code in exchanges)
    return _open(at, ws, universe, horizon, stored, completed)


@st.cache_resource(max_entries=20, show_spinner=False)
def _open(
    at: Mark,
    _workspace: Workspace,
    universe: str,
    horizon: int,
    stored: tuple[tuple[str, str], ...],
    completed: tuple[tuple[str, str], ...],
) -> tuple[OpenForecast, ...]:
    return _workspace.track.open(universe, horizon=horizon)


def drift_days(at: Mark, universe: str, histories: Sequence[StoredHistory], sessions: int) -> tuple[DriftDay, ...]:
    """What was found at about the last `sessions` cutoffs of the stored histories."""
    since = max(history.last_session for history in histories) - timedelta(days=sessions * 7 // 5 + 15)
    return _drift(at, workspace(), universe, since)


@st.cache_resource(max_entries=20, show_spinner=False)
def _drift(at: Mark, _workspace: Workspace, universe: str, since: date) -> tuple[DriftDay, ...]:
    return _workspace.track.drift(universe, since=since)
