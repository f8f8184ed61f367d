"""Training chunks: stretches of sessions whose targets share one pass of the recurrence.

A window of L closes per target would run the recurrence over L steps for each of them. A chunk runs it over
L - 1 + K - 1 steps and takes the loss at the last K: every target has at least a whole window behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from stockcast.forecasting.features import features
from stockcast.forecasting.forecaster import TrainingPair
from stockcast.forecasting.returns import Floats, log_returns
from stockcast.forecasting.targets import targets
from stockcast.prices.frame import PriceFrame
from stockcast.prices.sessions import Sessions


@dataclass(frozen=True)
class Chunks:
    """C chunks: features [C, T, F], standardised targets [C, K, H] of their last K steps, last cutoffs [C]."""

    features: Tensor
    targets: Tensor
    cutoffs: Sessions

    def __len__(self) -> int:
        return len(self.features)


def training_chunks(pairs: Sequence[TrainingPair], lookback: int, horizon: int, count: int) -> Chunks:
    """Chunks of `count` targets from the training parts, covering each target about twice."""
    return _collect([pair.train for pair in pairs], lookback, horizon, count)


def validation_chunks(pairs: Sequence[TrainingPair], lookback: int, horizon: int) -> Chunks:
    """Plain windows of exactly `lookback` closes, one target each: validation sees what serving will see."""
    return _collect([pair.validation for pair in pairs], lookback, horizon, count=1)


def _collect(frames: Sequence[PriceFrame], lookback: int, horizon: int, count: int) -> Chunks:
    for frame in frames:
        frame.require(lookback + horizon, "training")
    # All chunks are as long as the shortest history allows, so that they stack.
    count = min(count, *(len(frame) - lookback + 1 - horizon for frame in frames))
    parts = [_chunks(frame, lookback, horizon, count, stride=max(1, count // 2)) for frame in frames]
    inputs, wanted, cutoffs = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Chunks(
        torch.from_numpy(inputs.astype(np.float32)), torch.from_numpy(wanted.astype(np.float32)), cutoffs
    )


def _chunks(
    frame: PriceFrame, lookback: int, horizon: int, count: int, stride: int
) -> tuple[Floats, Floats, Sessions]:
    """Features [C, L - 1 + K - 1, F], targets [C, K, H] over the volatility at their step, cutoffs [C]."""
    steps = lookback - 1 + count - 1
    wanted = targets(frame.close, horizon)[1:]  # [T - 1 - H, H], aligned with the return that ends at its cutoff
    returns = log_returns(frame.close)[: len(wanted)]
    last = len(returns) - steps
    # The last chunk ends with the last target, so that none is lost between strides.
    starts = np.unique(np.append(np.arange(0, last + 1, stride), last))
    rows = starts[:, None] + np.arange(steps)  # [C, steps]
    inputs, volatility = features(returns[rows])
    return inputs, wanted[rows[:, -count:]] / volatility[:, -count:, None], frame.sessions[1:][rows[:, -1]]


class Batches:
    """Chunks in batches, shuffled anew each epoch by a seeded generator. No loader, no workers, no copies."""

    def __init__(self, chunks: Chunks, batch_size: int, seed: int | None) -> None:
        self.chunks = chunks
        self.batch_size = batch_size
        self.generator = None if seed is None else torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return -(-len(self.chunks) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        count = len(self.chunks)
        order = torch.arange(count) if self.generator is None else torch.randperm(count, generator=self.generator)
        for start in range(0, count, self.batch_size):
            chosen = order[start : start + self.batch_size]
            yield self.chunks.features[chosen], self.chunks.targets[chosen]
