"""What the Runs page reads of MLflow, kept for a moment and shared by all visitors.

A whole list costs MLflow about two milliseconds a run. It is read again when one of the newest runs has begun,
ended or got its verdict, when a page has changed something, and every minute.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from stockcast.registry.run_summary import RunSummary
from stockcast.registry.runs import CARD
from stockcast.registry.versions import ModelVersion
from stockcast.ui.language import _
from stockcast.ui.shared import workspace
from stockcast.workflows.model_card import CARD_FILE

MOST_RUNS = 500  # of the newest; older ones are in MLflow's own pages
_NEWEST = 8
Curve = Sequence[tuple[int, float]]  # (epoch, value), in order


def all_runs(universe: str | None, *, deleted: bool) -> tuple[RunSummary, ...]:
    """The newest runs of a universe or of all, with those that were deleted or without."""
    home = str(workspace().settings.home)
    with st.spinner(_("Reading the runs …")):
        return _all_runs(home, universe, deleted, _newest(home, universe))


@st.cache_data(ttl=3, max_entries=50, show_spinner=False)
def _newest(home: str, universe: str | None) -> tuple[tuple[str, str, str | None], ...]:
    return tuple((run.run_id, run.status, run.version) for run in workspace().runs.recent(universe, _NEWEST))


@st.cache_resource(ttl=60, max_entries=20, show_spinner=False)
def _all_runs(home: str, universe: str | None, deleted: bool, newest: object) -> tuple[RunSummary, ...]:
    return tuple(workspace().runs.recent(universe, MOST_RUNS, deleted=deleted))


def all_versions(universe: str | None) -> tuple[ModelVersion, ...]:
    """The model versions of a universe or of all, newest first."""
    return _all_versions(str(workspace().settings.home), universe)


@st.cache_resource(ttl=3, max_entries=50, show_spinner=False)
def _all_versions(home: str, universe: str | None) -> tuple[ModelVersion, ...]:
    return tuple(workspace().versions.all(universe))


def run_of(version: ModelVersion, runs: Sequence[RunSummary]) -> RunSummary:
    """The run that made a version, read by itself where it is not among those that are listed."""
    listed = next((run for run in runs if run.run_id == version.run_id), None)
    return listed or _run(str(workspace().settings.home), version.run_id)


@st.cache_resource(ttl=60, max_entries=200, show_spinner=False)
def _run(home: str, run_id: str) -> RunSummary:
    return workspace().runs.read(run_id)


def curve_of(run: RunSummary, metric: str) -> Curve:
    """A curve of a run; that of one that has ended is read once."""
    home = str(workspace().settings.home)
    return (_growing if run.ended_at is None else _ended)(home, run.run_id, metric, str(run.ended_at))


@st.cache_resource(max_entries=2000, show_spinner=False)
def _ended(home: str, run_id: str, metric: str, ended_at: str) -> Curve:
    return tuple(workspace().runs.curve(run_id, metric))


@st.cache_resource(ttl=3, max_entries=50, show_spinner=False)
def _growing(home: str, run_id: str, metric: str, ended_at: str) -> Curve:
    return tuple(workspace().runs.curve(run_id, metric))


def card_of(run_id: str) -> str | None:
    """The model card of a run as Markdown; None where it has none."""
    return _card(str(workspace().settings.home), run_id)


@st.cache_data(ttl=300, max_entries=100, show_spinner=False)
def _card(home: str, run_id: str) -> str | None:
    return workspace().runs.texts(run_id, CARD).get(CARD_FILE)


def forget() -> None:
    """After a page has changed something: the next look reads anew."""
    for kept in (_newest, _all_runs, _all_versions, _run):
        kept.clear()
