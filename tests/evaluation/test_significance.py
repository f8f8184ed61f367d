"""The Diebold-Mariano test: its formula, its sign and its size."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from stockcast.evaluation.significance import DieboldMariano, diebold_mariano, p_text


def test_one_session_ahead_it_is_the_t_test_of_the_mean_difference() -> None:
    random = np.random.default_rng(0)
    losses, reference = random.gamma(2, 1, 80), random.gamma(2, 1.1, 80)
    found = diebold_mariano(losses, reference)
    theirs = stats.ttest_1samp(reference - losses, 0.0)
    assert found.statistic == pytest.approx(theirs.statistic, rel=1e-9)
    assert found.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    assert found.count == 80


def test_further_ahead_it_is_the_formula_of_harvey_leybourne_and_newbold_with_bartlett_weights() -> None:
    random = np.random.default_rng(1)
    losses, reference = random.gamma(2, 1, 60), random.gamma(2, 1.2, 60)
    d, n, h = reference - losses, 60, 3
    gamma = [sum((d[t] - d.mean()) * (d[t - k] - d.mean()) for t in range(k, n)) / n for k in range(h)]
    variance = (gamma[0] + 2 * (2 / 3 * gamma[1] + 1 / 3 * gamma[2])) / n
    expected = d.mean() / np.sqrt(variance) * np.sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n)
    found = diebold_mariano(losses, reference, horizon=h)
    assert found.statistic == pytest.approx(expected)
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(expected), n - 1))


def test_a_positive_statistic_means_a_smaller_loss() -> None:
    reference = np.random.default_rng(2).gamma(2, 1, 100)
    noise = np.random.default_rng(3).normal(0, 0.05, 100)
    better = diebold_mariano(reference - 0.1 + noise, reference)
    worse = diebold_mariano(reference, reference - 0.1 + noise)
    assert better.statistic > 5
    assert better.p_value < 1e-5
    assert worse.statistic == pytest.approx(-better.statistic)
    assert worse.p_value == pytest.approx(better.p_value)


# Bartlett weights understate the variance of overlapping losses: three sessions ahead 10 % instead of 5 %.
@pytest.mark.parametrize(("horizon", "expected"), [(1, 0.05), (3, 0.10)])
def test_how_often_equal_forecasters_are_told_apart(horizon: int, expected: float) -> None:
    shocks = np.random.default_rng(4).standard_t(6, (2, 4000, 200 + horizon - 1))
    losses, reference = np.lib.stride_tricks.sliding_window_view(shocks, horizon, axis=-1).mean(axis=-1)
    rejected = [
        diebold_mariano(mine, other, horizon).p_value < 0.05 for mine, other in zip(losses, reference, strict=True)
    ]
    assert np.mean(rejected) == pytest.approx(expected, abs=0.012)


@pytest.mark.parametrize("count", [0, 1, 9])
def test_too_few_sessions_prove_nothing(count: int) -> None:
    assert diebold_mariano(np.zeros(count), np.ones(count)) == DieboldMariano(0.0, 1.0, count)


@pytest.mark.parametrize("difference", [0.0, 0.1, -0.002])
def test_a_difference_that_never_varies_cannot_be_tested(difference: float) -> None:
    losses = np.linspace(1.0, 2.0, 50)
    found = diebold_mariano(losses, losses + difference)
    assert found == DieboldMariano(0.0, 1.0, 50)


def test_a_p_value_is_written_as_people_do() -> None:
    assert [p_text(p) for p in (0.0211, 0.0004, float("nan"))] == ["p = 0.021", "p < 0.001", "p unknown"]
