"""What a visitor may want to do next, by what there is already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from stockcast.registry.versions import ModelVersion
from stockcast.ui.router import DATA, RUNS, TRAIN

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
    train = Step(
        TRAIN,
        "Train the LSTM",
        ":material/model_training:",
        "A baseline speaks; see whether a network does better.",
    )
    again = Step(TRAIN, "Train again", ":material/model_training:", "On newer prices or another configuration.")
    fetch = Step(DATA, "Bring your own tickers", ":material/download:", "Download from Yahoo or upload a file.")
    update = Step(DATA, "Update the prices", ":material/update:", "The newest sessions are missing.")
    runs = Step(RUNS, "Compare the runs", ":material/history:", "Every training with its figures.")
    data = fetch if only_sample else update if stale else None
    model = [train] if speaks.kind in _BASELINES else [again, runs]
    return [step for step in (*model, data) if step is not None]


def show_steps(steps: Sequence[Step]) -> None:
    """The suggestions side by side."""
    with st.grid(3, min_column_width=220, gap="medium"):
        for step in steps:
            with st.container(border=True):
                st.page_link(step.page, label=step.label, icon=step.icon)
                st.caption(step.why)
