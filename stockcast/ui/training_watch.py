"""Watches one job that runs in another process: progress, a loss chart that grows, its log, and the queue.

The page only looks at the job table. Its one polling fragment lives as long as the job is active.
"""

from __future__ import annotations

import contextlib

import pandas as pd
import streamlit as st

from stockcast.errors import StockcastError
from stockcast.jobs.job import BACKTEST, EPOCH, TRAIN, Job, JobEvent
from stockcast.ui.access import acting
from stockcast.ui.chart_style import TOOL_BAR
from stockcast.ui.column_titles import localised, titled
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.format import figures, seconds
from stockcast.ui.job_parts import show_parts
from stockcast.ui.job_words import elapsed, headline, log_tail, time_left
from stockcast.ui.language import N_, _
from stockcast.ui.loss_chart import Behind, Losses, loss_chart, losses_of
from stockcast.ui.shared import loss_curve, workspace
from stockcast.workflows.job_requests import TrainRequest

JOB = "job"  # the query parameter that keeps the job over a refresh and in a second tab
# Before the first point somebody waits for it; afterwards a second is soon enough.
SOON, STEADY = "500ms", "1s"


def job_to_watch(universe: str) -> Job | None:
    """The job that the address names, else the active training of the universe, else its last one."""
    ws = workspace()
    ws.desk.look_after()
    named = st.query_params.get(JOB)
    if named:
        return ws.jobs.get(named)
    recent = ws.jobs.recent(universe, TRAIN, limit=1)
    return recent[0] if recent else None


def watch(job: Job) -> None:
    """Shows an active job again and again; the whole page runs once more when it ends."""
    waiting = not losses_of(_events(job.id)).validation
    behind = champion_behind(job.universe) if job.kind == TRAIN else None
    st.fragment(_show, run_every=SOON if waiting else STEADY)(job.id, waiting, behind)


def _show(job_id: str, waiting: bool, behind: Behind | None) -> None:
    with boundary():
        ws = workspace()
        ws.desk.look_after()
        job = ws.jobs.get(job_id)
        if not job.active:
            st.rerun()
        events = _events(job_id)
        losses = losses_of(events)
        active = ws.jobs.active(parts=False)
        before = [each.id for each in active].index(job_id) if any(each.id == job_id for each in active) else 0
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(min(job.progress, 1.0), text=_progress(job, losses, events, before))
            asked = job.cancel_requested_at is not None
            if st.button(_("Cancel"), icon=":material/cancel:", key="cancel_job", disabled=asked, width="content"):
                acting().jobs.cancel(job_id)
                st.rerun(scope="fragment")
        show_parts(ws.desk.parts.of(job_id))
        if job.kind == TRAIN and TrainRequest.from_json(job.request).config.model.kind == "lstm":
            show_epochs(losses, events, last_epoch=_last_epoch(job, events), behind=behind)
        show_log(job)
        if len(active) > 1:
            _show_queue(active)
        if waiting and losses.validation:
            st.rerun()  # to look less often from now on


def show_epochs(
    losses: Losses, events: list[JobEvent], last_epoch: int | None = None, behind: Behind | None = None
) -> None:
    """The loss chart and the epochs beside it; empty at first, so that nothing jumps when they come."""
    left, right = st.columns([2, 1])
    with left:
        logarithmic = losses.positive and st.toggle(
            _("Logarithmic loss"), key="loss_log", persist_state="session", help=_("Shows late progress better.")
        )
        st.plotly_chart(
            loss_chart(losses, last_epoch, behind=behind, logarithmic=logarithmic),
            width="stretch",
            key="loss",
            config=TOOL_BAR,
            alt=_("Loss by epoch"),
        )
    data, columns = localised(
        epoch_table(events),
        {
            "Training": st.column_config.NumberColumn(format="%.4f"),
            "Validation": st.column_config.NumberColumn(format="%.4f"),
            "Rate": st.column_config.NumberColumn(_("Learning rate"), format="%.2g"),
            "Seconds": st.column_config.NumberColumn(format="%.2f"),
        },
    )
    right.dataframe(
        data,
        hide_index=True,
        height=400,
        key="epochs",
        column_config=columns,
        alt=_("Epochs, newest first"),
    )


