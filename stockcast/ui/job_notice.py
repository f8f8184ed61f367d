"""On every page: that something is being trained, and a word when it has ended."""

from __future__ import annotations

import streamlit as st

from stockcast.jobs.job import BACKTEST, TRAIN, Job
from stockcast.ui.domain_words import told
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.job_result import work_of
from stockcast.ui.job_words import headline
from stockcast.ui.language import _
from stockcast.ui.router import BACKTEST as BACKTEST_PAGE
from stockcast.ui.router import TRAIN as TRAIN_PAGE
from stockcast.ui.shared import workspace
from stockcast.ui.training_watch import JOB
from stockcast.workflows.training_result import TrainingResult

_SEEN = "jobs_seen_active"


def job_notice(page: str) -> None:
    """Tells of jobs that ended since this visitor saw them run; looks again only while one does.

    The Train page and the Backtest page watch their job themselves, so that no page looks twice.
    """
    active = workspace().jobs.active(parts=False)
    watches = page == "train" or (page == "backtest" and any(job.kind == BACKTEST for job in active))
    for ended in set(st.session_state.get(_SEEN, ())) - {job.id for job in active}:
        if not (page in ("train", "backtest") and st.query_params.get(JOB) == ended):
            job = workspace().jobs.get(ended)
            st.toast(ending(job), icon=_icon(job), duration="long")
    st.session_state[_SEEN] = [job.id for job in active]
    if active and not watches:
        st.fragment(_follow, run_every="2s")()


def ending(job: Job) -> str:
    """How a job ended, in one sentence."""
    if job.state == "succeeded":
        if job.kind == TRAIN:
            return plain(
                _("Training of {universe}: {verdict}").format(
                    universe=job.universe, verdict=told(TrainingResult.from_json(job.result or {}).verdict)
                )
            )
        return plain(_("The {work} of {universe} is done.").format(work=work_of(job), universe=job.universe))
    ended = {
        "cancelled": _("The {work} of {universe} was cancelled."),
        "interrupted": _("The {work} of {universe} was interrupted."),
    }.get(job.state, _("The {work} of {universe} failed."))
    said = ended.format(work=work_of(job), universe=job.universe)
    return plain(f"{said} {told(job.error or '')}")


def _follow() -> None:
    with boundary():
        ws = workspace()
        ws.desk.look_after()
        active = ws.jobs.active(parts=False)
        if set(st.session_state.get(_SEEN, ())) - {job.id for job in active}:
            st.rerun()
        if active:
            job = active[0]
            what = _("{work} of {universe}: {headline}").format(
                work=work_of(job).capitalize(), universe=plain(job.universe), headline=plain(headline(job, 0))
            )
            more = _("{count} more").format(count=len(active) - 1) if len(active) > 1 else ""
            st.progress(min(job.progress, 1.0), text=" · ".join(filter(None, (what, more))))
            shown_on = BACKTEST_PAGE if job.kind == BACKTEST else TRAIN_PAGE
            st.page_link(shown_on, label=_("Watch it"), icon=":material/visibility:", query_params={JOB: job.id})


def _icon(job: Job) -> str:
    return ":material/check_circle:" if job.state == "succeeded" else ":material/error:"
