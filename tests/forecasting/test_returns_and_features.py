"""Returns, volatility, features and targets: scale-free, causal and aligned with one another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stockcast.errors import TooShortHistory
from stockcast.forecasting.features import CLOSE_FEATURES, FEATURES, MEMORY, StepFeatures, step_features
from stockcast.forecasting.returns import log_returns, to_prices, to_returns
from stockcast.forecasting.targets import standardised_targets, targets
from stockcast.forecasting.volatility import DECAY, FLOOR, ewma_volatility
from stockcast.prices.frame import PriceFrame

MakeFrame = Callable[..., PriceFrame]
closes_of = arrays(np.float64, st.integers(2, 90), elements=st.floats(0.01, 1e6))
returns_of = arrays(np.float64, (2, 70), elements=st.floats(-0.5, 0.5))


@given(closes_of)
def test_prices_come_back_from_their_returns(closes: np.ndarray) -> None:
    path = np.concatenate([[0.0], np.cumsum(log_returns(closes))])
    np.testing.assert_allclose(to_prices(closes[0], path), closes, rtol=1e-9)
    np.testing.assert_allclose(to_returns(closes[0], closes), path, atol=1e-9)


def test_the_volatility_is_the_weighted_mean_of_squares_written_out() -> None:
    returns = np.array([0.01, -0.03, 0.02])
    weights = DECAY ** np.array([2.0, 1.0, 0.0])
    expected = np.sqrt((weights * returns**2).sum() / weights.sum())
    assert ewma_volatility(returns)[-1] == pytest.approx(expected)
    assert ewma_volatility(returns)[0] == pytest.approx(0.01)
    assert ewma_volatility(np.zeros(3)).tolist() == [FLOOR] * 3


def features_of(frame: PriceFrame, steps: int, rows: slice = slice(None)) -> StepFeatures:
    columns = (frame.close, frame.open, frame.high, frame.low, frame.volume)
    return step_features(*(column[None, rows] for column in columns), steps)


@given(row=st.integers(2, 118), seed=st.integers(0, 1000))
def test_features_never_see_beyond_their_step(make_bars: MakeFrame, row: int, seed: int) -> None:
    frame = make_bars(count=120)
    random = np.random.default_rng(seed)
    names = ("open", "high", "low", "close", "volume")
    changed = {name: np.array(getattr(frame, name)) for name in names}
    for column in changed.values():
        column[row + 1 :] *= np.exp(random.normal(0, 0.5, 120 - row - 1))
    whole, other = features_of(frame, 119), features_of(replace(frame, **changed), 119)
    seen = slice(row)  # the return at step `row` - 1 leads to the close of `row`
    np.testing.assert_array_equal(other.values[:, seen], whole.values[:, seen])
    np.testing.assert_array_equal(other.volatility[:, seen], whole.volatility[:, seen])
    assert not np.allclose(other.values[:, row:], whole.values[:, row:])


@given(steps=st.integers(1, 60), more=st.integers(0, 300))
def test_a_feature_does_not_depend_on_where_a_history_begins(make_bars: MakeFrame, steps: int, more: int) -> None:
    frame = make_bars(count=700)
    enough = steps + MEMORY
    shortest, longer = (features_of(frame, steps, slice(-count, None)) for count in (enough, enough + more))
    np.testing.assert_allclose(longer.values, shortest.values, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(longer.volatility, shortest.volatility, rtol=1e-12)


@given(returns_of)
def test_features_are_finite_and_bounded_and_as_many_as_their_names(returns: np.ndarray) -> None:
    closes = 10 * np.exp(np.cumsum(returns, axis=1))
    unknown = np.full_like(closes, np.nan)
    found = step_features(closes, unknown, unknown, unknown, unknown, 69)
    assert found.values.shape == (2, 69, len(FEATURES))
    assert np.isfinite(found.values).all()
    assert (np.abs(found.values) <= 9).all()
    assert (found.values[:, :, len(CLOSE_FEATURES) :] == 0).all()
    assert (found.range_known == 0).all()
    assert (found.volatility >= FLOOR).all()


def test_the_volatility_of_the_features_is_that_of_the_targets(make_frame: MakeFrame) -> None:
    closes = make_frame(count=200).close[None]
    unknown = np.full_like(closes, np.nan)
    found = step_features(closes, unknown, unknown, unknown, unknown, 199)
    np.testing.assert_allclose(found.volatility[0], ewma_volatility(log_returns(closes[0])), rtol=1e-9)


def test_features_mean_what_their_names_say() -> None:
    closes = np.array([[100.0, 101.0, 103.0, 102.0]])
    opens = np.array([[100.0, 100.5, 101.5, 103.0]])
    highs = np.array([[100.0, 102.0, 104.0, 104.0]])
    lows = np.array([[100.0, 100.0, 101.0, 101.0]])
    volumes = np.array([[1e6, 1e6, 1e6, 2e6]])
    found = step_features(closes, opens, highs, lows, volumes, 3)
    said = dict(zip(FEATURES, found.values[0, -1], strict=True))
    returns = np.log(closes[0, 1:] / closes[0, :-1])
    volatility = found.volatility[0, -1]
    assert said["standardised_return"] == pytest.approx(returns[-1] / volatility)
    assert said["log_absolute_return"] == pytest.approx(np.log(abs(returns[-1]) / volatility + 0.1))
    weights = 0.5 ** (np.array([2.0, 1.0, 0.0]) / 5)
    mean = (weights * returns).sum() / weights.sum()
    assert said["mean_return_5"] == pytest.approx(mean / volatility)
    square = (weights * returns**2).sum() / weights.sum()
    assert said["log_volatility_5"] == pytest.approx(np.log(np.sqrt(square) / volatility))
    gap = np.log(103 / 103)
    variance = np.log(104 / 101) ** 2 / (4 * np.log(2)) + gap**2
    assert said["gap"] == pytest.approx(gap, abs=1e-12)
    assert said["log_range"] == pytest.approx(np.log(np.sqrt(variance) / volatility))
    assert said["close_in_range"] == pytest.approx((102 - 103) / (104 - 101))
    usual = np.average(np.log([1e6, 1e6, 2e6]), weights=0.5 ** (np.array([2.0, 1.0, 0.0]) / 10))
    assert said["log_volume"] == pytest.approx(np.log(2e6) - usual)


@pytest.mark.parametrize("name", ["open", "high", "low"])
def test_a_session_without_its_whole_range_has_none(make_bars: MakeFrame, name: str) -> None:
    frame = make_bars(count=100)
    column = np.array(getattr(frame, name))
    column[[50, 99]] = np.nan
    found = features_of(replace(frame, **{name: column}), 99)
    assert np.flatnonzero(found.range_known[0] == 0).tolist() == [49, 98]
    assert (found.values[0, [49, 98], len(CLOSE_FEATURES) :] == 0).all()
    assert np.isfinite(found.values).all()


@pytest.mark.parametrize("volume", [0.0, np.nan])
def test_a_session_without_volume_keeps_its_range(make_bars: MakeFrame, volume: float) -> None:
    frame = make_bars(count=100)
    volumes = np.array(frame.volume)
    volumes[60:] = volume
    found, whole = features_of(replace(frame, volume=volumes), 99), features_of(frame, 99)
    assert (found.range_known == 1).all()
    np.testing.assert_array_equal(found.values[:, :, :-1], whole.values[:, :, :-1])
    np.testing.assert_allclose(found.values[:, :59, -1], whole.values[:, :59, -1])
    assert (found.values[:, 59:, -1] == 0).all()


def test_targets_reach_from_the_cutoff_close_to_each_horizon() -> None:
    closes = np.array([1.0, 2.0, 4.0, 4.0, 16.0])
    np.testing.assert_allclose(targets(closes, 2), np.log([[2, 4], [2, 2], [1, 4]]))


def test_standardised_targets_are_in_units_of_the_volatility_at_their_cutoff(make_frame: MakeFrame) -> None:
    frame, lookback, horizon = make_frame(count=80), 30, 3
    found = standardised_targets(frame, lookback, horizon)
    assert found.shape == (80 - lookback - horizon + 1, horizon)
    for row, cutoff in ((0, lookback - 1), (20, lookback + 19), (len(found) - 1, 79 - horizon)):
        window = log_returns(frame.close[cutoff - lookback + 1 : cutoff + 1])
        wanted = np.log(frame.close[cutoff + 1 : cutoff + 1 + horizon] / frame.close[cutoff])
        np.testing.assert_allclose(found[row], wanted / ewma_volatility(window)[-1], rtol=1e-12)


def test_a_history_without_a_whole_window_is_too_short_for_targets(make_frame: MakeFrame) -> None:
    assert len(standardised_targets(make_frame(count=33), 30, 3)) == 1
    with pytest.raises(TooShortHistory, match="has 32 sessions; fitting needs at least 33"):
        standardised_targets(make_frame(count=32), 30, 3)
