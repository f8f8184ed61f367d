from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.config import DriftConfig
from stockcast.errors import CorruptBundle, TooShortHistory
from stockcast.forecasting.returns import to_prices
from stockcast.monitoring.regime import VolatilityReference, check_regime

CONFIG = DriftConfig()


@pytest.fixture(scope="module")
def reference(make_frame) -> VolatilityReference:
    quiet = make_frame(seed=1, count=1000, daily=0.01, ticker="QUIET")
    wild = make_frame(seed=2, count=1000, daily=0.04, ticker="WILD")
    young = make_frame(seed=3, count=100, daily=0.02, ticker="YOUNG")
    return VolatilityReference.fit([quiet, wild, young], 60)


def closes_of(daily: float) -> np.ndarray:
    """Sixty closes whose mean absolute log return is that of a normal variable of sd `daily`."""
    return to_prices(30.0, np.resize([0.0, daily * np.sqrt(2 / np.pi)], 60))


def test_three_times_the_usual_volatility_is_told_against_the_tickers_own_windows(reference) -> None:
    (finding,) = check_regime(closes_of(0.03), "QUIET", reference, CONFIG)
    assert (finding.layer, finding.severity, finding.measure) == ("regime", "info", "volatility")
    assert finding.value > finding.threshold > 1
    assert finding.sentence.startswith("Volatility is 3")
    assert "the training median of QUIET, higher than in all of the training windows" in finding.sentence
    assert "intervals are wider" in finding.sentence


def test_a_third_of_the_usual_volatility_is_told_as_calm(reference) -> None:
    (finding,) = check_regime(closes_of(0.013), "WILD", reference, CONFIG)
    assert finding.value < finding.threshold < 1
    assert "lower than in all" in finding.sentence
    assert "narrower" in finding.sentence


def test_the_usual_volatility_is_not_told(reference) -> None:
    assert check_regime(closes_of(0.01), "QUIET", reference, CONFIG) == []


@pytest.mark.parametrize("ticker", [None, "YOUNG", "NEVER"])
def test_a_ticker_without_windows_enough_is_held_against_all_tickers(reference, ticker) -> None:
    assert check_regime(closes_of(0.03), ticker, reference, CONFIG) == []
    (finding,) = check_regime(closes_of(0.12), ticker, reference, CONFIG)
    assert "all tickers" in finding.sentence


def test_a_jump_in_volatility_is_told_though_training_saw_worse(reference) -> None:
    before = np.resize(closes_of(0.013), reference.sessions_before + 1)
    found = check_regime(closes_of(0.039), "WILD", reference, CONFIG, before=before)
    (finding,) = found
    assert finding.measure == "volatility_change"
    assert finding.value == pytest.approx(3, rel=0.01)
    assert "that of the 120 sessions before" in finding.sentence


def test_a_share_that_did_not_trade_before_gives_no_change_to_tell(reference) -> None:
    flat = np.full(reference.sessions_before + 1, 30.0)
    assert check_regime(closes_of(0.04), "WILD", reference, CONFIG, before=flat) == []


def test_the_percentile_of_the_config_decides(reference, make_frame) -> None:
    frame = make_frame(seed=1, count=1000, daily=0.01, ticker="QUIET")
    windows = [frame.close[end - 60 : end] for end in range(60, 1000, 5)]

    def told(percentile: float) -> int:
        config = DriftConfig(regime_percentile=percentile)
        return sum(bool(check_regime(closes, "QUIET", reference, config)) for closes in windows)

    assert told(0.99) <= 6 < 60 < told(0.8)


@given(st.floats(1e-3, 1e3))
def test_another_unit_changes_nothing(reference, factor: float) -> None:
    closes = closes_of(0.03)
    (before,) = check_regime(closes, "QUIET", reference, CONFIG)
    (after,) = check_regime(closes * factor, "QUIET", reference, CONFIG)
    assert after.value == pytest.approx(before.value)


def test_a_reference_survives_the_way_through_the_manifest(reference) -> None:
    data = json.loads(json.dumps(reference.to_json(), allow_nan=False))
    assert data["schema_version"] == 1
    assert VolatilityReference.from_json(data) == reference


@pytest.mark.parametrize(
    "damage",
    [
        {"schema_version": 2},
        {"schema_version": None},
        {"pooled": [0.1]},
        {"pooled": [float("nan")] * 101},
        {"lookback": "many"},
        {"by_ticker": None},
    ],
)
def test_a_damaged_reference_is_refused_with_a_hint(reference, damage) -> None:
    with pytest.raises(CorruptBundle) as refused:
        VolatilityReference.from_json({**reference.to_json(), **damage})
    assert refused.value.hint.startswith("Train the model again")


def test_histories_that_hold_no_window_are_refused(make_frame) -> None:
    with pytest.raises(TooShortHistory, match="60 sessions"):
        VolatilityReference.fit([make_frame(count=59)], 60)


def test_histories_too_short_for_a_change_give_a_reference_without_it(make_frame) -> None:
    reference = VolatilityReference.fit([make_frame(count=100)], 60)
    assert reference.change is None
    assert reference.by_ticker == {}
    assert VolatilityReference.from_json(reference.to_json()) == reference


def test_flat_histories_give_a_reference_that_tells_nothing(make_frame) -> None:
    frame = make_frame(count=600)
    flat = VolatilityReference.fit([replace(frame, close=np.full(600, 7.0))], 60)
    assert check_regime(closes_of(0.03), "AAPL", flat, CONFIG) == []
