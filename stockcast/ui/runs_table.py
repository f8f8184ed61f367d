"""The runs of a universe as a table, with the figures beside the naive ones and a link into MLflow."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from stockcast.registry.runs import RunSummary
from stockcast.ui.shared import mlflow_link


def run_rows(runs: Sequence[RunSummary]) -> pd.DataFrame:
    """One row a run, newest first. MAPE and skill in percent."""
    return pd.DataFrame(
        [
            {
                "Started": run.started_at,
                "Run": run.name,
                "MLflow": mlflow_link(f"experiments/{run.experiment_id}/runs/{run.run_id}"),
                "Status": run.status.lower(),
                "Version": f"v{run.version}" if run.version else "",
                "Promoted": bool(run.promoted),
                "MAPE": run.scores.get("mape"),
                "Naive MAPE": run.scores.get("naive_mape"),
                "Skill": _percent(run.scores.get("skill")),
                "p": run.scores.get("dm_p_value"),
                "80 % held": _percent(run.scores.get("coverage_80")),
                "Forecasts": run.scores.get("count"),
                "Tickers": ", ".join(run.tickers),
                "Universe": run.universe,
                "Seconds": run.seconds,
            }
            for run in runs
        ]
    )


def choose_run(runs: Sequence[RunSummary]) -> RunSummary:
    """Draws the table; the row that is selected, the newest one at first. `runs` must not be empty."""
    table = run_rows(runs)
    shown = [name for name in table.columns if name != "MLflow" or table["MLflow"].notna().all()]
    state = st.dataframe(
        table,
        hide_index=True,
        column_order=shown,
        column_config=_columns(),
        on_select="rerun",
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": [0]}},
        key="runs",
        alt="Runs, newest first",
    )
    rows = state.selection.rows
    return runs[rows[0] if rows and rows[0] < len(runs) else 0]


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _columns() -> dict[str, ColumnConfig]:
    number = st.column_config.NumberColumn
    return {
        "Started": st.column_config.DatetimeColumn("Started (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC"),
        "Promoted": st.column_config.CheckboxColumn(help="Whether the gate made it the champion."),
        "MAPE": number(format="%.3f %%", help="Mean absolute error of the median, in percent."),
        "Naive MAPE": number(format="%.3f %%"),
        "Skill": number(format="%.2f %%", help="1 - CRPS / naive CRPS; above zero is better than naive."),
        "p": number(format="%.3f", help="Diebold-Mariano p-value of the CRPS against naive."),
        "80 % held": number(format="%.1f %%", help="Share of actual closes inside the 80 % interval."),
        "Forecasts": number(format="localized"),
        "Seconds": number(format="%.1f"),
        "MLflow": st.column_config.LinkColumn(display_text="open", help="The run in MLflow's own pages."),
    }
