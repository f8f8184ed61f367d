"""Inputs: what a model is shown in training is what it is shown when it serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stockcast.errors import InvalidWindow
from stockcast.forecasting.context import Bars, Context, context_of_closes, windows
from stockcast.forecasting.features import CLOSE_FEATURES, FEATURES, MEMORY
from stockcast.forecasting.forecaster import Group
from stockcast.forecasting.inputs import (
    CLOSES,
    GROUPS,
    INPUTS,
    MARKET_COLUMNS,
    MARKET_MASK,
    OWN,
    RANGE_COLUMNS,
    RANGE_MASK,
    hide,
    history_of,
    stack_inputs,
)
from stockcast.forecasting.market import MedianMarket, markets
from stockcast.forecasting.training_rows import history_inputs
from stockcast.prices.frame import PriceFrame

MakeFrame = Callable[..., PriceFrame]
STEPS = 59


@pytest.fixture(scope="module")
def frame(market_frames: tuple[PriceFrame, ...]) -> PriceFrame:
    return market_frames[2]


@pytest.fixture(scope="module")
def market(market_frames: tuple[PriceFrame, ...]) -> MedianMarket:
    return markets(market_frames)["XNYS"]


def context_at(frame: PriceFrame, row: int, market: MedianMarket | None, history: int = 400) -> Context:
    [window] = windows(frame, [row], 5, history, market)
    return window.context


def test_the_columns_are_where_their_names_say() -> None:
    assert len(INPUTS) == 2 * len(FEATURES) + 2 == 2 * OWN + 2
    assert INPUTS[RANGE_MASK] == "range_known"
    assert INPUTS[MARKET_MASK] == "market_known"
    assert [INPUTS[column] for column in MARKET_COLUMNS] == [
        *(f"market_{name}" for name in FEATURES), "market_known"
    ]  # fmt: skip
    beyond = FEATURES[len(CLOSE_FEATURES) :]
    assert [INPUTS[column] for column in RANGE_COLUMNS] == [
        *beyond, "range_known", *(f"market_{name}" for name in beyond)
    ]  # fmt: skip
    assert history_of(1) == MEMORY + 1


@settings(max_examples=15)
@given(row=st.integers(STEPS + MEMORY - 1, 619), more=st.integers(0, 300))
def test_serving_reads_what_training_read_at_the_same_session(
    frame: PriceFrame, market: MedianMarket, row: int, more: int
) -> None:
    assert history_of(STEPS) == 309
    learnt = history_inputs(frame, market)
    served = stack_inputs([context_at(frame, row, market, 309 + more)], STEPS, 60, GROUPS)
    rows = slice(row - STEPS, row)  # the return that leads to close `row` stands at row - 1
    np.testing.assert_allclose(served.values[0], learnt.values[0, rows], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(served.volatility[0], learnt.volatility[0, rows], rtol=1e-9)


@settings(max_examples=15)
@given(row=st.integers(59, 307))
def test_serving_reads_a_young_history_as_training_did(frame: PriceFrame, market: MedianMarket, row: int) -> None:
    learnt = history_inputs(frame, market)
    served = stack_inputs([context_at(frame, row, market)], 1, 60, GROUPS)
    np.testing.assert_allclose(served.values[0], learnt.values[0, row - 1 : row], rtol=1e-9, atol=1e-9)


@settings(max_examples=15)
@given(stop=st.integers(61, 620))
def test_training_inputs_do_not_depend_on_what_comes_later(
    frame: PriceFrame, market: MedianMarket, stop: int
) -> None:
    whole, cut = history_inputs(frame, market), history_inputs(frame.rows(0, stop), market)
    np.testing.assert_allclose(cut.values, whole.values[:, : stop - 1], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(cut.volatility, whole.volatility[:, : stop - 1], rtol=1e-9)


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_hidden_looks_as_if_it_had_never_been_known(
    frame: PriceFrame, market: MedianMarket, group: Group
) -> None:
    context = context_at(frame, 500, market)
    whole = stack_inputs([context], STEPS, 60, GROUPS).values
    before = whole.copy()
    without = replace(context, bars=None) if group == "range" else replace(context, market=None)
    others = tuple(each for each in GROUPS if each != group)
    lacking = stack_inputs([without], STEPS, 60, GROUPS).values
    not_asked = stack_inputs([context], STEPS, 60, others).values
    hidden = hide(whole, group)
    np.testing.assert_array_equal(hidden, lacking)
    np.testing.assert_array_equal(not_asked, lacking)
    assert not np.array_equal(hidden, whole)
    np.testing.assert_array_equal(whole, before)


@pytest.mark.parametrize("bars", [True, False])
@pytest.mark.parametrize("beside", [True, False])
def test_the_masks_say_what_is_known(frame: PriceFrame, market: MedianMarket, bars: bool, beside: bool) -> None:
    context = context_at(frame, 500, market if beside else None)
    values = stack_inputs([context if bars else replace(context, bars=None)], STEPS, 60, GROUPS).values
    assert (values[..., RANGE_MASK] == bars).all()
    assert (values[..., MARKET_MASK] == beside).all()
    assert (values[..., list(RANGE_COLUMNS)] != 0).any() == bars
    assert (values[..., list(MARKET_COLUMNS)] != 0).any() == beside
    assert (values[..., OWN + 1 + CLOSES : MARKET_MASK] != 0).any() == (bars and beside)


def test_uploaded_closes_know_neither_ranges_nor_market(frame: PriceFrame) -> None:
    inputs = stack_inputs([context_of_closes(frame.close[-60:], 60)], STEPS, 60, GROUPS)
    assert inputs.values.shape == (1, STEPS, len(INPUTS))
    assert np.isfinite(inputs.values).all()
    assert (inputs.values[..., [*RANGE_COLUMNS, *MARKET_COLUMNS]] == 0).all()


def test_a_market_without_ranges_is_known_by_its_closes(frame: PriceFrame, market: MedianMarket) -> None:
    bare = replace(market, values=np.where(np.arange(OWN) < CLOSES, market.values, np.nan))
    values = stack_inputs([context_at(frame, 500, bare)], STEPS, 60, GROUPS).values
    assert (values[..., MARKET_MASK] == 1).all()
    assert (values[..., OWN + 1 : OWN + 1 + CLOSES] != 0).any(axis=-1).all()
    assert (values[..., OWN + 1 + CLOSES : MARKET_MASK] == 0).all()


def test_a_session_on_which_the_market_is_unknown_says_so_by_itself(
    frame: PriceFrame, market: MedianMarket
) -> None:
    values = np.array(market.values)
    values[480] = np.nan
    found = stack_inputs([context_at(frame, 500, replace(market, values=values))], STEPS, 60, GROUPS).values[0]
    assert np.flatnonzero(found[:, MARKET_MASK] == 0).tolist() == [STEPS - 1 - 20]
    assert (found[STEPS - 1 - 20, list(MARKET_COLUMNS)] == 0).all()


@pytest.mark.parametrize("volume", [np.nan, 0.0])
def test_a_volume_that_is_missing_hides_nothing_else(
    frame: PriceFrame, market: MedianMarket, volume: float
) -> None:
    context = context_at(frame, 500, market)
    assert context.bars is not None
    untold = replace(context, bars=replace(context.bars, volume=np.full(len(context.closes), volume)))
    found, whole = (stack_inputs([each], STEPS, 60, GROUPS).values for each in (untold, context))
    column = INPUTS.index("log_volume")
    assert (found[..., column] == 0).all()
    shown = np.delete(np.arange(len(INPUTS)), column)
    np.testing.assert_array_equal(found[..., shown], whole[..., shown])


def test_ranges_that_no_price_could_have_are_not_known(frame: PriceFrame) -> None:
    """A source may write anything positive into open, high and low."""
    context = context_at(frame, 500, None)
    assert context.bars is not None
    high, low = np.array(context.bars.high), np.array(context.bars.low)
    high[-1], low[-1] = 1e300, 1e-300
    broken = replace(context, bars=Bars(context.bars.open, high, low, context.bars.volume))
    found = stack_inputs([broken], STEPS, 60, GROUPS).values
    assert np.isfinite(found).all()


def test_contexts_of_unlike_length_and_knowledge_share_a_batch(frame: PriceFrame, market: MedianMarket) -> None:
    contexts = [
        context_at(frame, 500, market, 60),
        context_at(frame, 400, None, 309),
        replace(context_at(frame, 300, market, 120), bars=None),
        context_of_closes(frame.close[:60], 60),
    ]
    together = stack_inputs(contexts, STEPS, 60, GROUPS)
    for row, context in enumerate(contexts):
        alone = stack_inputs([context], STEPS, 60, GROUPS)
        np.testing.assert_allclose(together.values[row], alone.values[0], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(together.volatility[row], alone.volatility[0], rtol=1e-12)


def test_a_context_that_is_too_short_is_refused(frame: PriceFrame, market: MedianMarket) -> None:
    with pytest.raises(InvalidWindow, match="has 59 closes"):
        stack_inputs([context_at(frame, 500, market), context_at(frame, 400, market, 59)], STEPS, 60, GROUPS)
