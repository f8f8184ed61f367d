"""Several runs compared: figures beside a baseline, parameters that differ, and their curves over one another."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from stockcast.registry.run_summary import RunSummary
from stockcast.registry.versions import CHAMPION, ModelVersion
from stockcast.ui.address_choice import choose_one
from stockcast.ui.chart_style import TOOL_BAR
from stockcast.ui.column_titles import titled
from stockcast.ui.curves_chart import NamedCurve, curves_chart
from stockcast.ui.escaping import plain
from stockcast.ui.language import N_, _
from stockcast.ui.mlflow_links import comparison_address, open_link
from stockcast.ui.registry_reads import curve_of
from stockcast.ui.row_choice import ask, asked_ids
from stockcast.ui.run_comparison import MOST_COMPARED, figure_table, parameter_table, unlike_data
from stockcast.ui.run_words import roles, run_labels
from stockcast.ui.runs_table import RUNS, address_id

BASELINE = "baseline"  # the query parameter that holds the pinned run
_CURVES = {N_("Validation"): "validation_loss", N_("Training"): "train_loss"}


def pinned(runs: Sequence[RunSummary]) -> RunSummary | None:
    """The run that the address pins as the baseline of every comparison."""
    asked = asked_ids(BASELINE)
    return next((run for run in runs if address_id(run) in asked), None)


def pin(run: RunSummary | None) -> None:
    """Pins a run, or none; a callback of buttons."""
    ask(BASELINE, [] if run is None else [address_id(run)])


def compare(chosen: Sequence[RunSummary], fixed: RunSummary | None, versions: Sequence[ModelVersion]) -> None:
    """`fixed`, the pinned baseline, is compared with whatever is chosen; without it one of the chosen is."""
    runs = [*chosen, *([fixed] if fixed is not None and fixed not in chosen else [])]
    baseline = _choose_baseline(runs, fixed, versions)
    runs = [baseline, *(run for run in runs if run is not baseline)]
    if len(runs) > MOST_COMPARED:
        st.caption(
            _("The first {most_compared} of {runs} runs are compared; more cannot be told apart.").format(
                most_compared=MOST_COMPARED, runs=len(runs)
            )
        )
        runs = runs[:MOST_COMPARED]
    if unlike_data(runs):
        st.warning(
            _(
                "Prices or sessions differ, so a difference between such figures proves nothing and "
                "is left out. Hold each run against its own naive figure."
            ),
            title=_("They were judged on different data"),
            icon=":material/balance:",
        )
    curves = {run.run_id: curve_of(run, "validation_loss") for run in runs}
    st.markdown(_("**Figures**, in brackets the difference to the baseline"))
    _show(figure_table(runs, baseline, curves), "compared_figures", _("Figures of the compared runs"))
    st.markdown(_("**Parameters that differ**"))
    differing = parameter_table(runs)
    if differing.empty:
        st.caption(_("None does: the runs were asked for with the same parameters."))
    else:
        _show(differing, "compared_parameters", _("Parameters that differ between the compared runs"))
    _show_curves(runs, baseline, versions)


def _choose_baseline(
    runs: Sequence[RunSummary], fixed: RunSummary | None, versions: Sequence[ModelVersion]
) -> RunSummary:
    labels = dict(zip((address_id(run) for run in runs), run_labels(runs), strict=True))
    by_id = {address_id(run): run for run in runs}
    played = roles(versions)
    speaks = next((run for run in runs if CHAMPION in played.get(run.run_id, ())), None)
    baseline = fixed or speaks or min(runs, key=lambda run: run.started_at)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        chosen = st.selectbox(
            _("Baseline"),
            list(by_id),
            index=list(by_id).index(address_id(baseline)),
            width=220,
            format_func=labels.__getitem__,
            key=f"baseline_of_{'_'.join(by_id)}_{address_id(baseline)}",
            help=_(
                "What the others are held against. The one that you choose is pinned: it stays in "
                "every comparison and in the address."
            ),
        )
        if chosen != address_id(baseline):
            pin(by_id[chosen])
            st.rerun()
        if fixed is not None:
            st.button(_("Unpin"), icon=":material/keep_off:", key="unpin", on_click=pin, args=(None,))
        if len(runs) > 1:
            st.button(
                _("Clear the selection"),
                icon=":material/deselect:",
                key="clear_runs",
                on_click=ask,
                args=(RUNS, []),
                help=_("Selects the first run of the table alone."),
            )
            open_link(comparison_address(runs), _("Compare in MLflow"))
    return baseline


def _show(table: pd.DataFrame, key: str, alt: str) -> None:
    first, *_ = table.columns
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        key=key,
        column_config=titled(table, {first: st.column_config.TextColumn(pinned=True)}),
        alt=alt,
    )


def _show_curves(runs: Sequence[RunSummary], baseline: RunSummary, versions: Sequence[ModelVersion]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        which = choose_one(
            _("Loss"), "curve", list(_CURVES), buttons=True, help=_("Validation decides when a training stops.")
        )
        logarithmic = st.toggle(_("Logarithmic loss"), key="curves_log", help=_("Shows late progress better."))
    played = roles(versions)
    found = [
        NamedCurve(label, curve, next(iter(played.get(run.run_id, ())), ""), run is baseline)
        for label, run in zip(run_labels(runs), runs, strict=True)
        if (curve := curve_of(run, _CURVES.get(which, "validation_loss")))
    ]
    if not found:
        st.caption(
            _("None of them has a loss curve: they were fitted in one go, or ended before the first epoch.")
        )
        return
    st.plotly_chart(
        curves_chart(found, logarithmic=logarithmic),
        width="stretch",
        key="compared_curves",
        config=TOOL_BAR,
        alt=(
            _("Validation loss by epoch of {runs}")
            if which == "Validation"
            else _("Training loss by epoch of {runs}")
        ).format(runs=", ".join(each.label for each in found)),
    )
    without = len(runs) - len(found)
    if without:
        names = [
            label
            for label, run in zip(run_labels(runs), runs, strict=True)
            if not curve_of(run, "validation_loss")
        ]
        st.caption(_("Without a curve: {names}.").format(names=plain(", ".join(names))))
    if len({run.parameters.get("windows.lookback") for run in runs}) > 1 or unlike_data(runs):
        st.caption(_("Losses on other data or windows lie on other levels; compare their shape."))
