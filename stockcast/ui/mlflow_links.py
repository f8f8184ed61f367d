"""Addresses inside MLflow's own pages, where the settings name them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import quote

import streamlit as st

from stockcast.registry.run_summary import RunSummary
from stockcast.registry.versions import ModelVersion
from stockcast.ui.language import _
from stockcast.ui.shared import mlflow_link, workspace


def run_address(run: RunSummary) -> str | None:
    """One run."""
    return mlflow_link(f"experiments/{run.experiment_id}/runs/{run.run_id}")


def comparison_address(runs: Sequence[RunSummary]) -> str | None:
    """Several runs beside one another."""
    experiments = list(dict.fromkeys(run.experiment_id for run in runs))
    ids, of = (quote(json.dumps(each)) for each in ([run.run_id for run in runs], experiments))
    return mlflow_link(f"compare-runs?runs={ids}&experiments={of}")


def version_address(version: ModelVersion) -> str | None:
    """One version of a model."""
    return mlflow_link(f"models/{version.name}/versions/{version.version}")


def open_link(address: str | None, label: str) -> None:
    """A link, or nothing where MLflow's pages have no address."""
    if address is not None:
        st.page_link(address, label=label, icon=":material/open_in_new:")


def hint() -> None:
    """How to get the links, where there are none."""
    if not workspace().settings.mlflow_ui_url:
        st.caption(
            _(
                ":material/link_off: No links into MLflow's own pages: `STOCKCAST_MLFLOW_UI_URL` is "
                "not set. `stockcast up` serves these pages and sets it."
            )
        )
