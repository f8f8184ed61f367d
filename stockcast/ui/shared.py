"""What all visitors share: one Workspace, and reads that are worth keeping for a moment.

Whatever is kept is keyed by all that it depends on: the home, the model version and the hash of the prices.
"""

from __future__ import annotations

import contextlib
import gc
import os
import time
from functools import lru_cache

import streamlit as st

from stockcast.errors import StockcastError
from stockcast.logs import configure_logs
from stockcast.prices.sessions import last_completed_session
from stockcast.prices.store import StoredHistory
from stockcast.registry.versions import ModelVersion
from stockcast.settings import Settings, read_settings
from stockcast.ui.language import _
from stockcast.workflows.forecast import Answer
from stockcast.workspace import Workspace


def workspace() -> Workspace:
    """The Workspace over the home that the environment names."""
    return _open(*_settings(tuple(os.environ.items()), int(time.monotonic())))


@lru_cache(maxsize=8)
def _settings(_environment: tuple[tuple[str, str], ...], _second: int) -> tuple[str, Settings]:
    """The settings and all they say, read once a second: a page asks ten times for its Workspace."""
    settings = read_settings()
    return settings.model_dump_json(), settings


@st.cache_resource(max_entries=8, show_spinner=False)
def _open(key: str, _settings: Settings) -> Workspace:
    configure_logs(_settings, "INFO")
    opened = Workspace(_settings)
    with contextlib.suppress(StockcastError):  # each page tells what is wrong
        opened.desk.look_after()  # jobs that a crash of everything has left
    opened.tracking.load()
    # Streamlit collects garbage after every run of a page or of a part of one, over all that was ever imported: a
    # quarter of a second each time. What is there by now stays anyway.
    gc.collect()
    gc.freeze()
    return opened


def champion(universe: str) -> ModelVersion:
    """The version that speaks; crowning the baseline of a new universe takes some seconds."""
    with st.spinner(_("Looking up the model that speaks …"), show_time=False):
        return workspace().champion(universe)


def answer(universe: str, history: StoredHistory, speaks: ModelVersion, *, quiet: bool = False) -> Answer:
    """The champion's forecast of a stored history, journaled before it is kept for the next visitor.

    `quiet` is for whoever tells the progress of several.
    """
    ws = workspace()
    completed = str(last_completed_session(history.exchange, ws.clock()))
    key = (str(ws.settings.home), universe, history.ticker, history.content_hash, speaks.run_id, completed)
    waiting = _("Forecasting {ticker} …").format(ticker=history.ticker)
    with contextlib.nullcontext() if quiet else st.spinner(waiting):
        found = _answer(key, ws, universe, history.ticker)
    if found.speaker.version.run_id != speaks.run_id:  # promoted in between: not what the key says
        _answer.clear(key, ws, universe, history.ticker)
    return found


@st.cache_resource(max_entries=500, show_spinner=False)
def _answer(key: tuple[str, ...], _workspace: Workspace, _universe: str, _ticker: str) -> Answer:
    return _workspace.forecast(_ticker, _universe, "page")


def loss_curve(run_id: str, metric: str) -> list[tuple[int, float]]:
    """(epoch, value) of a run that has ended, in order."""
    return _loss_curve(str(workspace().settings.home), run_id, metric)


@st.cache_data(max_entries=100, show_spinner=False)
def _loss_curve(home: str, run_id: str, metric: str) -> list[tuple[int, float]]:
    return workspace().runs.curve(run_id, metric)


def versions(universe: str) -> list[ModelVersion]:
    """The model versions of a universe, newest first, as they were at most a few seconds ago."""
    return _versions(str(workspace().settings.home), universe)


@st.cache_data(ttl=3, max_entries=50, show_spinner=False)
def _versions(home: str, universe: str) -> list[ModelVersion]:
    return workspace().versions.all(universe)


def mlflow_link(path: str) -> str | None:
    """An address inside MLflow's pages, or None when the settings name none."""
    address = workspace().settings.mlflow_ui_url
    return f"{address.rstrip('/')}/#/{path}" if address else None
