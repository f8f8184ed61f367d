"""The section of the Train page in which better settings are searched for; drawn when somebody opens it."""

from __future__ import annotations

import streamlit as st

from stockcast.config_versions import ConfigVersion
from stockcast.jobs.job import TUNE, Job
from stockcast.jobs.tuning import Search
from stockcast.ui.access import acting
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.format import figures
from stockcast.ui.job_parts import show_parts
from stockcast.ui.job_words import elapsed, headline
from stockcast.ui.language import _
from stockcast.ui.shared import workspace
from stockcast.ui.tuning_start import tuning_form
from stockcast.ui.tuning_view import show_search, show_trials

_LOOK = "2s"


def tuning_section(current: ConfigVersion, named: Job | None) -> None:
    """`named` is the search that the address names, if it names one; then the section is open."""
    with st.expander(
        _("Search for better settings"),
        key="search",
        icon=":material/manage_search:",
        expanded=named is not None,
        on_change="rerun",
    ) as folded:
        if not folded.open:
            return
        with boundary():
            job = named or _last(current.universe)
            running = job is not None and job.active
            tuning_form(current, disabled=running)
            if job is None:
                return
            st.divider()
            if running:
                st.fragment(_watch, run_every=_LOOK)(job.id)
            else:
                ws = workspace()
                its = current if job.universe == current.universe else ws.configs.current(job.universe)
                show_search(ws.desk.search(job.id), its)


def _last(universe: str) -> Job | None:
    recent = workspace().jobs.recent(universe, TUNE, limit=1)
    return recent[0] if recent else None


def _watch(job_id: str) -> None:
    with boundary():
        ws = workspace()
        ws.desk.look_after()
        search = ws.desk.search(job_id)
        if not search.job.active:
            st.rerun()
        active = [job.id for job in ws.jobs.active(parts=False)]
        before = active.index(job_id) if job_id in active else 0
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(min(search.job.progress, 1.0), text=_progress(search, before))
            asked = search.job.cancel_requested_at is not None
            if st.button(
                _("Cancel"), icon=":material/cancel:", key="cancel_search", disabled=asked, width="content"
            ):
                acting().jobs.cancel(job_id)
                st.rerun(scope="fragment")
        show_parts(ws.desk.parts.of(job_id))
        show_trials(search)


def _progress(search: Search, before: int) -> str:
    said = [plain(headline(search.job, before))]
    best = search.found.best
    if best is not None and best.value is not None:
        said.append(_("best loss so far {loss}").format(loss=figures(f"{best.value:.4f}")))
    said.append(plain(elapsed(search.job, workspace().clock())))
    return " · ".join(said)
