"""Student's t against scipy, which computes it by other means."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from stockcast.forecasting import student_t
from stockcast.forecasting.quantiles import LEVELS


@given(location=st.floats(-1, 1), scale=st.floats(1e-4, 10), df=st.floats(2.1, 60))
def test_quantiles_are_those_of_scipy(location: float, scale: float, df: float) -> None:
    found = student_t.quantiles(np.array([location]), np.array([scale]), np.array([df]))
    np.testing.assert_allclose(found[0], stats.t.ppf(LEVELS, df, location, scale), rtol=1e-9, atol=1e-12)


@given(scale=st.floats(0.01, 10), df=st.floats(2.1, 60), seed=st.integers(0, 100))
def test_the_likelihood_is_that_of_scipy(scale: float, df: float, seed: int) -> None:
    values = np.random.default_rng(seed).normal(0, 2, 50)
    expected = -stats.t.logpdf(values, df, 0, scale).mean()
    assert student_t.negative_log_likelihood(values, scale, df) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("df", "scale"), [(2.5, 0.8), (5.0, 1.3), (30.0, 0.02)])
def test_the_fit_is_as_likely_as_the_fit_of_scipy(df: float, scale: float) -> None:
    values = stats.t.rvs(df, scale=scale, size=4000, random_state=np.random.default_rng(3))
    found_scale, found_df = student_t.fit(values)
    their_df, _, their_scale = stats.t.fit(values, floc=0)
    assert student_t.negative_log_likelihood(values, found_scale, found_df) == pytest.approx(
        student_t.negative_log_likelihood(values, their_scale, their_df), abs=1e-5
    )
    assert found_scale == pytest.approx(scale, rel=0.1)


def test_the_degrees_of_freedom_stay_within_their_bounds() -> None:
    random = np.random.default_rng(0)
    assert student_t.fit(random.normal(size=3000))[1] <= student_t.MOST_DF
    assert student_t.fit(random.standard_cauchy(size=3000))[1] >= student_t.LEAST_DF


@pytest.mark.parametrize("zeros", [1.0, 0.9, 0.5])
def test_prices_that_hardly_move_can_be_fitted(zeros: float) -> None:
    random = np.random.default_rng(1)
    values = np.where(random.uniform(size=500) < zeros, 0.0, random.normal(size=500))
    scale, df = student_t.fit(values)
    assert 1e-4 < scale < 10
    assert student_t.LEAST_DF <= df <= student_t.MOST_DF
