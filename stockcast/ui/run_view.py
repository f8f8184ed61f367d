"""One run: why it was judged as it was, how it learnt, and what was unusual about its configuration."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from stockcast.registry.runs import CARD, RunSummary
from stockcast.registry.versions import ModelVersion
from stockcast.ui.champion_card import badges, note, reasons
from stockcast.ui.chart_style import TOOL_BAR
from stockcast.ui.config_changes import parameter_changes
from stockcast.ui.escaping import plain
from stockcast.ui.format import moment
from stockcast.ui.loss_chart import Losses, loss_chart
from stockcast.ui.shared import mlflow_link, workspace
from stockcast.workflows.model_card import CARD_FILE


def show_run(run: RunSummary, versions: Sequence[ModelVersion]) -> None:
    """The run that was selected in the table."""
    st.subheader(plain(run.name))
    made = next((version for version in versions if version.run_id == run.run_id), None)
    if made is not None:
        st.markdown(f"{badges(made)} **{plain(made.label)}**")
        note(made)
        reasons(made)
    address = mlflow_link(f"experiments/{run.experiment_id}/runs/{run.run_id}")
    if address:
        st.page_link(address, label="Open the run in MLflow", icon=":material/open_in_new:")
    losses = _losses(str(workspace().settings.home), run.run_id, run.status)
    _card(run)
    left, right = st.columns([2, 1])
    with left:
        if losses.validation:
            st.plotly_chart(
                loss_chart(losses), width="stretch", key="run_loss", config=TOOL_BAR, alt="Loss by epoch"
            )
        else:
            st.caption("It has no loss curve: nothing was learnt step by step.")
    with right:
        _differences(run)


def show_versions(versions: Sequence[ModelVersion]) -> None:
    """Every version with its badges, newest first."""
    for version in versions:
        with st.container(border=True, gap="xsmall"):
            trained = f", trained on sessions up to {version.trained_until}" if version.trained_until else ""
            st.markdown(
                f"**{plain(version.label)}** {badges(version)}  \n"
                f"Registered {moment(version.created_at)}{trained}, for {plain(', '.join(version.tickers))}."
            )
            note(version)
            address = mlflow_link(f"models/{version.name}/versions/{version.version}")
            if address:
                st.page_link(address, label="Open in MLflow", icon=":material/open_in_new:")


def _card(run: RunSummary) -> None:
    card = _text_of_card(str(workspace().settings.home), run.run_id, run.status)
    if card is None:
        return
    with st.expander("Model card: what it learnt from, where it fails, what it cost", icon=":material/badge:"):
        st.markdown(card)
        st.download_button(
            "Download", card, f"model_card_{run.run_id[:8]}.md", "text/markdown", icon=":material/download:"
        )


def _differences(run: RunSummary) -> None:
    changes = parameter_changes(run.parameters)
    st.markdown("**Differs from the defaults**")
    if not changes:
        st.caption("Nothing does.")
        return
    table = pd.DataFrame([{"Field": each.field, "Default": each.before, "Run": each.after} for each in changes])
    st.table(table, border="horizontal", hide_index=True)


@st.cache_data(ttl=3, max_entries=100, show_spinner=False)
def _losses(home: str, run_id: str, status: str) -> Losses:
    runs = workspace().runs
    return Losses(runs.curve(run_id, "train_loss"), runs.curve(run_id, "validation_loss"))


@st.cache_data(ttl=300, max_entries=100, show_spinner=False)
def _text_of_card(home: str, run_id: str, status: str) -> str | None:
    """The card of a run, its headings made small enough to stand inside a page."""
    found = workspace().runs.texts(run_id, CARD).get(CARD_FILE)
    return None if found is None else found.replace("\n## ", "\n#### ").split("\n", 1)[1]
