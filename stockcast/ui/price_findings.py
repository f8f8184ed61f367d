"""The quality report of a stored history: how much of each kind, and one row a place that can be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd
import streamlit as st

from stockcast.prices.quality_findings import FindingKind, QualityFinding
from stockcast.prices.store import StoredHistory
from stockcast.ui.column_titles import titled
from stockcast.ui.domain_words import told
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.format import figures
from stockcast.ui.language import N_, _
from stockcast.ui.price_reads import Looked

# In the order in which they need a look; how one is called, and how it is explained.
_KINDS: dict[FindingKind, tuple[str, str]] = {
    "split": (
        N_("Split?"),
        N_("A move close to 1/2, 1/3, 2, 3, 5 or 10 times: perhaps a split that was not adjusted for."),
    ),
    "unit_error": (N_("Unit error?"), N_("A move close to 100 or 1,000 times: perhaps cents for units.")),
    "extreme_move": (N_("Extreme move"), N_("Beyond 12 standard deviations and 45 % of log return: an outlier.")),
    "gap": (N_("Gap"), N_("The exchange traded, and the history has no bar.")),
    "standstill": (N_("Standstill"), N_("Four or more closes in a row are the same.")),
    "zero_volume": (N_("Zero volume"), N_("A close without a single share traded.")),
    "repair": (N_("Mended"), N_("Left out, merged or taken as unknown when the prices were read.")),
}
_SHOWN_WHOLE = 8  # rows; a longer table scrolls
_ORDER = {kind: place for place, kind in enumerate(_KINDS)}
# What stands in the headline: one figure for several kinds that a person tells apart only by looking.
_HEADLINE: dict[str, tuple[FindingKind, ...]] = {
    N_("Missing sessions"): ("gap",),
    N_("Split-like moves"): ("split", "unit_error"),
    N_("Extreme moves"): ("extreme_move",),
    N_("Standstills"): ("standstill",),
    N_("Zero volume"): ("zero_volume",),
    N_("Mended"): ("repair",),
}


def by_attention(findings: Sequence[QualityFinding]) -> list[QualityFinding]:
    """What spoils a model most comes first, and of each kind the newest."""
    newest_first = sorted(findings, key=lambda each: each.first or date.min, reverse=True)
    return sorted(newest_first, key=lambda each: _ORDER[each.kind])


def headline(findings: Sequence[QualityFinding]) -> dict[str, int]:
    """How much was found of what: sessions for gaps and repairs, places for the rest."""
    return {
        name: sum(
            each.sessions if each.kind in ("gap", "repair") else 1 for each in findings if each.kind in kinds
        )
        for name, kinds in _HEADLINE.items()
    }


def finding_table(findings: Sequence[QualityFinding]) -> pd.DataFrame:
    """One row a place."""
    return pd.DataFrame(
        {
            N_("What"): [_(_KINDS[each.kind][0]) for each in findings],
            N_("Session"): [each.first for each in findings],
            N_("Until"): [each.last if each.last != each.first else None for each in findings],
            N_("Sessions"): [each.sessions for each in findings],
            N_("In words"): [told(each.sentence) for each in findings],
        }
    )


def pointed_out(history: StoredHistory, looked: Looked) -> tuple[date, date] | None:
    """The sessions of the row of the report that is selected, where it has any; known before it is drawn."""
    state = st.session_state.get(findings_key(history))
    rows = state["selection"]["rows"] if state else []
    findings = by_attention(looked.findings)
    chosen = [findings[row] for row in rows if row < len(findings)]
    return next(((each.first, each.last) for each in chosen if each.first and each.last), None)


def show_findings(history: StoredHistory, looked: Looked) -> None:
    """Draws the report."""
    st.subheader(_("How good are the prices of {ticker}?").format(ticker=plain(history.ticker)))
    _verdict(looked)
    with st.container(horizontal=True):
        for name, found in headline(looked.findings).items():
            explained = " ".join(_(_KINDS[kind][1]) for kind in _HEADLINE[name])
            st.metric(_(name), figures(f"{found:,}"), help=explained, border=True, width="content")
    findings = by_attention(looked.findings)
    if not findings:
        return
    st.caption(_("Select a row to see its place on the chart."))
    table = finding_table(findings)
    st.dataframe(
        table,
        hide_index=True,
        height="content" if len(findings) <= _SHOWN_WHOLE else 320,
        placeholder="–",
        column_config=titled(
            table,
            {
                "What": st.column_config.TextColumn(width="small"),
                "Session": st.column_config.DateColumn(format="YYYY-MM-DD", width="small"),
                "Until": st.column_config.DateColumn(
                    format="YYYY-MM-DD", width="small", help=_("Its last session, where it has several.")
                ),
                "Sessions": st.column_config.NumberColumn(format="localized", width="small"),
                "In words": st.column_config.TextColumn(width="large"),
            },
        ),
        on_select="rerun",
        selection_mode="single-row",
        key=findings_key(history),
        alt=_("Quality report of {ticker}").format(ticker=history.ticker),
    )


def findings_key(history: StoredHistory) -> str:
    """The table of another history is another one: nothing in it is selected."""
    return f"findings_{history.ticker}_{history.content_hash[:8]}"


def _verdict(looked: Looked) -> None:
    said = bullets(map(told, looked.quality.sentences))
    if looked.quality.suspicious:
        st.warning(said, title=_("Look at these before you train on them"), icon=":material/warning:")
    else:
        st.markdown(said)
    if looked.mended:
        with st.expander(_("What was mended when they were read"), icon=":material/build:"):
            st.markdown(bullets(map(told, looked.mended)))
