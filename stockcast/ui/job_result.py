"""How a job ended: the verdict first, then the evidence, or what went wrong and how to go on."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from stockcast.evaluation.scorecard import Scorecard
from stockcast.evaluation.significance import p_text
from stockcast.jobs.job import FETCH, TRAIN, Job
from stockcast.ui.access import acting
from stockcast.ui.column_titles import headed
from stockcast.ui.domain_words import told
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.format import seconds, signed_percent
from stockcast.ui.language import N_, _
from stockcast.ui.loss_chart import losses_of
from stockcast.ui.router import BACKTEST, FORECAST
from stockcast.ui.scorecard_table import show_scorecard, show_tickers
from stockcast.ui.shared import mlflow_link, workspace
from stockcast.ui.training_watch import JOB, curve_behind, show_epochs, show_log
from stockcast.workflows.training_result import TrainingResult

_WORK = {
    "train": N_("training"),
    "fetch": N_("download"),
    "backtest": N_("backtest"),
    "evaluate": N_("evaluation"),
    "tune": N_("search for better settings"),
}


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
    return _(_WORK.get(job.kind, job.kind))


def _show_training(job: Job, result: TrainingResult) -> None:
    show, icon = (st.success, ":material/campaign:") if result.promoted else (st.info, ":material/front_hand:")
    became = (
        _("It became the champion of the universe {universe}.")
        if result.promoted
        else _("It became the challenger of the universe {universe}.")
    )
    show(
        f"{became.format(universe=plain(job.universe))}\n{bullets(map(told, result.reasons))}",
        title=told(result.verdict),
        icon=icon,
    )
    _links(result)
    st.subheader(_("Against the naive forecast"))
    show_scorecard(result.scorecard, result.label)
    left, right = st.columns([1, 2])
    with left:
        st.markdown(_("**Against each opponent** (CRPS)"))
        st.table(headed(_opponents(result)), border="horizontal", hide_index=True)
    with right:
        st.markdown(_("**Ticker by ticker**"))
        show_tickers(result.scorecard)
    if result.left_out:
        reasons = " ".join(plain(told(reason)) for reason in result.left_out.values())
        st.caption(_("Left out: {reasons}").format(reasons=reasons))
    st.subheader(_("How it learnt"))
    events = workspace().jobs.events(job.id)
    losses, before = losses_of(events), result.champion_before
    if losses.validation:
        show_epochs(losses, events, behind=curve_behind(before.label, before.run_id))
    else:
        st.caption(_("Not step by step: it was fitted in one go."))
    for event in events:
        if event.kind == "note":
            st.caption(plain(told(str(event.payload["sentence"]))))
    took = _("Took {took} in {attempts} attempts; job {id}.") if job.attempt > 1 else _("Took {took}; job {id}.")
    st.caption(took.format(took=_took(job), attempts=job.attempt, id=job.id))
    show_log(job)


def _links(result: TrainingResult) -> None:
    with st.container(horizontal=True):
        st.page_link(FORECAST, label=_("Read the forecast"), icon=":material/show_chart:")
        address = mlflow_link(f"experiments/{result.experiment_id}/runs/{result.run_id}")
        if address:
            st.page_link(address, label=_("Open the run in MLflow"), icon=":material/open_in_new:")


def _opponents(result: TrainingResult) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                N_("Opponent"): told(each.opponent),
                N_("Skill"): signed_percent(each.skill),
                N_("Diebold-Mariano"): told(p_text(each.dm_p_value)),
            }
            for each in result.comparisons
        ]
    )


def _show_download(job: Job) -> None:
    result = job.result or {}
    stored, failed = result.get("stored"), result.get("failed")
    done = [told(str(sentence)) for sentence in stored] if isinstance(stored, list) else []
    st.success(bullets(done), title=_("The download is done"))
    if isinstance(failed, dict) and failed:
        reasons = bullets(f"{ticker}: {told(str(why))}" for ticker, why in failed.items())
        st.warning(reasons, title=_("These failed"))
    show_log(job)


def _show_scores(job: Job) -> None:
    result = job.result or {}
    if "diagnosis" in result:
        st.page_link(
            BACKTEST,
            label=_("See how good the forecasts were"),
            icon=":material/fact_check:",
            query_params={JOB: job.id},
        )
    card = result.get("scorecard")
    st.success(
        _("Took {took}; job {id}.").format(took=_took(job), id=job.id),
        title=_("The {work} of {universe} is done").format(work=work_of(job), universe=plain(job.universe)),
    )
    if isinstance(card, dict):
        scorecard = Scorecard.from_json(card)
        show_scorecard(scorecard, plain(str(result.get("model", scorecard.forecaster))))
        show_tickers(scorecard)
    show_log(job)


def _show_failure(job: Job) -> None:
    show, ended = {
        "cancelled": (st.info, _("The {work} was cancelled")),
        "interrupted": (st.warning, _("The {work} was interrupted")),
    }.get(job.state, (st.error, _("The {work} failed")))
    reason = told(job.error) if job.error else _("No reason was left.")
    show(
        f"{plain(reason)}  \n{plain(told(job.hint or ''))}",
        title=ended.format(work=work_of(job)),
        icon=":material/cancel:" if job.state == "cancelled" else ":material/error:",
    )
    again = st.button(
        _("Try again"),
        icon=":material/replay:",
        key="retry_job",
        help=_("It goes on from its last checkpoint, with the configuration that it was asked for with."),
    )
    if again:
        st.query_params[JOB] = acting().desk.retry(job.id).id
        st.rerun()
    events = workspace().jobs.events(job.id)
    if losses_of(events).validation:
        show_epochs(losses_of(events), events)
    show_log(job)


def _took(job: Job) -> str:
    if job.started_at is None or job.finished_at is None:
        return _("no time")
    return plain(seconds((job.finished_at - job.started_at).total_seconds()))
