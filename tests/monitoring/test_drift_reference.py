from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from benchmarks.sample_histories import sample_histories
from stockcast.config import Config, DriftConfig
from stockcast.errors import CorruptBundle, TooShortHistory
from stockcast.evaluation.split import split_dates, training_pairs
from stockcast.monitoring.drift import NO_SHAPE, check_window, window_at_end
from stockcast.monitoring.drift_reference import DriftReference
from stockcast.prices.frame import PriceFrame

# Written by the version of stockcast that measured volatility alone, from IBM's sessions of 2000 to 2004.
FIRST = Path(__file__).with_name("drift_reference_1.json")


@pytest.fixture(scope="module")
def reference(make_frame) -> DriftReference:
    quiet = make_frame(seed=1, count=1000, daily=0.01, ticker="QUIET")
    wild = make_frame(seed=2, count=1000, daily=0.04, ticker="WILD")
    return DriftReference.fit([quiet, wild], 60)


def test_a_reference_survives_the_way_through_the_manifest(reference) -> None:
    data = json.loads(json.dumps(reference.to_json(), allow_nan=False))
    assert data["schema_version"] == 2
    assert DriftReference.from_json(data) == reference


def test_a_reference_of_many_tickers_stays_small(make_frame) -> None:
    frames = [make_frame(seed=seed, count=600, ticker=f"T{seed}") for seed in range(40)]
    assert len(json.dumps(DriftReference.fit(frames, 60).to_json())) < 12_000


def test_the_reference_comes_from_training_sessions_only() -> None:
    """Nothing that follows the training part, however wild, changes a figure of what a bundle carries."""
    config, frames = Config(), sample_histories()
    split = split_dates(frames, config)

    def fitted(histories: list[PriceFrame]) -> dict[str, object]:
        pairs, _ = training_pairs(histories, split, config)
        assert all(pair.train.last_session <= split.train_end for pair in pairs)
        return DriftReference.fit([pair.train for pair in pairs], 60).to_json()

    def spoilt(frame: PriceFrame) -> PriceFrame:
        later = frame.sessions > np.datetime64(split.train_end)
        noise = np.exp(np.random.default_rng(1).normal(0, 0.5, len(frame)))
        return replace(frame, close=np.where(later, frame.close * noise, frame.close))

    spoiled = [spoilt(frame) for frame in frames]
    assert spoiled[0].close[-1] != frames[0].close[-1]
    assert fitted(spoiled) == fitted(frames)


def test_the_reference_of_an_earlier_version_is_read_and_its_missing_shape_is_told(make_frame) -> None:
    data = json.loads(FIRST.read_text(encoding="utf-8"))
    reference = DriftReference.from_json(data)
    assert reference.lookback == 60
    assert reference.shape is None
    # Quantiles at every percent then, at some of them now: the same figures.
    assert reference.regime.levels_of("IBM")[0].grid[6] == data["by_ticker"]["IBM"][50]
    window = window_at_end(make_frame(seed=5, count=60, daily=0.09, ticker="IBM"), 60)
    report = check_window(window, reference, DriftConfig(), today=date(2024, 6, 28), stored=None)
    assert NO_SHAPE in report.unchecked
    assert "volatility" in {finding.measure for finding in report.findings}


@pytest.mark.parametrize(
    "damage",
    [
        {"schema_version": 3},
        {"schema_version": None},
        {"regime": None},
        {"regime": {"lookback": "many"}},
        {"shape": {"windows": 5, "features": {}, "scores": [0.0] * 13}},
        {"shape": {"windows": 0, "features": None, "scores": [0.0]}},
        {"shape": {"windows": 5, "features": {"largest_move": {"grid": [float("nan")] * 13}}, "scores": []}},
    ],
)
def test_a_damaged_reference_is_refused_with_a_hint(reference, damage) -> None:
    with pytest.raises(CorruptBundle) as refused:
        DriftReference.from_json({**reference.to_json(), **damage})
    assert refused.value.hint.startswith("Train the model again")


def test_a_damaged_reference_of_an_earlier_version_is_refused_too() -> None:
    with pytest.raises(CorruptBundle):
        DriftReference.from_json({**json.loads(FIRST.read_text(encoding="utf-8")), "pooled": [0.1]})


def test_histories_that_hold_no_window_are_refused(make_frame) -> None:
    with pytest.raises(TooShortHistory, match="60 sessions"):
        DriftReference.fit([make_frame(count=59)], 60)


def test_prices_that_stood_still_in_training_give_no_shape(make_frame) -> None:
    frame = make_frame(count=600)
    assert DriftReference.fit([replace(frame, close=np.full(600, 7.0))], 60).shape is None
