from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.monitoring.findings import DriftReport, Finding

FINDINGS = st.builds(
    Finding,
    layer=st.sampled_from(["integrity", "shape", "regime"]),
    severity=st.sampled_from(["red", "amber", "info"]),
    measure=st.text(),
    value=st.floats(allow_nan=False, allow_infinity=False),
    threshold=st.floats(allow_nan=False, allow_infinity=False),
    sentence=st.text(),
    positions=st.lists(st.integers(0, 250)).map(tuple),
)
REPORTS = st.builds(DriftReport, findings=st.lists(FINDINGS).map(tuple), unchecked=st.lists(st.text()).map(tuple))


def of_severity(*severities: str) -> DriftReport:
    return DriftReport(tuple(Finding("integrity", severity, "m", 1, 0, "s") for severity in severities))


@given(REPORTS)
def test_a_report_survives_the_way_through_json(report: DriftReport) -> None:
    assert DriftReport.from_json(json.loads(json.dumps(report.to_json(), allow_nan=False))) == report


@pytest.mark.parametrize(
    ("severities", "worst", "warning"),
    [
        ((), "healthy", False),
        (("info",), "info", False),
        (("info", "amber"), "amber", True),
        (("amber", "red", "info"), "red", True),
    ],
)
def test_the_worst_finding_speaks_and_information_alone_is_no_warning(
    severities: tuple[str, ...], worst: str, warning: bool
) -> None:
    report = of_severity(*severities)
    assert (report.severity, report.warning) == (worst, warning)


def test_an_unknown_severity_is_refused_when_a_report_is_read() -> None:
    data = of_severity("red").to_json()
    data["findings"][0]["severity"] = "purple"
    with pytest.raises(ValueError, match="severity"):
        DriftReport.from_json(data)
