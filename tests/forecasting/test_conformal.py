"""Conformal intervals: they hold what they promise, and know only what had come true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from stockcast.evaluation.split import Split
from stockcast.forecasting import recalibrated
from stockcast.forecasting.conformal import (
    CENTRAL,
    LEAST,
    MOST,
    PRIOR_SCORES,
    Adaptation,
    adapt,
    ask_for,
    recalibration,
    scores,
)
from stockcast.forecasting.context import Context
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.forecaster import TrainingPair
from stockcast.forecasting.quantiles import LEVELS, MEDIAN, QuantileForecast
from stockcast.forecasting.recalibrated import recalibrate
from stockcast.forecasting.returns import Floats

SmallSplit = tuple[Split, list[TrainingPair]]
TODAY = Context(np.full(60, 20.0))
HORIZON = 3
UNIT = stats.t.ppf(LEVELS, 5)
coverages_of = st.floats(LEAST, MOST)
scores_of = st.one_of(st.floats(0, 1), st.just(float("nan")))


def said(quantiles: Floats) -> QuantileForecast:
    """A forecast of these log returns. [H, Q]"""
    return QuantileForecast(TODAY, "test", quantiles)


def too_narrow(count: int, factor: float, seed: int, horizon: int = 1) -> tuple[list[QuantileForecast], Floats]:
    """Forecasts of a Student-t whose true scale is `factor` times as large, and what came. N, [N, H]"""
    came = 0.01 * factor * np.random.default_rng(seed).standard_t(5, (count, horizon))
    return [said(np.tile(0.01 * UNIT, (horizon, 1)))] * count, came


def held(forecasts: Sequence[QuantileForecast], came: Floats, share: float) -> Floats:
    """Share of what came inside the central interval, per horizon. [H]"""
    stacked = np.stack([forecast.log_returns for forecast in forecasts])
    edge = round((1 - share) / 2 * 40) - 1
    inside = (came >= stacked[:, :, edge]) & (came <= stacked[:, :, -1 - edge])
    return np.asarray(inside.mean(axis=0))


@given(
    seed=st.integers(0, 1000),
    digits=st.sampled_from([1, 2, 15]),
    scale=st.sampled_from([0.0, 1e-5, 0.01, 3.0]),
    asked=arrays(np.float64, (2, len(CENTRAL)), elements=coverages_of),
)
def test_quantiles_never_cross_and_the_median_stays_whatever_is_asked(
    seed: int, digits: int, scale: float, asked: Floats
) -> None:
    random = np.random.default_rng(seed)
    quantiles = np.round(np.sort(random.normal(0.001, 1, (2, len(LEVELS))) * scale, axis=1), digits)
    [found] = ask_for([said(quantiles)], asked)
    assert np.isfinite(found.log_returns).all()
    assert (np.diff(found.log_returns, axis=1) >= 0).all()
    np.testing.assert_array_equal(found.log_returns[:, MEDIAN], quantiles[:, MEDIAN])
    assert found.context is TODAY


def test_what_is_promised_already_hardly_moves() -> None:
    [found] = ask_for([said(0.01 * UNIT[None])], CENTRAL[None])
    np.testing.assert_allclose(found.log_returns, 0.01 * UNIT[None], atol=5.1e-5)
    assert ask_for([], CENTRAL[None]) == []


def test_a_larger_coverage_gives_the_interval_of_that_coverage() -> None:
    asked = np.minimum(CENTRAL + 0.025, MOST)
    [found] = ask_for([said(0.01 * UNIT[None])], asked[None])
    expected = 0.01 * stats.t.ppf((1 + asked) / 2, 5)
    np.testing.assert_allclose(found.log_returns[0, MEDIAN + 1 : -2], expected[:-2], atol=3e-4)
    np.testing.assert_allclose(found.log_returns[0], -found.log_returns[0, ::-1], atol=1e-12)


def test_each_forecast_and_horizon_is_read_at_its_own_coverages() -> None:
    forecasts = [said(np.stack([0.01 * UNIT, 0.02 * UNIT]))] * 2
    asked = np.stack([np.stack([CENTRAL, 0.5 * CENTRAL]), np.stack([0.7 * CENTRAL, 0.9 * CENTRAL])])
    together = ask_for(forecasts, asked)
    for forecast, found, own in zip(forecasts, together, asked, strict=True):
        [alone] = ask_for([forecast], own)
        np.testing.assert_array_equal(found.log_returns, alone.log_returns)
    assert np.ptp(together[0].log_returns[1]) < np.ptp(forecasts[0].log_returns[1])


def test_scores_of_the_true_distribution_are_even() -> None:
    forecasts, came = too_narrow(20_000, 1.0, seed=1, horizon=2)
    for column in scores(forecasts, came).T:
        assert stats.kstest(column, "uniform").statistic < 0.012


def test_the_score_of_what_is_not_known_yet_is_not_known() -> None:
    forecasts, came = too_narrow(5, 1.0, seed=2, horizon=2)
    came[3:, 1] = np.nan
    came[4] = np.nan
    np.testing.assert_array_equal(np.isnan(scores(forecasts, came)), np.isnan(came))


def test_a_score_is_the_coverage_of_the_interval_that_just_holds_what_came() -> None:
    forecasts, came = too_narrow(200, 1.5, seed=3)
    for forecast, value, score in zip(forecasts, came[:, 0], scores(forecasts, came)[:, 0], strict=True):
        if not LEAST <= score <= MOST:
            continue
        [read] = ask_for([forecast], np.full((1, len(CENTRAL)), score))
        edge = read.log_returns[0, -1] if value > 0 else read.log_returns[0, 0]
        assert edge == pytest.approx(value, rel=1e-6)


def test_recalibration_restores_even_scores() -> None:
    forecasts, came = too_narrow(30_000, 2.0, seed=4, horizon=2)
    asked = recalibration(scores(forecasts[:20_000], came[:20_000]))
    mended = ask_for(forecasts[20_000:], asked)
    before = scores(forecasts[20_000:], came[20_000:])
    after = scores(mended, came[20_000:])
    for column, other in zip(after.T, before.T, strict=True):
        assert stats.kstest(other, "uniform").statistic > 0.2
        assert stats.kstest(column, "uniform").statistic < 0.03
    for share in (0.5, 0.8, 0.9, 0.95):
        np.testing.assert_allclose(held(mended, came[20_000:], share), share, atol=0.02)


def test_recalibration_needs_evidence() -> None:
    np.testing.assert_array_equal(recalibration(np.empty((0, 2))), np.tile(CENTRAL, (2, 1)))
    np.testing.assert_array_equal(recalibration(np.full((9, 1), np.nan)), CENTRAL[None])
    few, many = (recalibration(scores(*too_narrow(count, 2.0, seed=5))) for count in (10, 10_000))
    assert np.abs(few - CENTRAL).max() < 0.02
    assert np.abs(many - CENTRAL).max() > 0.2
    [column] = recalibration(np.full((int(PRIOR_SCORES), 1), 0.7))
    np.testing.assert_allclose(column, np.clip((0.7 + CENTRAL) / 2, LEAST, MOST))


@given(data=arrays(np.float64, (40, 2), elements=scores_of))
def test_recalibration_asks_for_coverages_that_rise(data: Floats) -> None:
    asked = recalibration(data)
    assert (np.diff(asked, axis=1) >= 0).all()
    assert (asked >= LEAST).all()
    assert (asked <= MOST).all()


@given(
    found=arrays(np.float64, (30, HORIZON), elements=scores_of), row=st.integers(0, 29), seed=st.integers(0, 99)
)
def test_adaptation_knows_only_what_had_come_true(found: Floats, row: int, seed: int) -> None:
    other = np.array(found)
    for column in range(HORIZON):  # the outcome of cutoff c, column + 1 sessions ahead, is known at c + column + 1
        unknown = slice(max(0, row - column), None)
        other[unknown, column] = np.random.default_rng(seed).random(len(other[unknown, column]))
    expected, _ = adapt(found, 0.05, Adaptation.fresh(HORIZON))
    changed, _ = adapt(other, 0.05, Adaptation.fresh(HORIZON))
    np.testing.assert_array_equal(changed[: row + 1], expected[: row + 1])


def test_what_has_just_come_true_is_used_at_once() -> None:
    base, _ = adapt(np.full((10, HORIZON), 0.5), 0.05, Adaptation.fresh(HORIZON))
    for column in range(HORIZON):
        found = np.full((10, HORIZON), 0.5)
        found[4, column] = 0.999
        changed, _ = adapt(found, 0.05, Adaptation.fresh(HORIZON))
        differs = (changed != base).any(axis=2)
        assert np.flatnonzero(differs[:, column])[0] == 4 + column + 1
        assert not np.delete(differs, column, axis=1).any()


@given(
    found=arrays(np.float64, (24, HORIZON), elements=scores_of),
    cuts=st.lists(st.integers(0, 24), min_size=1, max_size=3),
)
def test_adapting_in_parts_equals_adapting_at_once(found: Floats, cuts: list[int]) -> None:
    whole, end = adapt(found, 0.05, Adaptation.fresh(HORIZON))
    state, parts = Adaptation.fresh(HORIZON), []
    for start, stop in zip([0, *sorted(cuts)], [*sorted(cuts), 24], strict=True):
        part, state = adapt(found[start:stop], 0.05, state)
        parts.append(part)
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    np.testing.assert_array_equal(state.asked, end.asked)
    np.testing.assert_array_equal(state.open, end.open)
    np.testing.assert_array_equal(state.open_scores, end.open_scores)
    assert len(state.open) == HORIZON


@given(found=arrays(np.float64, (30, HORIZON), elements=scores_of), step=st.sampled_from([0.0, 0.005, 0.1]))
def test_what_adaptation_asks_for_rises_and_leaves_the_bounds_by_a_few_steps_at_most(
    found: Floats, step: float
) -> None:
    asked, _ = adapt(found, step, Adaptation.fresh(HORIZON))
    assert (np.diff(asked, axis=2) >= 0).all()
    assert (asked >= -HORIZON * step).all()
    assert (asked <= 1 + HORIZON * step).all()
    if step == 0:
        np.testing.assert_array_equal(asked, np.broadcast_to(CENTRAL, asked.shape))


def test_missing_feedback_changes_nothing() -> None:
    nothing = np.full((20, HORIZON), np.nan)
    asked, state = adapt(nothing, 0.05, Adaptation.fresh(HORIZON))
    np.testing.assert_array_equal(asked, np.broadcast_to(CENTRAL, asked.shape))
    np.testing.assert_array_equal(state.asked, np.tile(CENTRAL, (HORIZON, 1)))
    one = nothing.copy()
    one[3, 1] = 0.7
    asked, _ = adapt(one, 0.05, Adaptation.fresh(HORIZON))
    assert (asked[:5] == CENTRAL).all()
    moved = (asked[5:] != CENTRAL).any(axis=2)
    np.testing.assert_array_equal(moved, np.tile([False, True, False], (15, 1)))


def test_adapting_to_nothing_keeps_the_state() -> None:
    _, state = adapt(np.random.default_rng(6).random((9, HORIZON)), 0.05, Adaptation.fresh(HORIZON))
    asked, same = adapt(np.empty((0, HORIZON)), 0.05, state)
    assert asked.shape == (0, HORIZON, len(CENTRAL))
    np.testing.assert_array_equal(same.asked, state.asked)
    np.testing.assert_array_equal(same.open, state.open)


@pytest.mark.parametrize("factor", [2.0, 1.5, 0.5])
def test_coverage_converges_to_what_is_promised(factor: float) -> None:
    forecasts, came = too_narrow(4000, factor, seed=7, horizon=2)
    asked, _ = adapt(scores(forecasts, came), 0.01, Adaptation.fresh(2))
    mended = ask_for(forecasts, asked)
    for share in (0.5, 0.8, 0.9, 0.95):
        before, after = held(forecasts, came, share), held(mended[1500:], came[1500:], share)
        if factor == 2.0 and share == 0.95:  # which would need more than MOST now and then
            assert (after > before + 0.08).all()
            continue
        np.testing.assert_allclose(after, share, atol=0.025)
        assert (np.abs(before - share) > 0.025).all()


def test_fewer_cutoffs_than_horizons_are_adapted_too() -> None:
    """As for a ticker that has just got its first sixty closes."""
    for count in range(1, 7):
        asked, state = adapt(np.full((count, 5), np.nan), 0.05, Adaptation.fresh(5))
        assert asked.shape == (count, 5, len(CENTRAL))
        assert len(state.open) == min(count, 5)


def test_adaptation_follows_a_change_and_comes_back() -> None:
    narrow, came = too_narrow(1500, 2.0, seed=8)
    right, calm = too_narrow(1500, 1.0, seed=9)
    asked, _ = adapt(scores([*narrow, *right], np.concatenate([came, calm])), 0.02, Adaptation.fresh(1))
    assert asked[1400, 0, 11] > 0.75
    assert asked[2900, 0, 11] == pytest.approx(CENTRAL[11], abs=0.1)


@dataclass
class Counting:
    """Remembers the cutoffs that it was asked for."""

    inner: EwmaForecaster = field(default_factory=EwmaForecaster)

    def __post_init__(self) -> None:
        self.asked: list[Context] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def forecast(self, contexts: Sequence[Context]) -> list[QuantileForecast]:
        self.asked.extend(contexts)
        return self.inner.forecast(contexts)


def test_a_forecaster_is_recalibrated_on_its_validation_part_alone(small_split: SmallSplit) -> None:
    split, pairs = small_split
    counting = Counting()
    found = recalibrate(counting, pairs, 0.01)  # type: ignore[arg-type]
    cutoffs = [context.cutoff for context in counting.asked if context.cutoff]
    assert min(cutoffs) == split.validation_start
    assert max(cutoffs) < split.validation_end
    assert len(cutoffs) == sum(len(pair.history) - 1 - pair.first_cutoff for pair in pairs)
    assert (found.trained_until, found.adaptation, found.kind) == (split.validation_end, 0.01, "ewma")
    assert found.coverages.shape == (5, len(CENTRAL))


def test_a_long_validation_is_sampled_evenly(small_split: SmallSplit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recalibrated, "MOST_CUTOFFS", 50)
    counting = Counting()
    recalibrate(counting, small_split[1], 0.0)  # type: ignore[arg-type]
    assert 40 <= len(counting.asked) <= 75
    assert {context.ticker for context in counting.asked} == {"AAPL", "IBM"}


def test_a_recalibrated_forecaster_is_wider_where_the_other_was_too_narrow(small_split: SmallSplit) -> None:
    narrow = EwmaForecaster(scales=tuple(0.4 * scale for scale in EwmaForecaster().scales))
    found = recalibrate(narrow, small_split[1], 0.0)
    context = Context(small_split[1][0].history.close[-60:])
    [before], [after] = narrow.forecast([context]), found.forecast([context])
    assert (np.ptp(after.log_returns, axis=1) > 1.05 * np.ptp(before.log_returns, axis=1)).all()
    np.testing.assert_array_equal(after.median, before.median)
