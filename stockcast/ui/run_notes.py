"""What people say of a run: its note, which MLflow's own pages show too, and tags to find it by."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from stockcast.registry.run_summary import RunSummary, tags_of
from stockcast.ui.access import acting
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.language import _
from stockcast.ui.registry_reads import forget


def show_notes(run: RunSummary) -> None:
    """Note and tags, where there are any."""
    said = [f":gray-badge[:material/label: {plain(label)}]" for label in run.labels]
    if run.note:
        said.append(f":material/edit_note: {plain(run.note)}")
    if said:
        st.markdown(" ".join(said))


def edit_notes(run: RunSummary, runs: Sequence[RunSummary]) -> None:
    """A folded form. Tags that any of `runs` has are proposed."""
    with (
        st.popover(_("Note and tags"), icon=":material/edit_note:", help=_("Say what this run was for.")),
        st.form(f"notes_{run.run_id}", border=False),
    ):
        note = st.text_area(
            _("Note"),
            run.note,
            key=f"note_{run.run_id}",
            max_chars=2000,
            height=110,
            placeholder=_("Half the learning rate, to see whether it stops later."),
            help=_("MLflow's own pages show it as the description."),
        )
        known = sorted({label for each in (*runs, run) for label in each.labels})
        labels = st.multiselect(
            _("Tags"),
            known,
            run.labels,
            key=f"tags_{run.run_id}",
            accept_new_options=True,
            select_all=False,
            help=_("Type a new one: a name, or name=value. The search finds them."),
        )
        asked = st.form_submit_button(_("Keep"), icon=":material/check:", key=f"keep_notes_{run.run_id}")
    if asked:
        with boundary():
            acting().runs.annotate(run.run_id, note or "", tags_of(labels))
            forget()
            st.rerun()
