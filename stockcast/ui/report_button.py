"""Buttons that hand out a report: one HTML file, made when somebody asks for it and not when a page is drawn."""

from __future__ import annotations

import streamlit as st

from stockcast.registry.run_summary import RunSummary
from stockcast.ui.forecast_table import file_stem
from stockcast.ui.language import _
from stockcast.ui.shared import workspace
from stockcast.workflows.forecast import Answer


def offer_report(answer: Answer, universe: str, key: str) -> None:
    """The report of a forecast that was journaled before."""
    reports = workspace().reports
    st.download_button(
        _("Report"),
        lambda: reports.answer(answer, universe),
        file_name=f"{file_stem(answer)}.html",
        mime="text/html",
        icon=":material/summarize:",
        key=f"{key}_report",
        on_click="ignore",
        help=_(
            "One page in English that needs no network and can be printed: the forecast, its evidence, how well "
            "it did lately, drift and the model card."
        ),
    )


def offer_run_report(run: RunSummary) -> None:
    """The report of a run."""
    reports, run_id = workspace().reports, run.run_id
    st.download_button(
        _("Report"),
        lambda: reports.run(run_id),
        file_name=f"run-{run_id[:8]}.html",
        mime="text/html",
        icon=":material/summarize:",
        key="run_report",
        on_click="ignore",
        help=_(
            "One page in English that needs no network and can be printed: what came of it and why, its "
            "scorecard, curves, parameters and model card."
        ),
    )
