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

from stockcast.forecasting.forecaster import Group
from stockcast.forecasting.inputs import GROUPS, MARKET_COLUMNS, RANGE_COLUMNS, hide
from stockcast.forecasting.linear import LARGEST_TARGET
from stockcast.forecasting.training_rows import Material
from stockcast.prices.sessions import Sessions

MANY_CHUNKS = 500  # an epoch has enough steps then, and twice the work taught nothing more


@dataclass(frozen=True, eq=False)
class Chunks:
    """C chunks of S steps, cut from the rows of all tickers one after the other. R rows."""

    inputs: Tensor  # [R, I]
    targets: Tensor  # [R, H] standardised
    sessions: Sessions  # [R] cutoffs
    rows: Tensor  # [C, S]
    count: int  # K, the last steps of a chunk whose targets count

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs [N, S, I] and targets [N, K, H] of these chunks."""
        rows = self.rows[chosen]
        return self.inputs[rows], self.targets[rows[:, -self.count :]]


def training_chunks(
    materials: Sequence[Material], lookback: int, count: int, groups: Sequence[Group], drift: float
) -> Chunks:
    """Chunks of `count` targets from the training parts: each target once where there are many, else about twice.

    Targets are taken around a `drift` a session, in units of the volatility.
    """
    parts = [(0, material.train_stop) for material in materials]
    many = sum(stop for _, stop in parts) > MANY_CHUNKS * count
    return _collect(materials, parts, lookback, count, count if many else max(1, count // 2), groups, drift)


def validation_chunks(
    materials: Sequence[Material], lookback: int, count: int, groups: Sequence[Group], drift: float
) -> Chunks:
    """Chunks of the validation parts, each target once but for the overlap of the first and second chunk."""
    parts = [(max(0, material.validation_start - lookback + 2), len(material.targets)) for material in materials]
    return _collect(materials, parts, lookback, count, count, groups, drift)


def _collect(
    materials: Sequence[Material],
    parts: Sequence[tuple[int, int]],
    lookback: int,
    count: int,
    stride: int,
    groups: Sequence[Group],
    drift: float,
) -> Chunks:
    """Chunks whose rows lie inside [start, stop) of each ticker."""
    # All chunks are as long as the shortest part allows, so that they stack.
    count = min(count, *(stop - start - lookback + 2 for start, stop in parts))
    stride = min(stride, count)
    steps = lookback - 1 + count - 1
    inputs, wanted, sessions, rows, before = [], [], [], [], 0
    for material, (start, stop) in zip(materials, parts, strict=True):
        last = stop - start - steps
        # Counted from the end, so that the newest targets are never lost.
        starts = np.unique(np.append(np.arange(last, -1, -stride), 0))
        rows.append(before + starts[:, None] + np.arange(steps))
        inputs.append(material.inputs[start:stop])
        expected = drift * np.arange(1, material.targets.shape[1] + 1)  # [H]
        wanted.append(np.clip(material.targets[start:stop], -LARGEST_TARGET, LARGEST_TARGET) - expected)
        sessions.append(material.sessions[start:stop])
        before += stop - start
    known = np.concatenate(inputs)
    for group in GROUPS:
        known = known if group in groups else hide(known, group)
    return Chunks(
        torch.from_numpy(known.astype(np.float32)),
        torch.from_numpy(np.concatenate(wanted).astype(np.float32)),
        np.concatenate(sessions),
        torch.from_numpy(np.concatenate(rows)),
        count,
    )


class Batches:
    """Chunks in batches, shuffled anew each epoch by a seeded generator. No loader, no workers, one copy.

    Each group of inputs is hidden in a share `hidden` of the chunks, so that the network learns to do without.
    """

    def __init__(self, chunks: Chunks, batch_size: int, seed: int | None, hidden: float = 0.0) -> None:
        self.chunks = chunks
        self.batch_size = batch_size
        self.hidden = hidden
        self.generator = None if seed is None else torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return -(-len(self.chunks) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        count = len(self.chunks)
        order = torch.arange(count) if self.generator is None else torch.randperm(count, generator=self.generator)
        for start in range(0, count, self.batch_size):
            inputs, targets = self.chunks.batch(order[start : start + self.batch_size])
            if self.hidden:
                for columns in (RANGE_COLUMNS, MARKET_COLUMNS):
                    gone = torch.rand(len(inputs), generator=self.generator) < self.hidden
                    inputs[:, :, list(columns)] *= ~gone[:, None, None]
            yield inputs, targets
