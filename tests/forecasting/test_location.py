"""How much of a mean return is believed: nothing without evidence, little with a little."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.forecasting.location import TRUST, common_drift, location_share


def days(count: int) -> np.ndarray:
    return np.datetime64("2020-01-01", "D") + np.arange(count)


@given(seed=st.integers(0, 10_000), count=st.integers(1, 400), strength=st.floats(0, 1))
def test_it_is_a_share(seed: int, count: int, strength: float) -> None:
    random = np.random.default_rng(seed)
    locations = random.normal(0, 0.1, count)
    targets = strength * locations + random.standard_t(5, count)
    assert 0.0 <= location_share(locations, targets, days(count)) <= TRUST


@pytest.mark.parametrize("locations", [np.zeros(200), np.full(200, 0.1)])
def test_locations_that_gain_nothing_are_not_believed(locations: np.ndarray) -> None:
    targets = -np.abs(np.random.default_rng(0).normal(size=200))
    assert location_share(locations, targets, days(200)) == 0.0


def test_prices_that_stand_still_have_no_location() -> None:
    assert location_share(np.full(50, 0.1), np.zeros(50), days(50)) == 0.0


def test_one_session_is_no_evidence() -> None:
    same_day = np.repeat(days(1), 40)
    assert location_share(np.full(40, 0.1), np.full(40, 0.1), same_day) == 0.0


def test_a_certain_gain_is_believed_as_far_as_any() -> None:
    targets = np.where(np.arange(400) % 2, 1.0, -1.0)
    assert location_share(0.1 * targets, targets, days(400)) == pytest.approx(TRUST)


def test_the_same_gain_counts_less_when_its_evidence_is_thin() -> None:
    random = np.random.default_rng(1)
    locations = random.normal(0, 0.1, 40_000)
    targets = 3 * locations + random.standard_t(5, 40_000)
    shares = [
        np.mean(
            [
                location_share(locations[start : start + count], targets[start : start + count], days(count))
                for start in range(0, 40_000, count)
            ]
        )
        for count in (50, 500, 5000, 40_000)
    ]
    assert shares == sorted(shares)
    assert shares[0] < 0.1 * TRUST
    assert shares[-1] > 0.3 * TRUST


def test_tickers_that_move_together_are_one_witness_a_session() -> None:
    random = np.random.default_rng(2)
    locations = random.normal(0, 0.1, 300)
    targets = 3 * locations + random.standard_t(5, 300)
    alone = location_share(locations, targets, days(300))
    ten = location_share(np.tile(locations, 10), np.tile(targets, 10), np.tile(days(300), 10))
    assert alone > 0
    assert ten == pytest.approx(alone)


def test_a_drift_of_prices_that_stand_still_or_of_one_session_is_none() -> None:
    assert common_drift(np.zeros(300), days(300)) == 0.0
    assert common_drift(np.full(30, 0.3), np.repeat(days(1), 30)) == 0.0
    assert common_drift(np.empty(0), days(0)) == 0.0


def test_a_certain_drift_is_believed_as_far_as_any() -> None:
    targets = np.where(np.arange(1000) % 2, 0.05, 0.15)
    assert common_drift(targets, days(1000)) == pytest.approx(0.1 * TRUST, rel=0.01)
    assert common_drift(-targets, days(1000)) == pytest.approx(-0.1 * TRUST, rel=0.01)


@given(seed=st.integers(0, 10_000), count=st.integers(2, 400), drift=st.floats(-0.3, 0.3))
def test_a_drift_never_exceeds_the_mean_nor_turns_it_round(seed: int, count: int, drift: float) -> None:
    targets = drift + np.random.default_rng(seed).standard_t(5, count)
    found = common_drift(targets, days(count))
    weights = 6 / (5 + targets**2)
    mean = (weights * targets).sum() / weights.sum()
    assert 0 <= found * np.sign(mean) <= TRUST * abs(mean) + 1e-12
    assert common_drift(-targets, days(count)) == pytest.approx(-found)


def test_where_there_is_no_drift_hardly_any_is_found() -> None:
    random = np.random.default_rng(5)
    found = [common_drift(random.standard_t(5, 2000), days(2000)) for _ in range(200)]
    assert np.mean([drift == 0 for drift in found]) > 0.6
    assert np.abs(found).max() < 0.04
    assert abs(np.mean(found)) < 0.002


def test_a_wild_day_decides_no_drift() -> None:
    targets = np.random.default_rng(6).standard_t(5, 2000)
    wild = np.where(np.arange(2000) == 77, 400.0, targets)
    assert common_drift(wild, days(2000)) == pytest.approx(common_drift(targets, days(2000)), abs=2e-3)


def test_tickers_that_move_together_are_one_witness_of_a_drift() -> None:
    targets = 0.2 + np.random.default_rng(7).standard_t(5, 1000)
    alone = common_drift(targets, days(1000))
    assert alone > 0
    assert common_drift(np.tile(targets, 10), np.tile(days(1000), 10)) == pytest.approx(alone)
    # Ten that do not move together are better evidence.
    independent = 0.2 + np.random.default_rng(7).standard_t(5, 10_000)
    tenth = common_drift(independent, np.tile(days(1000), 10))
    weights = 6 / (5 + independent**2)
    assert tenth > 0.98 * TRUST * (weights * independent).sum() / weights.sum()
