"""Training chunks: whole, aligned, and blind to what comes after each step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stockcast.evaluation.split import Split
from stockcast.forecasting.features import features
from stockcast.forecasting.forecaster import TrainingPair
from stockcast.forecasting.lstm.chunks import Batches, Chunks, training_chunks, validation_chunks
from stockcast.forecasting.returns import log_returns
from stockcast.forecasting.targets import standardised_targets
from stockcast.prices.frame import PriceFrame

MakeFrame = Callable[..., PriceFrame]


def pair_of(train: PriceFrame) -> TrainingPair:
    return TrainingPair(train, train, lead=0)


def cutoff_rows(frame: PriceFrame, chunks: Chunks) -> np.ndarray:
    """Rows of the frame at which the chunks end. [C]"""
    return np.searchsorted(frame.sessions, chunks.cutoffs)


@given(
    count=st.integers(45, 160), lookback=st.integers(20, 30), horizon=st.integers(1, 5), targets=st.integers(1, 40)
)
def test_every_target_is_covered_and_has_a_whole_window_behind_it(
    make_frame: MakeFrame, count: int, lookback: int, horizon: int, targets: int
) -> None:
    frame = make_frame(count=160, seed=3).rows(0, count)
    chunks = training_chunks([pair_of(frame)], lookback, horizon, targets)
    kept = chunks.targets.shape[1]
    assert kept == min(targets, count - lookback + 1 - horizon)
    assert chunks.features.shape[1] == lookback - 1 + kept - 1
    covered = {int(row) - back for row in cutoff_rows(frame, chunks) for back in range(kept)}
    assert covered == set(range(lookback - 1, count - horizon))


@given(count=st.integers(50, 120), targets=st.integers(1, 25), horizon=st.integers(1, 5))
def test_features_and_targets_are_those_of_their_sessions(
    make_frame: MakeFrame, count: int, targets: int, horizon: int
) -> None:
    frame, lookback = make_frame(count=120, seed=4).rows(0, count), 25
    chunks = training_chunks([pair_of(frame)], lookback, horizon, targets)
    kept, steps = chunks.targets.shape[1], chunks.features.shape[1]
    for number, row in enumerate(cutoff_rows(frame, chunks)):
        inputs, volatility = features(log_returns(frame.close[row - steps : row + 1])[None])
        np.testing.assert_allclose(chunks.features[number], inputs[0], rtol=1e-5, atol=1e-6)
        for back in range(kept):
            close = row - back
            wanted = np.log(frame.close[close + 1 : close + 1 + horizon] / frame.close[close])
            found = chunks.targets[number, kept - 1 - back]
            np.testing.assert_allclose(found, wanted / volatility[0, steps - 1 - back], rtol=1e-4, atol=1e-5)


@given(row=st.integers(60, 150), seed=st.integers(0, 1000))
def test_inputs_never_see_beyond_their_step(make_frame: MakeFrame, row: int, seed: int) -> None:
    frame = make_frame(count=200, seed=5)
    closes = np.array(frame.close)
    closes[row + 1 :] *= np.exp(np.random.default_rng(seed).normal(0, 0.1, len(closes) - row - 1))
    other = make_frame(closes=closes)
    before, after = (training_chunks([pair_of(each)], 30, 5, 20) for each in (frame, other))
    ends = cutoff_rows(frame, before)
    steps = before.features.shape[1]
    assert (ends > row).any()
    assert (ends <= row).any()
    for number, end in enumerate(ends):
        seen = steps if end <= row else max(0, steps - (end - row))
        torch.testing.assert_close(after.features[number, :seen], before.features[number, :seen])


def test_histories_of_unlike_length_share_one_shape_and_lose_no_target(make_frame: MakeFrame) -> None:
    long, short = make_frame("AAPL", 150), make_frame("IBM", 37, seed=2)
    chunks = training_chunks([pair_of(long), pair_of(short)], 30, 5, 20)
    kept = chunks.targets.shape[1]
    assert kept == 37 - 30 + 1 - 5
    own = len(training_chunks([pair_of(long)], 30, 5, kept))
    ends = cutoff_rows(long, chunks)[:own]
    assert {int(row) - back for row in ends for back in range(kept)} == set(range(29, 145))


def test_validation_reads_plain_windows_as_serving_does(small_split: tuple[Split, list[TrainingPair]]) -> None:
    split, pairs = small_split
    chunks = validation_chunks(pairs, 60, 5)
    assert chunks.features.shape[1] == 59
    expected = np.concatenate([standardised_targets(pair.validation, 60, 5) for pair in pairs])
    np.testing.assert_allclose(chunks.targets[:, 0], expected, rtol=1e-5, atol=1e-6)
    assert chunks.cutoffs.min() == np.datetime64(split.validation_start, "D")
    last = pairs[0].validation.sessions[-6]
    assert chunks.cutoffs.max() == last
    assert pairs[0].validation.last_session == split.validation_end


def test_an_epoch_shows_every_chunk_once_and_is_shuffled_anew(make_frame: MakeFrame) -> None:
    chunks = training_chunks([pair_of(make_frame(count=300))], 30, 5, 5)
    assert len(chunks) % 7
    batches = Batches(chunks, batch_size=7, seed=1)
    orders = []
    for _ in range(2):
        seen = list(batches)
        assert len(seen) == len(batches) == -(-len(chunks) // 7)
        shown = torch.cat([targets for _, targets in seen])
        orders.append(shown)
        torch.testing.assert_close(shown.flatten().sort().values, chunks.targets.flatten().sort().values)
    assert not torch.equal(orders[0], orders[1])
    again = torch.cat([targets for _, targets in Batches(chunks, 7, seed=1)])
    torch.testing.assert_close(again, orders[0])
    in_order = torch.cat([targets for _, targets in Batches(chunks, 7, seed=None)])
    torch.testing.assert_close(in_order, chunks.targets)


@pytest.mark.parametrize("lookback", [20, 60])
def test_the_shortest_possible_history_makes_one_chunk(make_frame: MakeFrame, lookback: int) -> None:
    chunks = training_chunks([pair_of(make_frame(count=lookback + 5))], lookback, 5, 20)
    assert chunks.targets.shape == (1, 1, 5)
