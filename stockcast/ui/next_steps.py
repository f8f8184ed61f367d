"""What a visitor may want to do next, by what there is already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from stockcast.registry.versions import ModelVersion
from stockcast.ui.language import _
from stockcast.ui.router import BACKTEST, CONFIGURATION, DATA, RUNS, TRAIN

_BASELINES = ("naive", "ewma")


@dataclass(frozen=True)
class Step:
    """One suggestion: where it leads and why."""

    page: str
    label: str
    icon: str
    why: str


def next_steps(speaks: ModelVersion, only_sample: bool, stale: bool) -> list[Step]:
    """Suggestions, the most useful first."""
    data = _fetch() if only_sample else _update() if stale else None
    model = [_first_training(), _trust()] if speaks.kind in _BASELINES else [_change(), _again(), _runs()]
    return [step for step in (*model, data) if step is not None]


def _first_training() -> Step:
    why = _("A baseline speaks; see whether a network does better.")
    return Step(TRAIN, _("Train the LSTM"), ":material/model_training:", why)


def _trust() -> Step:
    why = _("How its forecasts did on sessions that it had not seen, beside the naive ones.")
    return Step(BACKTEST, _("Find out whether to trust it"), ":material/fact_check:", why)


def _change() -> Step:
    why = _("Another lookback, another network, other tickers: for the next training.")
    return Step(CONFIGURATION, _("Change the configuration"), ":material/tune:", why)


def _again() -> Step:
    why = _("On newer prices or another configuration; it speaks only if it does better.")
    return Step(TRAIN, _("Train again"), ":material/model_training:", why)


def _runs() -> Step:
    why = _("Two trainings side by side; promote another version, or roll back.")
    return Step(RUNS, _("Compare the runs"), ":material/history:", why)


def _fetch() -> Step:
    why = _("Download from Yahoo or upload a file.")
    return Step(DATA, _("Bring your own tickers"), ":material/download:", why)


def _update() -> Step:
    return Step(DATA, _("Update the prices"), ":material/update:", _("The newest sessions are missing."))


def show_steps(steps: Sequence[Step]) -> None:
    """The suggestions side by side."""
    with st.grid(len(steps), min_column_width=220, gap="medium"):
        for step in steps:
            with st.container(border=True, height="stretch"):
                st.page_link(step.page, label=step.label, icon=step.icon)
                st.caption(step.why)
