from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.config import DriftConfig
from stockcast.forecasting.returns import log_returns, to_prices
from stockcast.monitoring.findings import Finding
from stockcast.monitoring.shape import ShapeReference
from stockcast.monitoring.shape_check import check_shape
from stockcast.monitoring.window_features import FEATURES, measure_features, place_of
from stockcast.prices.window import PriceWindow

CONFIG = DriftConfig()
NAMES = [feature.name for feature in FEATURES]


@pytest.fixture(scope="module")
def reference(make_frame) -> ShapeReference:
    fitted = ShapeReference.fit([make_frame(seed=seed, count=1500, ticker=f"T{seed}") for seed in range(4)], 60)
    assert fitted is not None
    return fitted


def found(closes: np.ndarray, reference: ShapeReference, config: DriftConfig = CONFIG) -> Finding | None:
    findings, unjudged = check_shape(PriceWindow(closes), reference, config)
    assert unjudged == []
    return findings[0] if findings else None


def features(closes: np.ndarray) -> dict[str, float]:
    return dict(zip(NAMES, measure_features(closes[None, :])[0], strict=True))


def path(returns: np.ndarray) -> np.ndarray:
    return to_prices(30.0, np.concatenate(([0.0], np.cumsum(returns))))


def with_move(closes: np.ndarray, row: int, times: float) -> np.ndarray:
    """One return set to so many times the mean size of the others."""
    returns = log_returns(closes)
    others = np.abs(np.delete(returns, row - 1)).mean()
    returns[row - 1] = times * others
    return path(returns)


def with_close_off(closes: np.ndarray, row: int, times: float) -> np.ndarray:
    changed = closes.copy()
    changed[row] *= np.exp(times * np.abs(log_returns(closes)).mean())
    return changed


def test_healthy_windows_of_any_volatility_are_seldom_called_unusual(reference) -> None:
    returns = np.random.default_rng(8).standard_t(5, (300, 59))
    told = [found(path(daily * moves), reference) for moves in returns for daily in (0.003, 0.05)]
    assert np.mean([finding is not None for finding in told]) <= 0.03
    assert [finding for finding in told if finding and finding.severity == "red"] == []


@given(seed=st.integers(0, 10**6), factor=st.floats(1e-6, 1e6), mood=st.floats(0.1, 5))
def test_neither_another_unit_nor_another_mood_changes_a_feature(seed, factor, mood) -> None:
    closes = path(0.01 * np.random.default_rng(seed).standard_t(5, 59))
    other = factor * path(mood * log_returns(closes))
    assert measure_features(other[None, :]) == pytest.approx(measure_features(closes[None, :]), rel=1e-4, abs=1e-6)


def test_features_are_what_they_say() -> None:
    returns = np.resize([0.01, 0.01, -0.01], 59)
    returns[30], returns[31] = 0.08, -0.05
    measured = features(path(returns))
    typical = (0.05 + 57 * 0.01) / 58
    assert measured["largest_move"] == pytest.approx(0.08 / typical)
    assert measured["move_and_back"] == pytest.approx(0.05 / typical)
    assert place_of("largest_move", path(returns)) == place_of("move_and_back", path(returns)) == (31,)
    assert features(path(np.resize([0.01, -0.01], 59)))["next_move"] < -0.9
    assert features(path(np.full(59, 0.01)))["one_way"] == pytest.approx(np.sqrt(59))
    still = path(np.resize([0.01, 0.0, -0.01, 0.0], 59))
    assert features(still)["repeated_closes"] == pytest.approx(29 / 59)
    assert place_of("repeated_closes", still)[:2] == (2, 4)
    walk = features(path(0.01 * np.random.default_rng(1).choice([-1.0, 1.0], 59)))
    jumble = np.random.default_rng(1).permutation(np.linspace(30, 31, 60))
    assert walk["roughness"] < 0.7 < 1.5 < features(jumble)["roughness"] < 2.5


def averaged(closes: np.ndarray) -> np.ndarray:
    return np.convolve(np.pad(closes, 1, "edge"), np.full(3, 1 / 3), "valid")


