"""The evidence behind a drift banner: the window beside the training windows, in a picture and in figures."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from stockcast.monitoring.drift_reference import DriftReference
from stockcast.monitoring.evidence import FeatureEvidence, window_evidence
from stockcast.monitoring.findings import DriftReport
from stockcast.prices.window import PriceWindow
from stockcast.ui.chart_style import TOOL_BAR
from stockcast.ui.column_titles import headed, titled
from stockcast.ui.domain_words import told
from stockcast.ui.drift_charts import range_chart
from stockcast.ui.drift_words import SIGNS, marked_positions
from stockcast.ui.escaping import bullets
from stockcast.ui.format import count, figures, percent, price
from stockcast.ui.language import N_, _

_MOST_MARKED = 12  # closes that are named one by one


def show_evidence(report: DriftReport, window: PriceWindow, reference: DriftReference | None, key: str) -> None:
    """Folded: the offending sessions, the features of the window, and what could not be checked."""
    with st.expander(_("The evidence"), icon=":material/search:"):
        marked = marked_table(report, window)
        if len(marked):
            st.markdown(_("**Where to look** (marked on the chart below)"))
            st.table(headed(marked.head(_MOST_MARKED)), border="horizontal", hide_index=True)
            if len(marked) > _MOST_MARKED:
                st.caption(
                    _("And {closes}.").format(
                        closes=count(len(marked) - _MOST_MARKED, "more close", "more closes")
                    )
                )
        _show_features(window, reference, key)
        if report.unchecked:
            st.markdown(_("**What could not be checked**"))
            st.markdown(bullets(map(told, report.unchecked)))


def marked_table(report: DriftReport, window: PriceWindow) -> pd.DataFrame:
    """One row an offending close, in the order of the window."""
    rows = []
    for position, (severity, words) in sorted(marked_positions(report).items()):
        known = window.sessions is not None and position < len(window.sessions)
        day = (
            str(window.sessions[position])
            if known and window.sessions is not None
            else _("close {position}").format(position=position + 1)
        )
        before = window.closes[position - 1] if position else float("nan")
        rows.append(
            {
                N_("Session"): day.replace("NaT", _("unreadable")),
                N_("Close"): price(float(window.closes[position])),
                N_("The one before"): price(float(before)),
                N_("What"): words,
                N_("It looks"): _(SIGNS[severity].word),
            }
        )
    return pd.DataFrame(rows)


def _show_features(window: PriceWindow, reference: DriftReference | None, key: str) -> None:
    evidence = window_evidence(window, reference) if reference is not None else ()
    if not evidence:
        st.caption(
            _(
                "The features of this window cannot be held against the training windows: closes are no prices, "
                "or too few."
            )
            if reference
            else _(
                "The features of this window cannot be held against the training windows: the model carries no "
                "drift reference."
            )
        )
        return
    outside = sum(not each.inside for each in evidence)
    st.markdown(_("**This window beside the windows that the model has learnt from**"))
    st.caption(
        _("{outside} of {evidence} features lie where fewer than 1 in 50 training windows do.").format(
            outside=outside, evidence=len(evidence)
        )
        if outside
        else _("All {evidence} features lie where 98 % of the training windows do.").format(evidence=len(evidence))
    )
    st.plotly_chart(
        range_chart(evidence),
        width="stretch",
        key=f"{key}_ranges",
        config={**TOOL_BAR, "displayModeBar": False},
        alt=_("Features of the window beside their range over the training windows"),
    )
    table = feature_table(evidence)
    st.dataframe(
        table,
        hide_index=True,
        key=f"{key}_features",
        alt=_("Features of the window"),
        column_config=titled(table, {"What it says": st.column_config.TextColumn(width="large")}),
    )


def feature_table(evidence: Sequence[FeatureEvidence]) -> pd.DataFrame:
    """One row a feature, in words and units."""
    return pd.DataFrame(
        [
            {
                N_("Feature"): told(each.label),
                N_("This window"): figures(f"{each.value:.3g}"),
                N_("98 % of training windows"): _("{first} to {last}").format(
                    first=figures(f"{each.low:.3g}"), last=figures(f"{each.high:.3g}")
                ),
                N_("Median"): figures(f"{each.median:.3g}"),
                N_("Higher than"): percent(each.share, 0),
                N_("Unit"): told(each.unit),
                N_("What it says"): told(each.explanation),
            }
            for each in evidence
        ]
    )
