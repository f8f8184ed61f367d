"""I have seen this: a person's word on findings, and how what was said is told afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import streamlit as st

from stockcast.monitoring.acknowledgements import Acknowledgement
from stockcast.monitoring.findings import Finding
from stockcast.ui.drift_words import measure_words
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.format import count, moment
from stockcast.ui.shared import workspace

_LONGEST = timedelta(days=365)


def offer_acknowledgement(universe: str, ticker: str, findings: Sequence[Finding], cutoff: date, key: str) -> None:
    """A folded form; what it keeps is quiet from then on."""
    with st.popover("I have seen this", icon=":material/visibility:", help="Keeps a note and quietens it."):
        with st.form(f"{key}_seen", border=False):
            measures = list(dict.fromkeys(finding.measure for finding in findings))
            chosen = measures
            if len(measures) > 1:
                chosen = st.multiselect(
                    "What", measures, default=measures, format_func=measure_words, key=f"{key}_seen_what"
                )
            note = st.text_area(
                "What did you find?", key=f"{key}_seen_note", max_chars=500, height=90,
                placeholder="Earnings on that day; the price is right.",
            )  # fmt: skip
            until = _until(findings, cutoff, key)
            asked = st.form_submit_button("Keep this note", icon=":material/check:", key=f"{key}_seen_keep")
        if not asked:
            return
        with boundary():
            workspace().alerts.acknowledge_drift(
                universe,
                ticker,
                [finding for finding in findings if finding.measure in chosen],
                cutoff=cutoff,
                until=until,
                note=note,
            )
            st.rerun()


def _until(findings: Sequence[Finding], cutoff: date, key: str) -> date | None:
    if any(finding.layer == "integrity" and finding.severity == "red" for finding in findings):
        st.caption(
            f"It stays away for the window up to {cutoff} alone: nobody has seen the data that are still to come."
        )
        return None
    found: date | None = st.date_input(
        "Until", None, min_value=cutoff, max_value=cutoff + _LONGEST, format="YYYY-MM-DD", key=f"{key}_seen_until",
        help=f"The last cutoff for which it is quiet. Empty: that up to {cutoff} alone. Worse is shown again.",
    )  # fmt: skip
    return found


def show_acknowledged(acknowledged: Sequence[tuple[Finding, Acknowledgement]]) -> None:
    """One quiet line that unfolds; nothing when nothing was acknowledged."""
    if not acknowledged:
        return
    with st.expander(
        f"Seen before: {count(len(acknowledged), 'finding', 'findings')}", icon=":material/visibility:"
    ):
        for finding, word in acknowledged:
            st.markdown(f"{plain(finding.sentence)}  \n:material/edit_note: {plain(word.note)}")
            st.caption(acknowledged_words(word))


def acknowledged_words(word: Acknowledgement) -> str:
    """When it was said, and for how long it holds."""
    held = f"quiet until {word.until}" if word.until else f"for the window up to {word.cutoff} alone"
    return f"Noted {moment(word.at)}, {held}."
