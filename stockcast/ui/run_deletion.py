"""Runs put out of sight and brought back, each after a word of warning."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from stockcast.registry.run_summary import RunSummary
from stockcast.registry.versions import ModelVersion
from stockcast.ui.access import acting
from stockcast.ui.domain_words import told
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.format import count
from stockcast.ui.language import _
from stockcast.ui.registry_reads import forget
from stockcast.ui.row_choice import ask
from stockcast.ui.run_words import run_labels
from stockcast.ui.runs_table import RUNS
from stockcast.ui.shared import workspace
from stockcast.workflows.delete_run import delete_run, restore_run, why_it_stays


def offer_deletion(runs: Sequence[RunSummary], versions: Sequence[ModelVersion]) -> None:
    """Deletes those of the runs that may go, and restores those that are gone."""
    gone = [run for run in runs if run.deleted]
    there = [run for run in runs if not run.deleted]
    if gone and st.button(
        _("Restore") if len(runs) == 1 else _("Restore {runs}").format(runs=count(len(gone), "run", "runs")),
        icon=":material/restore_from_trash:",
        key="restore_runs",
        help=_("They are listed again."),
    ):
        with boundary():
            for run in gone:
                restore_run(acting().runs, run.run_id)
            forget()
            st.rerun()
    if there:
        _offer(there, versions)


def _offer(runs: Sequence[RunSummary], versions: Sequence[ModelVersion]) -> None:
    stay = [must for run in runs if (must := why_it_stays(run, _of_universe(run, versions)))]
    free = [run for run in runs if why_it_stays(run, _of_universe(run, versions)) is None]
    with st.popover(_("Delete"), icon=":material/delete:", help=_("Puts it out of sight; it can be restored.")):
        for message, way_out in stay:
            st.markdown(f":material/lock: {plain(told(message))} {plain(told(way_out))}")
        if not free:
            return
        st.markdown(
            _("**{runs} will be deleted:**").format(runs=count(len(free), "run", "runs"))
            + f"\n{bullets(run_labels(free))}"
        )
        st.caption(
            _(
                "Nothing else changes: versions stay registered, and *Show deleted* brings runs back "
                "into view to be restored. Only MLflow's own `mlflow gc` removes them for good."
            )
        )
        if st.button(_("Yes, delete"), type="primary", icon=":material/delete:", key="delete_runs"):
            with boundary():
                for run in free:
                    delete_run(acting().runs, workspace().versions, run.run_id)
                forget()
                ask(RUNS, [])
                st.rerun()


def _of_universe(run: RunSummary, versions: Sequence[ModelVersion]) -> list[ModelVersion]:
    """The versions of the same model."""
    names = {version.name for version in versions if version.run_id == run.run_id}
    return [version for version in versions if version.name in names]
