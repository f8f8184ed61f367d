"""One run: what it came to, why it was judged so, how it learnt, and what was unusual about its configuration."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from stockcast.evaluation.significance import p_text
from stockcast.registry.run_summary import RunSummary
from stockcast.registry.versions import ModelVersion
from stockcast.ui.champion_card import note, reasons
from stockcast.ui.chart_style import TOOL_BAR
from stockcast.ui.config_changes import parameter_changes
from stockcast.ui.escaping import plain
from stockcast.ui.figure_card import figure_card
from stockcast.ui.format import moment, percent, seconds, signed_percent
from stockcast.ui.loss_chart import Losses, loss_chart
from stockcast.ui.mlflow_links import open_link, run_address
from stockcast.ui.registry_reads import card_of, curve_of
from stockcast.ui.run_comparison import shown_parameter
from stockcast.ui.run_comparison_view import pin
from stockcast.ui.run_deletion import offer_deletion
from stockcast.ui.run_notes import edit_notes, show_notes
from stockcast.ui.run_words import by_run, figure, outcome, role_badges, roles, run_label

_ENDINGS = {"failed": "red", "interrupted": "orange", "running": "green"}


def show_run(run: RunSummary, runs: Sequence[RunSummary], versions: Sequence[ModelVersion]) -> None:
    """The run that was selected in the table."""
    st.subheader(plain(run.name))
    made = by_run(versions).get(run.run_id)
    ended = outcome(run, made)
    took = "" if run.seconds is None else f", took {plain(seconds(run.seconds))}"
    gone = ":red-badge[:material/delete: Deleted] " if run.deleted else ""
    st.markdown(
        f"{gone}{role_badges(roles(versions).get(run.run_id, ()))} "
        f":{_ENDINGS.get(ended, 'gray')}-badge[{ended.capitalize()}] **{plain(run_label(run))}**, "
        f"started {moment(run.started_at)}{took}."
    )
    show_notes(run)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        edit_notes(run, runs)
        st.button(
            "Pin as the baseline", icon=":material/keep:", key="pin", on_click=pin, args=(run,),
            help="It stays in every comparison; select another run to compare.",
        )  # fmt: skip
        offer_deletion([run], versions)
        open_link(run_address(run), "Open the run in MLflow")
    if run.scores:
        _figures(run)
    if made is not None:
        note(made)
        reasons(made)
    _learnt(run)
    show_card(run, "run")


def show_card(run: RunSummary, key: str) -> None:
    """The model card, folded, and as a download."""
    card = card_of(run.run_id)
    if card is None:
        st.caption("It has no model card: only a training that came to a verdict writes one.")
        return
    with st.expander("Model card: what it learnt from, where it fails, what it cost", icon=":material/badge:"):
        # Its headings are made small enough to stand inside a page.
        st.markdown(card.replace("\n## ", "\n#### ").split("\n", 1)[1])
        st.download_button(
            "Download the card", card, f"model_card_{run.run_id[:8]}.md", "text/markdown",
            icon=":material/download:", key=f"card_{key}", on_click="ignore", help="The same as Markdown.",
        )  # fmt: skip


def _figures(run: RunSummary) -> None:
    with st.grid(4, min_column_width=150, gap="medium"):
        figure_card(
            "Skill over naive",
            signed_percent(figure(run, "skill")),
            p_text(figure(run, "dm_p_value")),
            "1 - CRPS / naive CRPS, one session ahead. The p-value (Diebold-Mariano) says how easily chance alone "
            "would do that.",
        )
        figure_card(
            "MAPE",
            percent(figure(run, "mape", 0.01), 3),
            f"naive {percent(figure(run, 'naive_mape', 0.01), 3)}",
            "Mean absolute error of the median in percent. On closes the naive forecast is nearly optimal.",
        )
        figure_card(
            "80 % interval held",
            percent(figure(run, "coverage_80")),
            f"naive {percent(figure(run, 'naive_coverage_80'))}",
            "Share of actual closes inside the 80 % interval; 80 % is right.",
        )
        figure_card(
            "Forecasts judged",
            f"{figure(run, 'count'):,.0f}",
            f"{len(run.tickers)} ticker{'' if len(run.tickers) == 1 else 's'}",
            "On sessions that the model had not seen.",
        )


def _learnt(run: RunSummary) -> None:
    losses = Losses(curve_of(run, "train_loss"), curve_of(run, "validation_loss"))
    left, right = st.columns([2, 1])
    with left:
        if losses.validation:
            st.plotly_chart(
                loss_chart(losses), width="stretch", key="run_loss", config=TOOL_BAR, alt="Loss by epoch"
            )
        else:
            st.caption("It has no loss curve: nothing was learnt step by step.")
    with right:
        st.markdown("**Differs from the defaults**")
        changes = parameter_changes(run.parameters)
        if not changes:
            st.caption("Nothing does.")
            return
        rows = [
            {"Field": each.field, "Default": shown_parameter(each.before), "Run": shown_parameter(each.after)}
            for each in changes
        ]
        st.table(pd.DataFrame(rows), border="horizontal", hide_index=True)
