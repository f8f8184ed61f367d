"""Many windows at once get the very reports that each would get alone."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.config import Config
from stockcast.monitoring.check_many import DriftScreen
from stockcast.monitoring.drift import check_window
from stockcast.monitoring.drift_reference import DriftReference
from stockcast.prices.frame import PriceFrame
from stockcast.prices.window import PriceWindow

TODAY = date(2024, 5, 2)
STRICT = Config().with_overrides(
    ["drift.identical_closes=2", "drift.jump_amber=0.01", "drift.jump_amber_sigmas=2", "drift.shape_amber_odds=5",
     "drift.shape_red_odds=20", "drift.regime_percentile=0.6", "drift.regime_ratio=1.05"]
)  # fmt: skip


@pytest.fixture(scope="module")
def reference(sample_frames: tuple[PriceFrame, ...]) -> DriftReference:
    return DriftReference.fit(sample_frames, 60)


def windows_of(seed: int, count: int) -> list[PriceWindow]:
    """Healthy ones, wild ones, calm ones, and some with a fault."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(count):
        scale = 0.012 * np.exp(random.normal(0, 0.8))
        closes = 100 * np.exp(np.cumsum(random.standard_t(random.choice([3, 5, 30]), 60) * scale))
        fault, row = random.integers(12), int(random.integers(1, 58))
        if fault == 0:
            closes[row] *= random.choice([0.5, 2.0, 1.3, 100.0])
        elif fault == 1:
            closes[row : row + int(random.integers(2, 9))] = closes[row]
        elif fault == 2:
            closes[row:] *= random.choice([0.5, 0.1, 1.25])
        elif fault == 3:
            closes = np.sort(closes)
        elif fault == 4:
            random.shuffle(closes)
        elif fault == 5 and number % 3 == 0:
            closes[:] = 42.0
        found.append(PriceWindow(closes, None, [None, "AAPL", "XYZ"][number % 3]))
    return found


@pytest.mark.parametrize("config", [Config(), STRICT], ids=["usual", "strict"])
@given(seed=st.integers(0, 10_000))
def test_reports_are_those_of_each_window_alone(reference: DriftReference, config: Config, seed: int) -> None:
    windows = windows_of(seed, 24)
    together = DriftScreen(reference, config.drift).check(windows, [None] * 24, TODAY)
    for window, report in zip(windows, together, strict=True):
        assert report == check_window(window, reference, config.drift, today=TODAY, stored=None)


def test_most_healthy_windows_are_not_looked_at_one_by_one(
    reference: DriftReference, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[PriceWindow] = []
    monkeypatch.setattr(
        "stockcast.monitoring.check_many.check_window",
        lambda window, *args, **kwargs: looked.append(window) or check_window(window, *args, **kwargs),
    )
    random = np.random.default_rng(3)
    windows = [PriceWindow(100 * np.exp(np.cumsum(random.standard_t(5, 60) * 0.013))) for _ in range(200)]
    DriftScreen(reference, Config().drift).check(windows, [None] * 200, TODAY)
    assert len(looked) < 20


def test_dates_and_stored_histories_and_no_reference_are_checked_as_ever(
    reference: DriftReference, sample_frames: tuple[PriceFrame, ...]
) -> None:
    frame = sample_frames[0]
    dated = PriceWindow(frame.close[-60:], frame.sessions[-60:], frame.ticker)
    bare = PriceWindow(frame.close[-60:] * 3, None, frame.ticker)
    for held, stored in ((reference, frame), (reference, None), (None, None)):
        together = DriftScreen(held, Config().drift).check([dated, bare], [stored, stored], TODAY)
        for window, report in zip((dated, bare), together, strict=True):
            assert report == check_window(window, held, Config().drift, today=TODAY, stored=stored)
