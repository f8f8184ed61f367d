"""The Runs page in its order: the answer, every run, what is selected of them, and the versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from stockcast.registry.run_summary import RunSummary
from stockcast.registry.versions import CHAMPION, ModelVersion
from stockcast.ui import mlflow_links
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.format import count
from stockcast.ui.language import _
from stockcast.ui.registry_reads import MOST_RUNS, all_runs, all_versions
from stockcast.ui.router import OVERVIEW
from stockcast.ui.run_comparison_view import compare, pinned
from stockcast.ui.run_deletion import offer_deletion
from stockcast.ui.run_view import show_run
from stockcast.ui.run_words import OUTCOMES, by_run, outcome
from stockcast.ui.runs_filter import choose_filter, wants_all_universes, wants_deleted
from stockcast.ui.runs_table import address_id, choose_runs
from stockcast.ui.shared import workspace
from stockcast.ui.versions_view import show_versions


def show_runs(universe: str) -> None:
    """What was tried in a universe, or in all of them."""
    several = len(workspace().universes()) > 1
    asked = None if several and wants_all_universes() else universe
    runs, made = all_runs(asked, deleted=wants_deleted()), all_versions(asked)
    if not runs and not made and asked is not None:
        st.info(_("No run yet. The first one is made when prices are stored."), icon=":material/history:")
        st.page_link(OVERVIEW, label=_("Start on the Overview"), icon=":material/arrow_forward:")
        if not several and not wants_deleted():
            return
    _answer(runs, made, asked)
    found = choose_filter(several_universes=several).chosen(runs, by_run(made))
    if found:
        with boundary():
            _selected(runs, choose_runs(found, made, several_universes=asked is None), found[0], made)
    elif runs:
        st.info(
            _("None of the {runs} fits.").format(runs=count(len(runs), "run", "runs")),
            icon=":material/filter_alt:",
        )
    of_universe = all_versions(universe)
    if of_universe:
        st.subheader(_("Which version speaks, and which could?"))
        with boundary():
            show_versions(of_universe, runs)
    mlflow_links.hint()


def _answer(runs: Sequence[RunSummary], versions: Sequence[ModelVersion], universe: str | None) -> None:
    made = by_run(versions)
    there = [run for run in runs if not run.deleted]
    counts = Counter(outcome(run, made.get(run.run_id)) for run in there)
    parts = ", ".join(f"{counts[name]} {_(name)}" for name in OUTCOMES if counts[name])
    if universe is None:
        said = _("**{runs}** of all universes: {parts}.") if parts else _("**{runs}** of all universes.")
    else:
        said = (
            _("**{runs}** of the universe {universe}: {parts}.")
            if parts
            else _("**{runs}** of the universe {universe}.")
        )
    speak = [plain(version.label) for version in versions if CHAMPION in version.aliases]
    voice = _("**{model}** speaks.").format(model=speak[0]) if universe is not None and speak else ""
    told_of = said.format(runs=count(len(there), "run", "runs"), universe=plain(universe or ""), parts=parts)
    st.markdown(" ".join(filter(None, (told_of, voice))))
    if len(runs) >= MOST_RUNS:
        st.caption(
            _("The newest {most_runs} are listed; MLflow's own pages have the older ones.").format(
                most_runs=MOST_RUNS
            )
        )


def _selected(
    runs: Sequence[RunSummary], ids: Sequence[str], first: RunSummary, versions: Sequence[ModelVersion]
) -> None:
    chosen = [run for run in runs if address_id(run) in ids]
    missing = len(ids) - len(chosen)
    if missing:
        st.caption(
            _("Not listed here, so deleted or of another universe: {runs} of this address.").format(
                runs=count(missing, "run", "runs")
            )
        )
    if not ids:
        st.caption(_("Select a run to read what it came to, or several to compare them. This is the first one:"))
    if not chosen:
        chosen = [first]
    fixed = pinned(runs)
    if len(chosen) > 1:
        st.subheader(_("How do these {chosen} runs differ?").format(chosen=len(chosen)))
        offer_deletion(chosen, versions)
        compare(chosen, fixed, versions)
        return
    show_run(chosen[0], runs, versions)
    if fixed is not None and fixed != chosen[0]:
        st.subheader(_("How does it differ from the baseline?"))
        compare(chosen, fixed, versions)
