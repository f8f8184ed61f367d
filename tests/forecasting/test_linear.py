"""The linear model: it finds what decides the scale, and finds nothing where there is nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from stockcast.evaluation.split import Split
from stockcast.forecasting import student_t
from stockcast.forecasting.forecaster import Group, TrainingPair
from stockcast.forecasting.inputs import (
    CLOSES,
    GROUPS,
    INPUTS,
    MARKET_COLUMNS,
    MARKET_MASK,
    RANGE_COLUMNS,
    RANGE_MASK,
    hide,
)
from stockcast.forecasting.linear import (
    LARGEST_CORRECTION,
    PATTERNS,
    LinearEstimator,
    ScaleModel,
    fit_scale_model,
    patterns_of,
)
from stockcast.forecasting.observer import UNWATCHED
from stockcast.forecasting.returns import Floats
from stockcast.forecasting.training_rows import training_rows
from stockcast.prices.frame import PriceFrame

MakeFrame = Callable[..., PriceFrame]
SmallSplit = tuple[Split, list[TrainingPair]]
MASKS = [RANGE_MASK, MARKET_MASK]
WEIGHED = np.delete(np.arange(len(INPUTS)), MASKS)


def random_inputs(count: int, seed: int) -> Floats:
    """Inputs that know everything. [N, I]"""
    inputs = np.random.default_rng(seed).normal(0, 0.5, (count, len(INPUTS)))
    inputs[:, MASKS] = 1.0
    return inputs


def knowing(inputs: Floats, *patterns: tuple[Group, ...]) -> Floats:
    """Rows that know the groups of these patterns, one after another."""
    shown = np.array(inputs)
    for number in range(len(shown)):
        pattern = patterns[number % len(patterns)]
        for group in GROUPS:
            if group not in pattern:
                shown[number] = hide(shown[number], group)
    return shown


def drawn(log_scale: Floats, seed: int, df: float = 5.0) -> Floats:
    """Student-t targets of two horizons, the second twice as wide. [N] -> [N, 2]"""
    shocks = np.random.default_rng(seed).standard_t(df, (len(log_scale), 2))
    return np.exp(log_scale)[:, None] * shocks * [1.0, 2.0]


def loss(model: ScaleModel, inputs: Floats, targets: Floats) -> float:
    """Mean negative log-likelihood of the first horizon."""
    scale, df = model.outputs(inputs)
    values = [
        student_t.negative_log_likelihood(targets[row : row + 1, 0], scale[row, 0], df[row, 0])
        for row in range(len(inputs))
    ]
    return float(np.mean(values))


def test_it_recovers_the_weights_of_a_students_t_regression() -> None:
    weights = np.zeros(len(INPUTS))
    weights[[0, 3, 8, 12, 20, 30]] = [0.3, -0.2, 0.25, 0.15, -0.3, 0.1]
    inputs = random_inputs(40_000, 1)
    model, groups = fit_scale_model(inputs, drawn(inputs @ weights - 0.2, 2), GROUPS)
    assert groups == GROUPS
    both = PATTERNS.index(("range", "market"))
    for horizon, intercept in enumerate((-0.2, -0.2 + np.log(2))):
        np.testing.assert_allclose(model.weights[both, horizon], weights, atol=0.04)
        assert model.intercepts[both, horizon] == pytest.approx(intercept, abs=0.03)
        assert model.dfs[both, horizon] == pytest.approx(5.0, rel=0.15)


def test_each_pattern_weighs_what_it_knows_and_nothing_else() -> None:
    weights = np.where(np.arange(len(INPUTS)) % 3 == 0, 0.1, 0.0)
    inputs = random_inputs(30_000, 3)
    model, _ = fit_scale_model(inputs, drawn(inputs @ weights, 4), GROUPS)
    for number, pattern in enumerate(PATTERNS):
        hidden = set(MASKS)
        hidden |= set() if "range" in pattern else set(RANGE_COLUMNS)
        hidden |= set() if "market" in pattern else set(MARKET_COLUMNS)
        assert (model.weights[number][:, sorted(hidden)] == 0).all()
        known = sorted(set(range(len(INPUTS))) - hidden)
        np.testing.assert_allclose(model.weights[number][:, known], np.tile(weights[known], (2, 1)), atol=0.05)
    # What is not known widens the rest.
    assert (model.dfs[0] < model.dfs[3]).all()


def test_rows_are_read_by_the_pattern_of_what_they_know() -> None:
    inputs = knowing(random_inputs(40, 5), *PATTERNS)
    np.testing.assert_array_equal(patterns_of(inputs), np.tile(np.arange(4), 10))
    shape = (4, 2)
    model = ScaleModel(
        np.arange(8.0).reshape(shape) / 10, np.zeros((*shape, len(INPUTS))), 3 + np.arange(8.0).reshape(shape)
    )
    scale, df = model.outputs(inputs)
    np.testing.assert_allclose(scale, np.exp(model.intercepts[patterns_of(inputs)]))
    np.testing.assert_array_equal(df, model.dfs[patterns_of(inputs)])


def test_no_input_moves_the_scale_beyond_its_bound() -> None:
    shape = (4, 2)
    model = ScaleModel(np.zeros(shape), np.full((*shape, len(INPUTS)), 0.3), np.full(shape, 5.0))
    scale, _ = model.outputs(1e6 * random_inputs(100, 6))
    assert np.abs(np.log(scale)).max() <= LARGEST_CORRECTION + 1e-12


def test_a_group_that_hardly_any_row_knows_is_not_learnt() -> None:
    inputs = random_inputs(2000, 7)
    inputs[:1900] = hide(inputs[:1900], "market")
    targets = drawn(0.3 * inputs[:, 10], 8)
    model, groups = fit_scale_model(inputs, targets, GROUPS)
    assert groups == ("range",)
    for values in (model.weights, model.intercepts, model.dfs):
        np.testing.assert_array_equal(values[2], values[0])
        np.testing.assert_array_equal(values[3], values[1])
    assert fit_scale_model(inputs, targets, ("market",))[1] == ()


@pytest.mark.parametrize(
    "patterns",
    [(("range",), ("market",)), ((), ("range",), ("market",)), (*(((),) * 3), ("range", "market"))],
    ids=["never together", "never together nor always one", "always together"],
)
def test_groups_need_not_be_known_in_the_same_rows(patterns: tuple[tuple[Group, ...], ...]) -> None:
    """As when New York's closes have a market, and the few bars of Tokyo have none."""
    inputs = knowing(random_inputs(9000, 9), *patterns)
    model, groups = fit_scale_model(inputs, drawn(0.3 * inputs[:, 0], 10), GROUPS)
    assert groups == GROUPS
    for pattern in range(4):
        assert np.isfinite(model.weights[pattern]).all()
        np.testing.assert_allclose(model.weights[pattern, :, 0], 0.3, atol=0.15)
        assert ((model.dfs[pattern] >= student_t.LEAST_DF) & (model.dfs[pattern] <= student_t.MOST_DF)).all()