def epoch_table(events: list[JobEvent]) -> pd.DataFrame:
    """One row an epoch, the newest first, the best so far marked."""
    rows = [event.payload for event in events if event.kind == EPOCH]
    best = losses_of(events).best
    columns = ["Epoch", "Training", "Validation", "Best", "Rate", "Seconds"]
    return pd.DataFrame(
        [
            {
                N_("Epoch"): row["number"],
                N_("Training"): row["train_loss"],
                N_("Validation"): row["validation_loss"],
                N_("Best"): "★" if best is not None and row["number"] == best[0] else "",
                N_("Rate"): row["learning_rate"],
                N_("Seconds"): row["seconds"],
            }
            for row in reversed(rows)
        ],
        columns=columns,
    )


def show_log(job: Job) -> None:
    """The last lines of the job's log, folded away."""
    tail = log_tail(workspace().desk.runner.log_file(job.id))
    with st.expander(_("Log of job {id}").format(id=job.id), icon=":material/terminal:", key="job_log"):
        elsewhere = (
            _("Its log is on the machine {host}.").format(host=job.host)
            if job.host
            else _("It has not begun to write yet.")
        )
        st.code(elsewhere if tail is None else tail or _("The log is empty."), language=None, height=220)


def champion_behind(universe: str) -> Behind | None:
    """The curve of the network that speaks now; None when a baseline does, or MLflow does not answer."""
    with contextlib.suppress(StockcastError):
        version = workspace().versions.champion(universe)
        if version is not None:
            return curve_behind(version.label, version.run_id)
    return None


def curve_behind(label: str, run_id: str) -> Behind | None:
    """The validation curve of an earlier run, if it has one."""
    with contextlib.suppress(StockcastError):
        curve = loss_curve(run_id, "validation_loss")
        return Behind(_("Champion {label}").format(label=label), curve) if curve else None
    return None


def _show_queue(active: list[Job]) -> None:
    st.markdown(_("**In the queue**"))
    table = pd.DataFrame(
        [
            {
                N_("Work"): job.kind,
                N_("Universe"): job.universe,
                N_("State"): headline(job, before),
                N_("Progress"): 100 * job.progress,
                N_("Asked for"): job.created_at,
                N_("Job"): f"/{'backtest' if job.kind == BACKTEST else 'train'}?job={job.id}",
            }
            for before, job in enumerate(active)
        ]
    )
    st.dataframe(
        table,
        hide_index=True,
        key="queue",
        column_config=titled(
            table,
            {
                "Progress": st.column_config.ProgressColumn(format="%.0f %%", min_value=0, max_value=100),
                "Asked for": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", timezone="UTC"),
                "Job": st.column_config.LinkColumn(display_text=_("Watch")),
            },
        ),
        alt=_("Jobs that wait or run, the oldest first"),
    )


def _events(job_id: str) -> list[JobEvent]:
    """All events so far; only those are read that this session has not seen."""
    key = f"events_{job_id}"
    seen: list[JobEvent] = st.session_state.get(key, [])
    new = workspace().jobs.events(job_id, after=seen[-1].number if seen else 0)
    if new or not seen:
        for other in [name for name in st.session_state if str(name).startswith("events_") and name != key]:
            del st.session_state[other]
        st.session_state[key] = seen = [*seen, *new]
    return seen


def _progress(job: Job, losses: Losses, events: list[JobEvent], before: int) -> str:
    said = [plain(headline(job, before))]
    if losses.best is not None:
        said.append(
            _("validation loss {validation}, best {best}").format(
                validation=figures(f"{losses.validation[-1][1]:.4f}"), best=figures(f"{losses.best[1]:.4f}")
            )
        )
    left = time_left(events)
    fitting = (job.phase or "").startswith("Epoch")
    if left is not None and fitting and job.state == "running":
        said.append(_("at most {left} left").format(left=plain(seconds(left))))
    else:
        said.append(plain(elapsed(job, workspace().clock())))
    return " · ".join(said)


def _last_epoch(job: Job, events: list[JobEvent]) -> int | None:
    known = [event.payload["of"] for event in events if event.kind == EPOCH]
    if known:
        return int(str(known[-1]))
    config = job.request.get("config")
    training = config.get("training") if isinstance(config, dict) else None
    return int(str(training["max_epochs"])) if isinstance(training, dict) else None
