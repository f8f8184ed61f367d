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
from stockcast.ui.drift_charts import range_chart
from stockcast.ui.drift_words import SIGNS, marked_positions
from stockcast.ui.escaping import bullets
from stockcast.ui.format import count, percent, price

_MOST_MARKED = 12  # closes that are named one by one


def show_evidence(report: DriftReport, window: PriceWindow, reference: DriftReference | None, key: str) -> None:
    """Folded: the offending sessions, the features of the window, and what could not be checked."""
    with st.expander("The evidence", icon=":material/search:"):
        marked = marked_table(report, window)
        if len(marked):
            st.markdown("**Where to look** (marked on the chart below)")
            st.table(marked.head(_MOST_MARKED), border="horizontal", hide_index=True)
            if len(marked) > _MOST_MARKED:
                st.caption(f"And {count(len(marked) - _MOST_MARKED, 'more close', 'more closes')}.")
        _show_features(window, reference, key)
        if report.unchecked:
            st.markdown("**What could not be checked**")
            st.markdown(bullets(report.unchecked))


def marked_table(report: DriftReport, window: PriceWindow) -> pd.DataFrame:
    """One row an offending close, in the order of the window."""
    rows = []
    for position, (severity, words) in sorted(marked_positions(report).items()):
        known = window.sessions is not None and position < len(window.sessions)
        day = str(window.sessions[position]) if known and window.sessions is not None else f"close {position + 1}"
        before = window.closes[position - 1] if position else float("nan")
        rows.append(
            {
                "Session": day.replace("NaT", "unreadable"),
                "Close": price(float(window.closes[position])),
                "The one before": price(float(before)),
                "What": words,
                "It looks": SIGNS[severity].word,
            }
        )
    return pd.DataFrame(rows)


def _show_features(window: PriceWindow, reference: DriftReference | None, key: str) -> None:
    evidence = window_evidence(window, reference) if reference is not None else ()
    if not evidence:
        st.caption(
            "The features of this window cannot be held against the training windows: "
            + ("closes are no prices, or too few." if reference else "the model carries no drift reference.")
        )
        return
    outside = sum(not each.inside for each in evidence)
    st.markdown("**This window beside the windows that the model has learnt from**")
    st.caption(
        f"{outside} of {len(evidence)} features lie where fewer than 1 in 50 training windows do."
        if outside
        else f"All {len(evidence)} features lie where 98 % of the training windows do."
    )
    st.plotly_chart(
        range_chart(evidence),
        width="stretch",
        key=f"{key}_ranges",
        config={**TOOL_BAR, "displayModeBar": False},
        alt="Features of the window beside their range over the training windows",
    )
    st.dataframe(
        feature_table(evidence), hide_index=True, key=f"{key}_features", alt="Features of the window",
        column_config={"What it says": st.column_config.TextColumn(width="large")},
    )  # fmt: skip


def feature_table(evidence: Sequence[FeatureEvidence]) -> pd.DataFrame:
    """One row a feature, in words and units."""
    return pd.DataFrame(
        [
            {
                "Feature": each.label,
                "This window": f"{each.value:.3g}",
                "98 % of training windows": f"{each.low:.3g} to {each.high:.3g}",
                "Median": f"{each.median:.3g}",
                "Higher than": percent(each.share, 0),
                "Unit": each.unit,
                "What it says": each.explanation,
            }
            for each in evidence
        ]
    )
