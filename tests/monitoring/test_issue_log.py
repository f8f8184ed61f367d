"""Who reads the log learns of every forecast, and is warned of those whose input has drifted."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from stockcast.forecasting.context import Context
from stockcast.monitoring.findings import DriftReport, Finding
from stockcast.monitoring.issue_log import log_issued

INFO = Finding("regime", "info", "volatility", 2.1, 1.9, "Volatility is high.")
AMBER = Finding("shape", "amber", "ks", 0.4, 0.3, "The returns look unlike those of training.")
RED = Finding("integrity", "red", "split_or_unit", 0.48, 0.5, "This looks like a split.")


def told(caplog: pytest.LogCaptureFixture, *findings: Finding) -> list[dict[str, object]]:
    context = Context(closes=np.linspace(100, 110, 60), ticker="KO", currency="USD", cutoff=date(2024, 6, 27))
    with caplog.at_level("INFO", "stockcast"):
        log_issued(
            context, DriftReport(findings), journal_id=7, universe="us", face="api", model="stockcast-us",
            model_version="3", run_id="abc", from_store=True,
        )  # fmt: skip
    events = [record.msg for record in caplog.records]
    for event in events:
        assert isinstance(event, dict)
        named = {
            "universe": "us", "ticker": "KO", "cutoff": date(2024, 6, 27), "face": "api", "model": "stockcast-us",
            "model_version": "3", "run_id": "abc", "journal_id": 7, "fingerprint": context.fingerprint,
        }  # fmt: skip
        assert named.items() <= event.items()
    return events


@pytest.mark.parametrize(("findings", "severity"), [((), "healthy"), ((INFO,), "info")])
def test_a_window_that_is_sound_warns_nobody(
    caplog: pytest.LogCaptureFixture, findings: tuple[Finding, ...], severity: str
) -> None:
    [event] = told(caplog, *findings)
    assert (event["event"], event["level"], event["severity"]) == ("forecast_issued", "info", severity)


def test_the_warning_names_the_worst_finding_and_all_that_are_grave(caplog: pytest.LogCaptureFixture) -> None:
    issued, drifted = told(caplog, INFO, AMBER, RED)
    assert (issued["event"], issued["severity"]) == ("forecast_issued", "red")
    assert (drifted["event"], drifted["level"], drifted["severity"]) == ("drift_detected", "warning", "red")
    assert (drifted["layers"], drifted["measures"]) == (["integrity", "shape"], ["split_or_unit", "ks"])
    assert (drifted["layer"], drifted["measure"], drifted["value"]) == ("integrity", "split_or_unit", 0.48)
    assert (drifted["threshold"], drifted["sentence"]) == (0.5, "This looks like a split.")


def test_an_amber_finding_alone_warns_too(caplog: pytest.LogCaptureFixture) -> None:
    _, drifted = told(caplog, AMBER)
    assert (drifted["severity"], drifted["measures"]) == ("amber", ["ks"])
