"""Returns, volatility, features and targets: scale-free, causal and aligned with one another."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stockcast.errors import TooShortHistory
from stockcast.forecasting.features import FEATURES, features
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


@given(returns_of, st.integers(1, 69))
def test_features_never_see_beyond_their_step(returns: np.ndarray, step: int) -> None:
    other = returns.copy()
    other[:, step:] = 0.25 - 0.5 * other[:, step:]
    whole, volatility = features(returns)
    changed, other_volatility = features(other)
    np.testing.assert_allclose(changed[:, :step], whole[:, :step], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(other_volatility[:, :step], volatility[:, :step], rtol=1e-12)


@given(returns_of)
def test_features_are_finite_and_as_many_as_their_names(returns: np.ndarray) -> None:
    found, volatility = features(returns)
    assert found.shape == (2, 70, len(FEATURES))
    assert np.isfinite(found).all()
    assert (volatility >= FLOOR).all()


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
