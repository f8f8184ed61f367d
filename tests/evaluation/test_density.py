"""The density behind the quantiles, against closed forms, numbers of scoringrules and numeric integrals."""

from __future__ import annotations

import numpy as np
import pytest
import scoringrules
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from stockcast.evaluation.density import log_score, qlike
from stockcast.forecasting.distribution import Distribution
from stockcast.forecasting.quantiles import LEVELS


def rows(distribution: object, count: int) -> np.ndarray:
    return np.tile(distribution.ppf(LEVELS), (count, 1))  # type: ignore[attr-defined]


def grid(distribution: object, points: int = 400_001) -> np.ndarray:
    """Returns far beyond both outermost levels, evenly spaced."""
    reach = 30 * abs(distribution.ppf(LEVELS[0]))  # type: ignore[attr-defined]
    return np.linspace(-reach, reach, points)


def test_between_the_levels_a_uniform_distribution_is_met_exactly() -> None:
    actuals = np.linspace(-0.9, 0.9, 101)
    uniform = stats.uniform(-1, 2)
    np.testing.assert_allclose(log_score(rows(uniform, 101), actuals), np.log(2), atol=1e-4)


def test_beyond_the_levels_an_exponential_tail_is_met_exactly() -> None:
    laplace = stats.laplace(scale=0.01)
    actuals = np.concatenate([np.linspace(-0.12, -0.031, 50), np.linspace(0.031, 0.12, 50)])
    np.testing.assert_allclose(log_score(rows(laplace, 100), actuals), -laplace.logpdf(actuals), atol=0.01)
    np.testing.assert_allclose(
        Distribution.of(rows(laplace, 100)).probability(actuals), laplace.cdf(actuals), atol=2e-4
    )


def test_the_log_score_of_a_normal_distribution_is_close_to_its_closed_form() -> None:
    actuals = np.random.default_rng(1).normal(0, 0.02, 20_000)
    exact = scoringrules.logs_normal(actuals, 0.0, 0.02).mean()
    assert log_score(rows(stats.norm(0, 0.02), len(actuals)), actuals).mean() == pytest.approx(exact, abs=0.01)


@pytest.mark.parametrize("distribution", [stats.norm(0, 0.02), stats.t(4, scale=0.02), stats.laplace(0.001, 0.01)])
def test_density_probability_and_second_moment_belong_together(distribution: object) -> None:
    points = grid(distribution)
    step = points[1] - points[0]
    density = Distribution.of(np.broadcast_to(rows(distribution, 1), (len(points), len(LEVELS))))
    heights = np.exp(density.log_density(points))
    assert heights.sum() * step == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(np.cumsum(heights) * step, density.probability(points), atol=2e-3)
    assert (points**2 * heights).sum() * step == pytest.approx(density.second_moment[0], rel=2e-3)


@pytest.mark.parametrize("scale", [0.005, 0.05])
def test_the_implied_variance_of_a_normal_distribution_is_close_to_its_own(scale: float) -> None:
    assert Distribution.of(rows(stats.norm(0, scale), 1)).second_moment[0] == pytest.approx(scale**2, rel=0.04)


def test_the_pit_of_the_true_distribution_is_even() -> None:
    actuals = stats.t.rvs(5, size=20_000, random_state=np.random.default_rng(2)) * 0.02
    values = Distribution.of(rows(stats.t(5, scale=0.02), len(actuals))).probability(actuals)
    assert stats.kstest(values, "uniform").statistic < 0.01


def test_qlike_is_that_of_patton_less_a_part_without_the_forecast() -> None:
    actuals = np.random.default_rng(3).normal(0, 0.02, 500)
    quantiles = rows(stats.norm(0, 0.03), 500)
    ratio = actuals**2 / Distribution.of(quantiles).second_moment
    np.testing.assert_allclose(qlike(quantiles, actuals) - np.log(actuals**2), ratio - np.log(ratio))


@pytest.mark.parametrize("loss", [log_score, qlike])
def test_both_prefer_the_distribution_that_the_actuals_come_from(loss: object) -> None:
    actuals = np.random.default_rng(4).normal(0, 0.02, 5000)
    at = {scale: loss(rows(stats.norm(0, scale), 5000), actuals).mean() for scale in (0.014, 0.02, 0.03)}  # type: ignore[operator]
    assert at[0.02] < min(at[0.014], at[0.03])


@given(st.integers(0, 100), st.floats(-1, 1))
def test_quantiles_that_coincide_have_a_finite_density(seed: int, actual: float) -> None:
    random = np.random.default_rng(seed)
    quantiles = np.sort(np.round(random.normal(0, 0.01, (1, len(LEVELS))), 2), axis=1)  # many are equal
    density = Distribution.of(quantiles)
    value = np.array([actual])
    assert np.isfinite(log_score(quantiles, value)).all()
    assert np.isfinite(qlike(quantiles, value)).all()
    assert 0 <= density.probability(value)[0] <= 1
