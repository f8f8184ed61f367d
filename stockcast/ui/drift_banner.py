"""What the drift check found, told as loudly as it deserves and no louder; the way out, and the evidence below."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from stockcast.monitoring.acknowledgements import Sifted
from stockcast.monitoring.findings import DriftReport
from stockcast.ui.domain_words import told
from stockcast.ui.drift_acknowledge import offer_acknowledgement, show_acknowledged
from stockcast.ui.drift_evidence import show_evidence
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.language import N_, _
from stockcast.ui.router import DATA, TRAIN
from stockcast.ui.selection import TICKER
from stockcast.workflows.forecast import Answer

_Alert = Callable[..., DeltaGenerator]

# From the gravest on: the alert, its heading and its icon.
BANNERS: dict[str, tuple[_Alert, str, str]] = {
    "red": (st.error, N_("Check your data: this input looks wrong"), ":material/gpp_bad:"),
    "amber": (st.warning, N_("This input is unusual"), ":material/warning:"),
    "info": (st.info, N_("Good to know about this input"), ":material/info:"),
}


@dataclass(frozen=True)
class Way:
    """Where something can be done about it."""

    page: str
    label: str
    icon: str


def drift_banner(sifted: Sifted, answer: Answer, universe: str, key: str, *, stored: bool) -> None:
    """One alert for each severity found, nothing when all is well; what was not checked stands folded below.

    `stored` tells a stored history, whose findings can be acknowledged, from an uploaded window.
    """
    report = sifted.shown
    for severity, (show, title, icon) in BANNERS.items():
        found = [finding.sentence for finding in report.findings if finding.severity == severity]
        if found:
            show(sentences(found), title=_(title), icon=icon)
    if report.findings:
        _next(report, answer, universe, key, stored=stored)
        show_evidence(report, answer.window, answer.speaker.reference, key)
    elif report.unchecked:
        with st.expander(
            _("What could not be checked ({unchecked})").format(unchecked=len(report.unchecked)),
            icon=":material/help:",
        ):
            st.markdown(bullets(map(told, report.unchecked)))
    show_acknowledged(sifted.acknowledged)


def sentences(found: Iterable[str]) -> str:
    """One sentence as it is, several as a list, in the visitor's language; made safe."""
    said = [told(sentence) for sentence in found]
    return plain(said[0]) if len(said) == 1 else bullets(said)


def ways_out(report: DriftReport) -> list[Way]:
    """What can be done about these findings of a stored history, the most urgent first."""
    found = []
    if report.severity == "red":
        found.append(Way(DATA, _("Mend these prices on the Data page"), ":material/build:"))
    elif report.severity == "amber":
        found.append(Way(DATA, _("Look at these prices on the Data page"), ":material/candlestick_chart:"))
    if any(finding.layer == "regime" for finding in report.findings) and report.severity != "red":
        found.append(Way(TRAIN, _("Retrain on newer prices"), ":material/model_training:"))
    return found


def _next(report: DriftReport, answer: Answer, universe: str, key: str, *, stored: bool) -> None:
    context = answer.forecast.context
    if not stored or context.ticker is None or context.cutoff is None:
        if report.warning:
            st.caption(_("Mend the file and upload it again; without that, read the forecast with care."))
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        for way in ways_out(report):
            st.page_link(way.page, label=way.label, icon=way.icon, query_params={TICKER: context.ticker})
        offer_acknowledgement(universe, context.ticker, report.findings, context.cutoff, key)
