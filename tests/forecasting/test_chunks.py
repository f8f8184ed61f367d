"""Training chunks: whole, aligned, and blind to what comes after each step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stockcast.errors import TooShortHistory
from stockcast.evaluation.split import Split
from stockcast.forecasting.context import windows
from stockcast.forecasting.forecaster import Group, TrainingPair
from stockcast.forecasting.inputs import (
    GROUPS,
    MARKET_COLUMNS,
    MARKET_MASK,
    RANGE_COLUMNS,
    RANGE_MASK,
    history_of,
    stack_inputs,
)
from stockcast.forecasting.lstm.chunks import Batches, Chunks, training_chunks, validation_chunks
from stockcast.forecasting.market import markets
from stockcast.forecasting.training_rows import materials, training_rows
from stockcast.prices.frame import PriceFrame

MakeFrame = Callable[..., PriceFrame]
SmallSplit = tuple[Split, list[TrainingPair]]


def pair_of(train: PriceFrame) -> TrainingPair:
    """All of a history to learn from."""
    return TrainingPair(train, len(train), len(train) - 6)


def train_chunks(
    pairs: Sequence[TrainingPair],
    lookback: int,
    horizon: int,
    count: int,
    groups: Sequence[Group] = (),
    drift: float = 0.0,
) -> Chunks:
    return training_chunks(materials(pairs, lookback, horizon), lookback, count, groups, drift)


def cutoffs_of(chunks: Chunks) -> np.ndarray:
    """Sessions at which the targets of each chunk begin. [C, K]"""
    return chunks.sessions[chunks.rows[:, -chunks.count :].numpy()]


def whole(chunks: Chunks) -> tuple[torch.Tensor, torch.Tensor]:
    return chunks.batch(torch.arange(len(chunks)))


@given(
    count=st.integers(45, 160), lookback=st.integers(20, 30), horizon=st.integers(1, 5), targets=st.integers(1, 40)
)
def test_every_target_is_covered_and_has_a_whole_window_behind_it(
    make_frame: MakeFrame, count: int, lookback: int, horizon: int, targets: int
) -> None:
    frame = make_frame(count=160, seed=3).rows(0, count)
    chunks = train_chunks([pair_of(frame)], lookback, horizon, targets)
    assert chunks.count == min(targets, count - lookback + 1 - horizon)
    inputs, wanted = whole(chunks)
    assert inputs.shape[1] == lookback - 1 + chunks.count - 1
    assert wanted.shape[1:] == (chunks.count, horizon)
    covered = set(np.searchsorted(frame.sessions, cutoffs_of(chunks)).ravel().tolist())
    assert covered == set(range(lookback - 1, count - horizon))


@settings(max_examples=10)
@given(count=st.integers(320, 400), targets=st.integers(1, 25), horizon=st.integers(1, 5))
def test_inputs_and_targets_are_those_of_their_sessions(
    make_bars: MakeFrame, count: int, targets: int, horizon: int
) -> None:
    frame, lookback = make_bars(count=400, seed=4).rows(0, count), 25
    chunks = train_chunks([pair_of(frame)], lookback, horizon, targets, GROUPS)
    inputs, wanted = whole(chunks)
    steps = inputs.shape[1]
    rows = np.searchsorted(frame.sessions, cutoffs_of(chunks)[:, -1])
    assert (rows + 1 >= history_of(steps)).any()
    for number, row in enumerate(rows.tolist()):
        [window] = windows(frame, [row], horizon, history_of(steps))
        served = stack_inputs([window.context], steps, lookback, GROUPS)
        if row + 1 >= history_of(steps):
            np.testing.assert_allclose(inputs[number], served.values[0], rtol=1e-5, atol=1e-6)
        for back in range(chunks.count):
            close = row - back
            came = np.log(frame.close[close + 1 : close + 1 + horizon] / frame.close[close])
            found = wanted[number, chunks.count - 1 - back]
            clipped = np.clip(came / served.volatility[0, -1 - back], -30, 30)
            np.testing.assert_allclose(found, clipped, rtol=1e-4, atol=1e-5)


@settings(max_examples=20)
@given(row=st.integers(60, 150), seed=st.integers(0, 1000))
def test_inputs_never_see_beyond_their_step(make_bars: MakeFrame, row: int, seed: int) -> None:
    names = ("AAPL", "IBM", "KO", "MSFT", "PEP")
    frames = [make_bars(name, 200, seed=5 + number) for number, name in enumerate(names)]
    random = np.random.default_rng(seed)

    def changed(frame: PriceFrame) -> PriceFrame:
        columns = {name: np.array(getattr(frame, name)) for name in ("open", "high", "low", "close", "volume")}
        for column in columns.values():
            column[row + 1 :] *= np.exp(random.normal(0, 0.1, len(column) - row - 1))
        return replace(frame, **columns)

    before, after = (
        train_chunks([pair_of(each) for each in given], 30, 5, 20, GROUPS)
        for given in (frames, [changed(frame) for frame in frames])
    )
    assert before.inputs[:, MARKET_MASK].max() == 1
    known = before.sessions <= frames[0].sessions[row]
    np.testing.assert_array_equal(after.inputs[known], before.inputs[known])
    assert not torch.equal(after.inputs[~known], before.inputs[~known])
    answered = before.sessions <= frames[0].sessions[row - 5]
    np.testing.assert_array_equal(after.targets[answered], before.targets[answered])


def test_no_close_after_the_training_part_is_learnt_from(make_frame: MakeFrame) -> None:
    frame = make_frame(count=300)
    closes = np.array(frame.close)
    closes[200:] *= 3
    learnt, other = (
        train_chunks([TrainingPair(each, 200, 206)], 30, 5, 20) for each in (frame, make_frame(closes=closes))
    )
    for ours, theirs in zip(whole(learnt), whole(other), strict=True):
        assert torch.equal(ours, theirs)
    assert cutoffs_of(learnt).max() == frame.sessions[194]


def test_histories_of_unlike_length_share_one_shape_and_lose_no_target(make_frame: MakeFrame) -> None:
    long, short = make_frame("AAPL", 150), make_frame("IBM", 37, seed=2)
    chunks = train_chunks([pair_of(long), pair_of(short)], 30, 5, 20)
    assert chunks.count == 37 - 30 + 1 - 5
    own = (chunks.rows[:, -1] < 150 - 1 - 5).numpy()
    covered = set(np.searchsorted(long.sessions, cutoffs_of(chunks)[own]).ravel().tolist())
    assert covered == set(range(29, 145))
    last = chunks.batch(torch.from_numpy(np.flatnonzero(~own)))[0]
    alone = whole(train_chunks([pair_of(short)], 30, 5, chunks.count))[0]
    assert torch.equal(last, alone), "no chunk reaches into another ticker"


def test_validation_covers_its_cutoffs_and_reads_them_as_serving_does(market_split: SmallSplit) -> None:
    split, pairs = market_split
    chunks = validation_chunks(materials(pairs, 60, 5), 60, 40, GROUPS, 0.0)
    inputs, _ = whole(chunks)
    cutoffs = cutoffs_of(chunks)
    frame = pairs[0].history
    expected = frame.sessions[pairs[0].first_cutoff : -5]
    assert expected[0] == np.datetime64(split.validation_start, "D")
    np.testing.assert_array_equal(np.unique(cutoffs), expected)
    covered = np.unique(cutoffs, return_counts=True)[1]
    assert covered.min() == len(pairs)
    assert covered.max() <= 2 * len(pairs)
    known = markets([pair.history for pair in pairs])["XNYS"]
    for number in range(len(chunks) // len(pairs)):
        row = int(np.searchsorted(frame.sessions, cutoffs[number, -1]))
        [window] = windows(frame, [row], 5, history_of(inputs.shape[1]), known)
        served = stack_inputs([window.context], inputs.shape[1], 60, GROUPS)
        np.testing.assert_allclose(inputs[number], served.values[0], rtol=1e-5, atol=1e-6)


def test_a_ticker_that_ends_early_in_validation_hides_no_cutoff_of_the_others(make_frame: MakeFrame) -> None:
    long, gone = make_frame("AAPL", 400), make_frame("IBM", 400, seed=2).rows(0, 308)
    pairs = [TrainingPair(long, 294, 300), TrainingPair(gone, 294, 300)]
    chunks = validation_chunks(materials(pairs, 60, 5), 60, 40, (), 0.0)
    np.testing.assert_array_equal(np.unique(cutoffs_of(chunks)), long.sessions[300:-5])


def test_a_drift_is_taken_from_the_targets_once_a_session(make_frame: MakeFrame) -> None:
    pairs = [pair_of(make_frame(count=120))]
    plain, around = train_chunks(pairs, 30, 5, 10), train_chunks(pairs, 30, 5, 10, drift=0.1)
    np.testing.assert_allclose(
        plain.targets - around.targets, np.tile(0.1 * np.arange(1, 6), (len(plain.targets), 1)), rtol=1e-3
    )


def test_groups_that_are_not_read_are_hidden_in_every_chunk(market_split: SmallSplit) -> None:
    pairs = market_split[1]
    everything = train_chunks(pairs, 60, 5, 20, GROUPS)
    choices: list[tuple[tuple[Group, ...], tuple[int, ...]]] = [
        (("range",), MARKET_COLUMNS),
        (("market",), RANGE_COLUMNS),
        ((), (*RANGE_COLUMNS, *MARKET_COLUMNS)),
    ]
    for groups, hidden in choices:
        some = train_chunks(pairs, 60, 5, 20, groups)
        assert (some.inputs[:, list(hidden)] == 0).all()
        shown = sorted(set(range(some.inputs.shape[1])) - set(hidden))
        assert torch.equal(some.inputs[:, shown], everything.inputs[:, shown])


def test_training_rows_are_the_cutoffs_of_the_training_chunks(market_split: SmallSplit) -> None:
    split, pairs = market_split
    rows = training_rows(pairs, 60, 5)
    per_ticker = len(pairs[0].train) - 60 - 5 + 1
    assert len(rows.inputs) == len(rows.targets) == len(rows.cutoffs) == per_ticker * len(pairs)
    first = pairs[0].history
    np.testing.assert_array_equal(rows.cutoffs[:per_ticker], first.sessions[59 : len(pairs[0].train) - 5])
    assert rows.cutoffs.max() < np.datetime64(split.train_end, "D")
    chunks = train_chunks(pairs, 60, 5, 20, GROUPS)
    assert set(cutoffs_of(chunks).ravel()) == set(rows.cutoffs)


def test_an_epoch_shows_every_chunk_once_and_is_shuffled_anew(make_frame: MakeFrame) -> None:
    chunks = train_chunks([pair_of(make_frame(count=300))], 30, 5, 5)
    assert len(chunks) % 7
    targets_of = whole(chunks)[1]
    batches = Batches(chunks, batch_size=7, seed=1)
    orders = []
    for _ in range(2):
        seen = list(batches)
        assert len(seen) == len(batches) == -(-len(chunks) // 7)
        shown = torch.cat([targets for _, targets in seen])
        orders.append(shown)
        torch.testing.assert_close(shown.flatten().sort().values, targets_of.flatten().sort().values)
    assert not torch.equal(orders[0], orders[1])
    again = torch.cat([targets for _, targets in Batches(chunks, 7, seed=1)])
    torch.testing.assert_close(again, orders[0])
    in_order = torch.cat([targets for _, targets in Batches(chunks, 7, seed=None)])
    torch.testing.assert_close(in_order, targets_of)


def test_inputs_are_hidden_in_a_share_of_the_chunks_and_never_for_good(market_split: SmallSplit) -> None:
    chunks = train_chunks(market_split[1], 60, 5, 5, GROUPS)
    before = chunks.inputs.clone()
    shown = torch.cat([inputs for inputs, _ in Batches(chunks, 64, seed=1, hidden=0.3)])
    assert torch.equal(chunks.inputs, before), "what is hidden in one epoch is shown in another"
    ranges, market = shown[:, -1, RANGE_MASK], shown[:, -1, MARKET_MASK]
    for mask, columns in ((ranges, RANGE_COLUMNS), (market, MARKET_COLUMNS)):
        assert 0.6 < float(mask.mean()) < 0.8
        gone = shown[mask == 0][:, :, list(columns)]
        assert (gone == 0).all(), "hidden at every step of the chunk"
    assert 0.04 < float(((ranges == 0) & (market == 0)).float().mean()) < 0.16, "one regardless of the other"
    whole_batches = torch.cat([inputs for inputs, _ in Batches(chunks, 64, seed=1)])
    assert (whole_batches[:, -1, RANGE_MASK] == 1).all()


@pytest.mark.parametrize("lookback", [20, 60])
def test_the_shortest_possible_history_makes_one_chunk(make_frame: MakeFrame, lookback: int) -> None:
    chunks = train_chunks([pair_of(make_frame(count=lookback + 5))], lookback, 5, 20)
    assert whole(chunks)[1].shape == (1, 1, 5)
    with pytest.raises(TooShortHistory, match=f"has {lookback + 4} sessions; training needs"):
        train_chunks([pair_of(make_frame(count=lookback + 4))], lookback, 5, 20)
