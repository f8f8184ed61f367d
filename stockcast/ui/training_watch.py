"""Watches one training that runs in another process: progress, a loss chart that grows, and the epochs.

The page only looks at the job table. Its one polling fragment lives as long as the job is active.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from stockcast.errors import TrainingActive
from stockcast.jobs.job import TRAIN, Job, JobEvent
from stockcast.ui.chart_style import TOOL_BAR
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.format import seconds
from stockcast.ui.loss_chart import Losses, loss_chart, losses_of
from stockcast.ui.shared import workspace

JOB = "job"  # the query parameter that keeps the job over a refresh and in a second tab


def job_to_watch(universe: str) -> Job | None:
    """The job that the address names, else the active training of the universe, else its last one."""
    ws = workspace()
    ws.desk.look_after()
    named = st.query_params.get(JOB)
    if named:
        return ws.jobs.get(named)
    recent = ws.jobs.recent(universe, TRAIN, limit=1)
    return recent[0] if recent else None


def offer_training(universe: str) -> None:
    """The button that starts a training in a process of its own; while one is active there is nothing to start."""
    ws = workspace()
    newest = ws.jobs.recent(universe, TRAIN, limit=1)
    active = bool(newest) and newest[0].active
    if not st.button(
        "Retrain",
        type="primary",
        icon=":material/model_training:",
        key="retrain",
        disabled=active,
    ):
        if active:
            st.caption(f"A training of {plain(universe)} is running: here it is.")
        return
    try:
        st.query_params[JOB] = ws.desk.submit_training(universe).id
    except TrainingActive as already:  # started elsewhere since this page was drawn
        st.query_params[JOB] = already.job_id
        st.toast("A training is running already; here it is.", icon=":material/visibility:")
    st.rerun()


@st.fragment(run_every="1s")
def watch(job_id: str) -> None:
    """Shows an active job again every second; the whole page runs once more when it ends."""
    with boundary():
        ws = workspace()
        ws.desk.look_after()
        job = ws.jobs.get(job_id)
        if not job.active:
            st.rerun()
        events = ws.jobs.events(job_id)
        losses = losses_of(events)
        st.progress(min(job.progress, 1.0), text=_progress(job, losses, events))
        show_epochs(losses, events, last_epoch=_last_epoch(events))


def show_epochs(losses: Losses, events: list[JobEvent], last_epoch: int | None = None) -> None:
    """The loss chart, and the epochs beside it."""
    if not losses.validation:
        st.skeleton(height=360)
        return
    left, right = st.columns([2, 1])
    left.plotly_chart(
        loss_chart(losses, last_epoch), width="stretch", key="loss", config=TOOL_BAR, alt="Loss by epoch"
    )
    right.dataframe(
        epoch_table(events),
        hide_index=True,
        height=360,
        key="epochs",
        column_config={
            "Training": st.column_config.NumberColumn(format="%.4f"),
            "Validation": st.column_config.NumberColumn(format="%.4f"),
            "Seconds": st.column_config.NumberColumn(format="%.2f"),
        },
        alt="Epochs, newest first",
    )


def epoch_table(events: list[JobEvent]) -> pd.DataFrame:
    """One row an epoch, the newest first, the best so far marked."""
    rows = [event.payload for event in events if event.kind == "epoch"]
    best = losses_of(events).best
    return pd.DataFrame(
        [
            {
                "Epoch": row["number"],
                "Training": row["train_loss"],
                "Validation": row["validation_loss"],
                "Best": "★" if best is not None and row["number"] == best[0] else "",
                "Seconds": row["seconds"],
            }
            for row in reversed(rows)
        ]
    )


def _progress(job: Job, losses: Losses, events: list[JobEvent]) -> str:
    elapsed = seconds((workspace().clock() - job.created_at).total_seconds())
    if losses.best is None:
        return f"Starting: the network's libraries take some seconds to load · {elapsed}"
    epoch, loss = losses.validation[-1]
    return (
        f"Epoch {epoch} of {_last_epoch(events)} · validation loss {loss:.4f} · best at epoch {losses.best[0]} · "
        f"{plain(elapsed)}"
    )


def _last_epoch(events: list[JobEvent]) -> int | None:
    known = [event.payload["of"] for event in events if event.kind == "epoch"]
    return int(str(known[-1])) if known else None
