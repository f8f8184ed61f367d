"""Metrics against hand computations and scoringrules."""

from __future__ import annotations

import numpy as np
import pytest
import scoringrules
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from stockcast.evaluation.metrics import (
    coverage,
    crps,
    mean_absolute_error,
    mean_absolute_percentage_error,
    pinball,
    root_mean_squared_error,
    winkler,
)
from stockcast.forecasting.quantiles import LEVELS, MEDIAN


def test_the_pinball_loss_by_hand() -> None:
    quantiles = np.full((2, len(LEVELS)), 10.0)
    losses = pinball(quantiles, np.array([12.0, 7.0]))
    assert losses[0, 0] == pytest.approx(0.025 * 2)  # above a low quantile: cheap
    assert losses[0, -1] == pytest.approx(0.975 * 2)
    assert losses[1, 0] == pytest.approx(0.975 * 3)  # below a low quantile: dear
    assert losses[1, -1] == pytest.approx(0.025 * 3)
    np.testing.assert_allclose(losses[:, MEDIAN], [1.0, 1.5])


def test_the_pinball_loss_is_scoringrules_quantile_score() -> None:
    random = np.random.default_rng(0)
    quantiles, actuals = np.sort(random.normal(size=(50, len(LEVELS))), axis=1), random.normal(size=50)
    expected = scoringrules.quantile_score(actuals[:, None], quantiles, LEVELS)
    np.testing.assert_allclose(pinball(quantiles, actuals), expected)


@pytest.mark.parametrize("df", [3.0, 5.0, 30.0])
def test_the_crps_of_a_t_distribution_is_close_to_its_closed_form(df: float) -> None:
    actuals = stats.t.rvs(df, size=20_000, random_state=np.random.default_rng(1)) * 0.02
    quantiles = np.broadcast_to(stats.t.ppf(LEVELS, df) * 0.02, (len(actuals), len(LEVELS)))
    exact = scoringrules.crps_t(actuals, df, 0.0, 0.02).mean()
    assert crps(quantiles, actuals).mean() == pytest.approx(exact, rel=0.02)


def test_the_crps_prefers_the_distribution_that_the_actuals_come_from() -> None:
    actuals = np.random.default_rng(2).standard_t(5, 5000)
    at = {
        scale: crps(np.tile(stats.t.ppf(LEVELS, 5) * scale, (5000, 1)), actuals).mean() for scale in (0.7, 1, 1.4)
    }
    assert at[1] < min(at[0.7], at[1.4])


@given(st.floats(0.01, 100), st.integers(0, 100))
def test_the_crps_has_the_unit_of_its_arguments(unit: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    quantiles, actuals = np.sort(random.normal(size=(5, len(LEVELS))), axis=1), random.normal(size=5)
    np.testing.assert_allclose(crps(quantiles * unit, actuals * unit), crps(quantiles, actuals) * unit)
    assert (crps(quantiles, actuals) >= 0).all()


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_calibrated_draws_are_covered_as_promised(share: float) -> None:
    draws = np.random.default_rng(3).normal(size=50_000)
    bound = np.full(50_000, stats.norm.ppf(0.5 + share / 2))
    assert coverage(-bound, bound, draws) == pytest.approx(share, abs=0.006)


def test_an_interval_covers_its_own_ends() -> None:
    assert coverage(np.array([1.0, 1.0]), np.array([2.0, 2.0]), np.array([1.0, 2.0])) == 1.0


def test_errors_by_hand() -> None:
    forecasts, actuals = np.array([10.0, 10.0, 20.0]), np.array([11.0, 8.0, 20.0])
    assert mean_absolute_error(forecasts, actuals) == pytest.approx(1.0)
    assert root_mean_squared_error(forecasts, actuals) == pytest.approx(np.sqrt(5 / 3))
    assert mean_absolute_percentage_error(forecasts, actuals) == pytest.approx(100 * (1 / 11 + 2 / 8) / 3)


@pytest.mark.parametrize("share", [0.8, 0.9, 0.95])
def test_the_winkler_score_is_scoringrules_interval_score(share: float) -> None:
    random = np.random.default_rng(4)
    lower, actuals = random.normal(size=200), 2 * random.normal(size=200)
    upper = lower + random.exponential(size=200)
    expected = scoringrules.interval_score(actuals, lower, upper, 1 - share)
    np.testing.assert_allclose(winkler(lower, upper, actuals, share), expected)


def test_the_winkler_score_by_hand() -> None:
    edges = np.full(3, -1.0), np.full(3, 1.0)
    np.testing.assert_allclose(winkler(*edges, np.array([0.5, 1.5, -3.0]), 0.9), [2.0, 2 + 10.0, 2 + 40.0])