SPOILT: list[tuple[str, Callable[[np.ndarray], np.ndarray], str, str]] = [
    ("order lost", lambda closes: np.random.default_rng(3).permutation(closes), "roughness", "red"),
    ("a huge move", lambda closes: with_move(closes, 30, 40), "largest_move", "amber"),
    ("all moves of one size", lambda closes: path(np.resize([0.01, 0.01, -0.01], 59)), "largest_move", "red"),
    ("one close off", lambda closes: with_close_off(closes, 30, 14), "move_and_back", "amber"),
    ("averaged", averaged, "next_move", "red"),
    ("up day by day", lambda closes: path(np.abs(log_returns(closes))), "one_way", "red"),
    ("every other close copied", lambda closes: np.repeat(closes[:30], 2), "repeated_closes", "red"),
]


@pytest.mark.parametrize(
    ("spoil", "measure", "severity"), [row[1:] for row in SPOILT], ids=[row[0] for row in SPOILT]
)
def test_what_was_done_to_the_closes_is_told(make_window, reference, spoil, measure, severity) -> None:
    finding = found(spoil(make_window(seed=4).closes), reference)
    assert finding is not None
    assert (finding.layer, finding.severity, finding.measure) == ("shape", severity, measure)
    small = spoil is SPOILT[2][1]
    assert (finding.value < finding.threshold) == small
    assert bool(finding.positions) == (
        measure in ("largest_move", "move_and_back", "repeated_closes") and not small
    )
    assert finding.sentence.count("99 % of the training windows stay") in (1, 2)


def test_the_largest_move_is_told_with_its_size_its_session_and_what_is_usual(make_window, reference) -> None:
    window = make_window(seed=7)
    closes = with_move(window.closes, 30, 25)
    (finding,), _ = check_shape(PriceWindow(closes, window.sessions), reference, CONFIG)
    usual = reference.features["largest_move"].grid[11]
    assert finding.sentence == (
        f"The largest move, on {window.sessions[30]}, is 25.0 times the typical move; "
        f"99 % of the training windows stay below {usual:.2g}."
    )
    assert finding.positions == (30,)


def test_two_unusual_features_are_told_together(make_window, reference) -> None:
    closes = with_close_off(make_window(seed=7).closes, 30, 40)
    finding = found(closes, reference)
    assert finding is not None
    assert "taken back" in finding.sentence
    assert "largest move" in finding.sentence


def test_a_market_that_always_looks_like_this_is_not_unusual(make_frame) -> None:
    """Closes in coarse steps repeat, in training as after it."""

    def coarse(seed: int, count: int) -> np.ndarray:
        return np.round(make_frame(seed=seed, count=count, daily=0.004).close)

    frame = make_frame(seed=1, count=1500)
    thin = ShapeReference.fit([replace(frame, close=coarse(1, 1500))], 60)
    fine = ShapeReference.fit([frame], 60)
    window = coarse(9, 60)
    assert features(window)["repeated_closes"] > 0.5
    assert found(window, thin) is None
    assert found(window, fine) is not None


def test_the_levels_of_the_config_decide(reference) -> None:
    windows = [path(0.01 * moves) for moves in np.random.default_rng(9).standard_t(5, (60, 59))]

    def told(**fields: float) -> int:
        config = DriftConfig(**{"shape_red": 0.001, "shape_red_odds": 10**9, **fields})
        return sum(found(closes, reference, config) is not None for closes in windows)

    strict, loose = told(shape_amber_odds=10**8), told(shape_amber=0.5, shape_amber_odds=5)
    assert strict == 0 < 10 < loose
    assert told(shape_amber=0.01, shape_amber_odds=5) < loose  # the share counts as well as the odds


def test_a_few_training_windows_are_too_few_to_judge_by(make_frame, make_window) -> None:
    few = ShapeReference.fit([make_frame(count=100)], 60)
    findings, unjudged = check_shape(PriceWindow(make_window(seed=3).closes[::-1].copy()), few, CONFIG)
    assert findings == []
    assert unjudged == ["The model has learnt from 9 windows: too few to call the shape of another unusual."]


def test_the_p_value_counts_the_window_itself(reference) -> None:
    assert reference.p_value(np.inf) == pytest.approx(1 / (reference.windows + 1))
    assert reference.p_value(-1.0) == 1.0
    assert reference.p_value(reference.scores[9]) == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize("lookback", [20, 250])
def test_other_window_lengths_have_a_shape_too(make_frame, lookback: int) -> None:
    reference = ShapeReference.fit([make_frame(seed=1, count=2500)], lookback)
    closes = make_frame(seed=2, count=lookback).close
    assert found(closes, reference) is None
    assert found(np.random.default_rng(5).permutation(closes), reference) is not None
