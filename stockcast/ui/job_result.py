"""How a job ended: the verdict first, then the evidence, or what went wrong and how to go on."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from stockcast.evaluation.scorecard import Scorecard
from stockcast.evaluation.significance import p_text
from stockcast.jobs.job import FETCH, TRAIN, Job
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.format import seconds, signed_percent
from stockcast.ui.loss_chart import losses_of
from stockcast.ui.router import BACKTEST, FORECAST
from stockcast.ui.scorecard_table import show_scorecard, show_tickers
from stockcast.ui.shared import mlflow_link, workspace
from stockcast.ui.training_watch import JOB, curve_behind, show_epochs, show_log
from stockcast.workflows.training_result import TrainingResult

_WORK = {"train": "training", "fetch": "download", "backtest": "backtest", "evaluate": "evaluation"}


def show_ended(job: Job) -> None:
    """A job that is over, whatever became of it."""
    if job.state != "succeeded":
        _show_failure(job)
    elif job.kind == TRAIN:
        _show_training(job, TrainingResult.from_json(job.result or {}))
    elif job.kind == FETCH:
        _show_download(job)
    else:
        _show_scores(job)


def work_of(job: Job) -> str:
    """What a job does, as a noun."""
    return _WORK.get(job.kind, job.kind)


def _show_training(job: Job, result: TrainingResult) -> None:
    show, icon = (st.success, ":material/campaign:") if result.promoted else (st.info, ":material/front_hand:")
    role = "champion" if result.promoted else "challenger"
    show(
        f"It became the {role} of the universe {plain(job.universe)}.\n{bullets(result.reasons)}",
        title=result.verdict,
        icon=icon,
    )
    _links(result)
    st.subheader("Against the naive forecast")
    show_scorecard(result.scorecard, result.label)
    left, right = st.columns([1, 2])
    with left:
        st.markdown("**Against each opponent** (CRPS)")
        st.table(_opponents(result), border="horizontal", hide_index=True)
    with right:
        st.markdown("**Ticker by ticker**")
        show_tickers(result.scorecard)
    if result.left_out:
        st.caption("Left out: " + " ".join(plain(reason) for reason in result.left_out.values()))
    st.subheader("How it learnt")
    events = workspace().jobs.events(job.id)
    losses, before = losses_of(events), result.champion_before
    if losses.validation:
        show_epochs(losses, events, behind=curve_behind(before.label, before.run_id))
    else:
        st.caption("Not step by step: it was fitted in one go.")
    for event in events:
        if event.kind == "note":
            st.caption(plain(str(event.payload["sentence"])))
    attempts = f" in {job.attempt} attempts" if job.attempt > 1 else ""
    st.caption(f"Took {_took(job)}{attempts}; job {job.id}.")
    show_log(job)


def _links(result: TrainingResult) -> None:
    with st.container(horizontal=True):
        st.page_link(FORECAST, label="Read the forecast", icon=":material/show_chart:")
        address = mlflow_link(f"experiments/{result.experiment_id}/runs/{result.run_id}")
        if address:
            st.page_link(address, label="Open the run in MLflow", icon=":material/open_in_new:")


def _opponents(result: TrainingResult) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Opponent": each.opponent,
                "Skill": signed_percent(each.skill),
                "Diebold-Mariano": p_text(each.dm_p_value),
            }
            for each in result.comparisons
        ]
    )


def _show_download(job: Job) -> None:
    result = job.result or {}
    stored, failed = result.get("stored"), result.get("failed")
    st.success(bullets(map(str, stored if isinstance(stored, list) else [])), title="The download is done")
    if isinstance(failed, dict) and failed:
        st.warning(bullets(f"{ticker}: {why}" for ticker, why in failed.items()), title="These failed")
    show_log(job)


def _show_scores(job: Job) -> None:
    result = job.result or {}
    if "diagnosis" in result:
        st.page_link(
            BACKTEST,
            label="See how good the forecasts were",
            icon=":material/fact_check:",
            query_params={JOB: job.id},
        )
    card = result.get("scorecard")
    st.success(f"Took {_took(job)}; job {job.id}.", title=f"The {work_of(job)} of {plain(job.universe)} is done")
    if isinstance(card, dict):
        scorecard = Scorecard.from_json(card)
        show_scorecard(scorecard, plain(str(result.get("model", scorecard.forecaster))))
        show_tickers(scorecard)
    show_log(job)


def _show_failure(job: Job) -> None:
    show, ended = {
        "cancelled": (st.info, "was cancelled"),
        "interrupted": (st.warning, "was interrupted"),
    }.get(job.state, (st.error, "failed"))
    show(
        f"{plain(job.error or 'No reason was left.')}  \n{plain(job.hint or '')}",
        title=f"The {work_of(job)} {ended}",
        icon=":material/cancel:" if job.state == "cancelled" else ":material/error:",
    )
    again = st.button(
        "Try again",
        icon=":material/replay:",
        key="retry_job",
        help="It goes on from its last checkpoint, with the configuration that it was asked for with.",
    )
    if again:
        st.query_params[JOB] = workspace().desk.retry(job.id).id
        st.rerun()
    events = workspace().jobs.events(job.id)
    if losses_of(events).validation:
        show_epochs(losses_of(events), events)
    show_log(job)


def _took(job: Job) -> str:
    if job.started_at is None or job.finished_at is None:
        return "no time"
    return plain(seconds((job.finished_at - job.started_at).total_seconds()))
