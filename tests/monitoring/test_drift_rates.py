"""The rates promised in docs/drift.md, on the bundled sample, measured by the benchmark's own functions."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from stockcast.monitoring.regime import VolatilityReference

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def rates() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(ROOT / "benchmarks" / "drift_rates.py")))


@pytest.fixture(scope="module")
def reference(rates) -> VolatilityReference:
    return VolatilityReference.fit([frame.rows(0, len(frame) // 2) for frame in rates.sample_frames()], 60)


@pytest.fixture(scope="module")
def cases(rates) -> list[object]:
    return list(rates.healthy_windows(rates.sample_frames(), 0.5))


def test_healthy_windows_of_the_sample_raise_no_warning(rates, reference, cases) -> None:
    assert len(cases) >= 90
    assert [case.window.ticker for case in cases if rates.check(case.window, case, reference).warning] == []


def test_every_injected_fault_is_caught_on_the_sample(rates, reference, cases) -> None:
    rng = np.random.default_rng(11)
    missed = [
        name
        for name, inject in rates.FAULTS.items()
        for case in cases
        if not rates.check(inject(case.window, rng), case, reference).warning
    ]
    assert missed == []


def test_volatility_times_three_is_told_on_nine_windows_of_ten(rates, reference, cases) -> None:
    reports = [rates.check(rates.wilder(case.window, None), case, reference) for case in cases]
    assert np.mean([any(finding.layer == "regime" for finding in report.findings) for report in reports]) >= 0.9


def test_the_docs_name_every_measure() -> None:
    docs = (ROOT / "docs" / "drift.md").read_text(encoding="utf-8")
    sources = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "stockcast" / "monitoring").glob("*.py")
    )
    measures = set(re.findall(r'(?:fault\(|_compare\()\s*"([a-z_]+)"', sources))
    assert len(measures) == 16
    assert sorted(measure for measure in measures if f"`{measure}`" not in docs) == []
