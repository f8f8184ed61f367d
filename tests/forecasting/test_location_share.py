"""How much of a network's location is believed: nothing without evidence, little with a little."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.forecasting.location_share import location_share


def days(count: int) -> np.ndarray:
    return np.datetime64("2020-01-01", "D") + np.arange(count)


@given(seed=st.integers(0, 10_000), count=st.integers(1, 400), strength=st.floats(0, 1))
def test_it_is_a_share(seed: int, count: int, strength: float) -> None:
    random = np.random.default_rng(seed)
    locations = random.normal(0, 0.1, count)
    targets = strength * locations + random.standard_t(5, count)
    assert 0.0 <= location_share(locations, targets, days(count)) <= 1.0


@pytest.mark.parametrize("locations", [np.zeros(200), np.full(200, 0.1)])
def test_locations_that_gain_nothing_are_not_believed(locations: np.ndarray) -> None:
    targets = -np.abs(np.random.default_rng(0).normal(size=200))
    assert location_share(locations, targets, days(200)) == 0.0


def test_prices_that_stand_still_have_no_location() -> None:
    assert location_share(np.full(50, 0.1), np.zeros(50), days(50)) == 0.0


def test_one_session_is_no_evidence() -> None:
    same_day = np.repeat(days(1), 40)
    assert location_share(np.full(40, 0.1), np.full(40, 0.1), same_day) == 0.0


def test_a_certain_gain_is_believed_whole() -> None:
    targets = np.where(np.arange(400) % 2, 1.0, -1.0)
    assert location_share(0.1 * targets, targets, days(400)) == pytest.approx(1.0)


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
    assert shares[0] < 0.1
    assert shares[-1] > 0.3


def test_tickers_that_move_together_are_one_witness_a_session() -> None:
    random = np.random.default_rng(2)
    locations = random.normal(0, 0.1, 300)
    targets = 3 * locations + random.standard_t(5, 300)
    alone = location_share(locations, targets, days(300))
    ten = location_share(np.tile(locations, 10), np.tile(targets, 10), np.tile(days(300), 10))
    assert alone > 0
    assert ten == pytest.approx(alone)
