"""How a training ended: the verdict first, then the evidence, or what went wrong and how to go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import streamlit as st
from pydantic import JsonValue, TypeAdapter

from stockcast.evaluation.scorecard import Scorecard
from stockcast.evaluation.significance import p_text
from stockcast.jobs.job import Job
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.format import seconds, signed_percent
from stockcast.ui.loss_chart import losses_of
from stockcast.ui.router import FORECAST
from stockcast.ui.scorecard_table import show_scorecard, show_tickers
from stockcast.ui.shared import mlflow_link, workspace
from stockcast.ui.training_watch import show_epochs

_LOG_LINES = 30


@dataclass(frozen=True)
class Opponent:
    """One comparison of the gate."""

    opponent: str
    skill: float
    dm_statistic: float
    dm_p_value: float


@dataclass(frozen=True)
class TrainingResult:
    """What a training job leaves as its result."""

    run_id: str
    experiment_id: str
    model: Mapping[str, str]
    promoted: bool
    reasons: tuple[str, ...]
    seconds: float
    scorecard: Mapping[str, JsonValue]
    comparisons: tuple[Opponent, ...]
    left_out: Mapping[str, str]

    @property
    def label(self) -> str:
        """How the version is named to a person."""
        return f"{self.model['kind']} v{self.model['version']}"

    @property
    def card(self) -> Scorecard:
        """The scorecard as it was measured."""
        return Scorecard.from_json(self.scorecard)


_RESULT = TypeAdapter(TrainingResult)


def read_result(job: Job) -> TrainingResult:
    """The result of a job that succeeded."""
    return _RESULT.validate_python(dict(job.result or {}))


def show_ended(job: Job) -> None:
    """A training that is over, whatever became of it."""
    if job.state == "succeeded":
        _show_success(job, read_result(job))
    else:
        _show_failure(job)


def _show_success(job: Job, result: TrainingResult) -> None:
    if result.promoted:
        st.success(
            bullets(result.reasons),
            title=f"Promoted: {result.label} became the champion of {job.universe}",
            icon=":material/campaign:",
        )
    else:
        st.info(
            bullets(result.reasons),
            title=f"Not promoted: {result.label} became the challenger of {job.universe}",
            icon=":material/front_hand:",
        )
    _links(result)
    st.subheader("Against the naive forecast")
    show_scorecard(result.card, result.label)
    left, right = st.columns([1, 2])
    with left:
        st.markdown("**Against each opponent** (CRPS)")
        st.table(_opponents(result), border="horizontal", hide_index=True)
    with right:
        st.markdown("**Ticker by ticker**")
        show_tickers(result.card)
    if result.left_out:
        st.caption("Left out: " + " ".join(plain(reason) for reason in result.left_out.values()))
    st.subheader("How it learnt")
    events = workspace().jobs.events(job.id)
    show_epochs(losses_of(events), events)
    st.caption(f"Took {seconds(result.seconds)}; job {job.id}.")


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


def _show_failure(job: Job) -> None:
    titles = {"failed": "The training failed", "interrupted": "The training was interrupted"}
    st.error(
        f"{plain(job.error or 'No reason was left.')}  \n{plain(job.hint or '')}",
        title=titles.get(job.state, f"The training was {job.state}"),
        icon=":material/error:",
    )
    log = workspace().desk.runner.log_file(job.id)
    if log.is_file():
        lines = log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
        with st.expander(f"The last lines of its log (job {job.id})", icon=":material/terminal:"):
            st.code("\n".join(lines) or "The log is empty.", language=None)
