"""I have seen this: a person's word on findings, and how what was said is told afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import streamlit as st

from stockcast.monitoring.acknowledgements import Acknowledgement
from stockcast.monitoring.findings import Finding
from stockcast.ui.domain_words import told
from stockcast.ui.drift_words import measure_words
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.format import count, moment
from stockcast.ui.language import _
from stockcast.ui.shared import workspace

_LONGEST = timedelta(days=365)


def offer_acknowledgement(universe: str, ticker: str, findings: Sequence[Finding], cutoff: date, key: str) -> None:
    """A folded form; what it keeps is quiet from then on."""
    with st.popover(_("I have seen this"), icon=":material/visibility:", help=_("Keeps a note and quietens it.")):
        with st.form(f"{key}_seen", border=False):
            measures = list(dict.fromkeys(finding.measure for finding in findings))
            chosen = measures
            if len(measures) > 1:
                chosen = st.multiselect(
                    _("What"), measures, default=measures, format_func=measure_words, key=f"{key}_seen_what"
                )
            note = st.text_area(
                _("What did you find?"),
                key=f"{key}_seen_note",
                max_chars=500,
                height=90,
                placeholder=_("Earnings on that day; the price is right."),
            )
            until = _until(findings, cutoff, key)
            asked = st.form_submit_button(_("Keep this note"), icon=":material/check:", key=f"{key}_seen_keep")
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
            _(
                "It stays away for the window up to {cutoff} alone: nobody has seen the data that "
                "are still to come."
            ).format(cutoff=cutoff)
        )
        return None
    found: date | None = st.date_input(
        _("Until"),
        None,
        min_value=cutoff,
        max_value=cutoff + _LONGEST,
        format="YYYY-MM-DD",
        key=f"{key}_seen_until",
        help=_(
            "The last cutoff for which it is quiet. Empty: that up to {cutoff} alone. Worse is shown again."
        ).format(cutoff=cutoff),
    )
    return found


def show_acknowledged(acknowledged: Sequence[tuple[Finding, Acknowledgement]]) -> None:
    """One quiet line that unfolds; nothing when nothing was acknowledged."""
    if not acknowledged:
        return
    with st.expander(
        _("Seen before: {findings}").format(findings=count(len(acknowledged), "finding", "findings")),
        icon=":material/visibility:",
    ):
        for finding, word in acknowledged:
            st.markdown(f"{plain(told(finding.sentence))}  \n:material/edit_note: {plain(word.note)}")
            st.caption(acknowledged_words(word))


def acknowledged_words(word: Acknowledgement) -> str:
    """When it was said, and for how long it holds."""
    if word.until:
        return _("Noted {when}, quiet until {until}.").format(when=moment(word.at), until=word.until)
    return _("Noted {when}, for the window up to {cutoff} alone.").format(when=moment(word.at), cutoff=word.cutoff)
