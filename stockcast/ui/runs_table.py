"""The runs as a table: what each came to beside naive, how it learnt, and what people say of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from stockcast.registry.run_summary import RunSummary
from stockcast.registry.versions import ModelVersion
from stockcast.ui.chart_style import CHAMPION
from stockcast.ui.column_titles import P_VALUE
from stockcast.ui.format import MISSING
from stockcast.ui.language import N_, _
from stockcast.ui.mlflow_links import run_address
from stockcast.ui.registry_reads import Curve, curve_of
from stockcast.ui.row_choice import choose_rows
from stockcast.ui.run_words import ROLES, by_run, figure, outcome, role_words, roles, run_label

RUNS = "runs"  # the query parameter that holds what is selected
_ROWS = 15  # of a page
_POINTS = 60  # of a sparkline
_ONLY_WHERE_ANY = ("Universe", "Tags", "Note", "MLflow")


def address_id(run: RunSummary) -> str:
    """How the address names a run."""
    return run.run_id[:12]


def run_rows(
    runs: Sequence[RunSummary], versions: Sequence[ModelVersion], curves: Mapping[str, Curve]
) -> pd.DataFrame:
    """One row a run, in the given order. `curves`: validation losses by the id of the run."""
    played, made = roles(versions), by_run(versions)
    return pd.DataFrame(
        [
            {
                N_("Run"): run_label(run),
                N_("Role"): [role_words(role) for role in played.get(run.run_id, ())],
                N_("Outcome"): _("deleted") if run.deleted else _(outcome(run, made.get(run.run_id))),
                N_("Skill"): figure(run, "skill", 100),
                N_("p"): figure(run, "dm_p_value"),
                N_("Forecasts"): figure(run, "count"),
                N_("Validation loss"): _spark(curves.get(run.run_id, ())),
                N_("MAPE"): figure(run, "mape"),
                N_("Naive MAPE"): figure(run, "naive_mape"),
                N_("80 % held"): figure(run, "coverage_80", 100),
                N_("Started"): run.started_at,
                N_("Duration"): math.nan if run.seconds is None else run.seconds,
                N_("Tickers"): ", ".join(run.tickers) or MISSING,
                N_("Tags"): run.labels,
                N_("Note"): run.note,
                N_("Universe"): run.universe or MISSING,
                "MLflow": run_address(run),
            }
            for run in runs
        ]
    )


def choose_runs(
    runs: Sequence[RunSummary], versions: Sequence[ModelVersion], *, several_universes: bool
) -> list[str]:
    """Draws one page of the table and returns what is selected, as the address names it.

    Only the curves of that page are read. `runs` must not be empty.
    """
    pages = math.ceil(len(runs) / _ROWS)
    place = st.container()  # the table stands above the choice of its page
    page = min(st.pagination(pages, key="page", bind="query-params"), pages) if pages > 1 else 1
    part = runs[(page - 1) * _ROWS : page * _ROWS]
    table = run_rows(part, versions, {run.run_id: curve_of(run, "validation_loss") for run in part})
    hidden = {name for name in _ONLY_WHERE_ANY if not table[name].map(bool).any()}
    if not several_universes:
        hidden.add("Universe")
    with place:
        return choose_rows(
            table,
            [address_id(run) for run in part],
            parameter=RUNS,
            mode="multi-row",
            columns=_columns(),
            shown=[name for name in table.columns if name not in hidden],
            alt=_("Runs"),
        )


def _spark(curve: Curve) -> list[float] | None:
    values = [value for epoch, value in curve if math.isfinite(value)]
    return values[:: max(1, len(values) // _POINTS)] or None


def _columns() -> dict[str, ColumnConfig]:
    number = st.column_config.NumberColumn
    return {
        "Run": st.column_config.TextColumn(pinned=True, help=_("Its version, or the first letters of its id.")),
        "Role": st.column_config.MultiselectColumn(
            width=110,
            options=[role_words(role) for role in ROLES],
            color=[colour for colour, _ in ROLES.values()],
            help=_("Champion: speaks. Challenger: asks to. Previous: speaks again after a rollback."),
        ),
        "Outcome": st.column_config.TextColumn(help=_("What came of it.")),
        "Skill": number(
            _("Skill over naive"),
            format="%+.2f %%",
            help=_("1 - CRPS / naive CRPS, one session ahead; above zero is better than naive."),
        ),
        "p": number(
            format=P_VALUE, help=_("Diebold-Mariano: how easily chance alone would make such a difference.")
        ),
        "Forecasts": number(format="localized", help=_("How many forecasts these figures rest on.")),
        "Validation loss": st.column_config.LineChartColumn(
            color=CHAMPION, help=_("By epoch, each run on its own scale. Empty: it was fitted in one go.")
        ),
        "MAPE": number(format="%.3f %%", help=_("Mean absolute error of the median, in percent.")),
        "Naive MAPE": number(format="%.3f %%", help=_("The same of the naive forecast.")),
        "80 % held": number(format="%.1f %%", help=_("Share of actual closes inside the 80 % interval.")),
        "Started": st.column_config.DatetimeColumn(_("Started (UTC)"), format="YYYY-MM-DD HH:mm", timezone="UTC"),
        "Duration": number(format="%.1f s", help=_("From its start to its verdict, in seconds.")),
        "Tags": st.column_config.ListColumn(help=_("What people marked it with.")),
        "Note": st.column_config.TextColumn(width="medium", help=_("What people say of it.")),
        "MLflow": st.column_config.LinkColumn(display_text=_("open"), help=_("The run in MLflow's own pages.")),
    }
