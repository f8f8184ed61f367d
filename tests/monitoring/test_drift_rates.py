"""The rates promised in docs/drift.md, on the bundled sample, measured by the benchmark's own functions."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.drift_faults import FAULTS, Fault, jump, shuffle, wilder
from benchmarks.drift_rates import HEALTHY, KINDS, Case, check, later_windows, rates, reference_of
from benchmarks.sample_histories import sample_histories
from benchmarks.textbook_tests import TESTS
from stockcast.monitoring.drift_reference import DriftReference
from stockcast.monitoring.findings import DriftReport
from stockcast.monitoring.window_features import FEATURES

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def reference() -> DriftReference:
    return reference_of(sample_histories(), 0.5)


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return list(later_windows(sample_histories(), 0.5))


def reports(inject, cases: list[Case], reference: DriftReference, kind: str) -> list[DriftReport]:
    rng = np.random.default_rng(11)
    return [check(inject(case.window, rng), case, reference, kind) for case in cases]


@pytest.mark.parametrize("kind", KINDS)
def test_healthy_windows_of_the_sample_are_left_alone(reference, cases, kind) -> None:
    assert len(cases) >= 90
    found = reports(HEALTHY.inject, cases, reference, kind)
    assert np.mean([report.severity == "red" for report in found]) <= 0.02
    assert np.mean([report.warning for report in found]) <= 0.08


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.integrity], ids=lambda fault: fault.name)
def test_every_fault_of_integrity_is_caught_on_the_sample(reference, cases, fault: Fault) -> None:
    for kind in KINDS[:1] if fault.dated else KINDS:
        assert all(report.warning for report in reports(fault.inject, cases, reference, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_jumps_and_lost_order_are_caught_on_the_sample(reference, cases, kind) -> None:
    for inject in (jump, shuffle):
        assert np.mean([report.warning for report in reports(inject, cases, reference, kind)]) >= 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_volatility_times_three_is_told_as_the_regime_on_nine_windows_of_ten(reference, cases, kind) -> None:
    found = reports(wilder, cases, reference, kind)
    assert np.mean([any(one.layer == "regime" for one in report.findings) for report in found]) >= 0.9


def test_the_textbook_tests_are_alarmed_by_the_same_healthy_windows(reference, cases) -> None:
    row = rates(HEALTHY, cases[::4], reference)
    ours, textbook = row[1], row[6:]
    assert len(textbook) == 2 * len(TESTS)
    assert ours < 8 < min(textbook)
    assert min(textbook[:3]) > 95  # on closes


def test_the_docs_name_every_measure() -> None:
    docs = (ROOT / "docs" / "drift.md").read_text(encoding="utf-8")
    sources = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "stockcast" / "monitoring").glob("*.py")
    )
    measures = set(re.findall(r'(?:fault\(|_compare\(|_told\()\s*"([a-z_]+)"', sources))
    measures |= {feature.name for feature in FEATURES}
    assert len(measures) == 24
    assert sorted(measure for measure in measures if f"`{measure}`" not in docs) == []
