"""What the drift check found, told as loudly as it deserves and no louder."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from stockcast.monitoring.findings import DriftReport, Finding
from stockcast.ui.escaping import bullets, plain

_Alert = Callable[..., DeltaGenerator]

# From the gravest on: the alert, its heading and its icon.
_BANNERS: dict[str, tuple[_Alert, str, str]] = {
    "red": (st.error, "Check your data: this input looks wrong", ":material/gpp_bad:"),
    "amber": (st.warning, "This input is unusual", ":material/warning:"),
    "info": (st.info, "Good to know about this input", ":material/info:"),
}


def drift_banner(report: DriftReport) -> None:
    """One alert for each severity found, nothing when all is well; what was not checked stands folded below."""
    for severity, (show, title, icon) in _BANNERS.items():
        found = [finding for finding in report.findings if finding.severity == severity]
        if found:
            show(_sentences(found), title=title, icon=icon)
    if report.unchecked:
        with st.expander(f"What could not be checked ({len(report.unchecked)})", icon=":material/help:"):
            st.markdown(bullets(report.unchecked))


def _sentences(findings: list[Finding]) -> str:
    if len(findings) == 1:
        return plain(findings[0].sentence)
    return bullets(finding.sentence for finding in findings)