@pytest.mark.parametrize("count", [1, 3, 20])
def test_a_handful_of_rows_gives_a_sound_model(count: int) -> None:
    inputs = random_inputs(count, 11)
    model, _ = fit_scale_model(inputs, drawn(np.zeros(count), 12), GROUPS)
    scale, df = model.outputs(random_inputs(50, 13))
    assert np.isfinite(scale).all()
    assert (scale > 0).all()
    assert (df >= student_t.LEAST_DF).all()


@pytest.mark.parametrize("targets", [np.zeros((200, 2)), np.full((200, 2), 1e6)], ids=["none", "absurd"])
def test_prices_that_stand_still_or_explode_give_a_sound_model(targets: Floats) -> None:
    model, _ = fit_scale_model(random_inputs(200, 14), targets, GROUPS)
    scale, df = model.outputs(random_inputs(50, 15))
    assert np.isfinite(scale).all()
    assert (scale > 0).all()
    assert np.isfinite(df).all()


def test_shuffled_targets_teach_nothing(market_split: SmallSplit) -> None:
    rows = training_rows(market_split[1], 60, 5)
    shuffled = np.random.default_rng(16).permutation(rows.targets)
    model, _ = fit_scale_model(rows.inputs, shuffled, GROUPS)
    constant, _ = fit_scale_model(np.zeros_like(rows.inputs), shuffled, ())
    assert np.abs(model.weights[:, 0]).max() < 0.15
    fresh = np.random.default_rng(17).permutation(rows.targets)
    worse = loss(model, rows.inputs[::3], fresh[::3]) - loss(constant, rows.inputs[::3], fresh[::3])
    assert 0 <= worse < 0.02


def test_true_targets_teach_something(make_frame: MakeFrame) -> None:
    """Every other session is wild, which the latest return tells."""
    random = np.random.default_rng(18)
    sizes = np.where(np.arange(900) % 2, 0.01, 0.04)
    frames = [make_frame(name, closes=50 * np.exp(np.cumsum(sizes * random.normal(size=900)))) for name in "ABC"]
    rows = training_rows([TrainingPair(frame, 900, 900) for frame in frames], 60, 5)
    late = rows.cutoffs > frames[0].sessions[500]
    model, _ = fit_scale_model(rows.inputs[~late], rows.targets[~late], GROUPS)
    constant, _ = fit_scale_model(np.zeros_like(rows.inputs[~late]), rows.targets[~late], ())
    after = rows.inputs[late], rows.targets[late]
    assert loss(model, *after) < loss(constant, *after) - 0.05


def test_it_learns_from_the_training_parts_alone(market_split: SmallSplit) -> None:
    split, pairs = market_split
    forecaster = LinearEstimator().fit(pairs, UNWATCHED)
    assert forecaster.trained_until == split.train_end
    assert forecaster.groups == GROUPS
    cut = [TrainingPair(pair.train, pair.train_length, pair.train_length) for pair in pairs]
    again = LinearEstimator().fit(cut, UNWATCHED)
    np.testing.assert_allclose(again.model.weights, forecaster.model.weights, atol=1e-6)
    np.testing.assert_allclose(again.model.dfs, forecaster.model.dfs, atol=1e-3)


def test_groups_that_were_never_seen_in_training_are_not_read(small_split: SmallSplit) -> None:
    forecaster = LinearEstimator().fit(small_split[1], UNWATCHED)
    assert forecaster.groups == ()
    for pattern in range(1, 4):
        np.testing.assert_array_equal(forecaster.model.weights[pattern], forecaster.model.weights[0])
    assert (forecaster.model.weights[:, :, CLOSES:] == 0).all()


def test_only_the_groups_that_it_is_allowed_are_read(market_split: SmallSplit) -> None:
    for allowed in ((), ("range",), ("market",)):
        assert LinearEstimator(groups=allowed).fit(market_split[1], UNWATCHED).groups == allowed
