"""Cost of one training target with shared recurrence, beside the plain loop of one window per target.

python -m benchmarks.training_cost
"""

from __future__ import annotations

import time

import torch

from benchmarks.sample_histories import sample_histories
from stockcast.config import Config, preset
from stockcast.evaluation.split import split_dates, training_pairs
from stockcast.forecasting.ewma import DFS, SCALES
from stockcast.forecasting.features import FEATURES
from stockcast.forecasting.lstm.chunks import Batches, Chunks, training_chunks
from stockcast.forecasting.lstm.network import StudentTNetwork, student_t_loss


def microseconds_per_target(chunks: Chunks, config: Config) -> float:
    """Forward, backward and step over all chunks, divided by the number of targets."""
    network = StudentTNetwork(len(FEATURES), config.network.hidden_size, config.network.layers, 0.0, SCALES, DFS)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)
    kept = chunks.targets.shape[1]
    started = time.perf_counter()
    for features, targets in Batches(chunks, config.training.batch_size, seed=1):
        optimiser.zero_grad()
        student_t_loss(*(output[:, -kept:] for output in network(features)), targets).backward()
        optimiser.step()
    return (time.perf_counter() - started) / (len(chunks) * kept) * 1e6


def main() -> None:
    """Prints the cost per target and the ratio for two network sizes."""
    torch.set_num_threads(2)
    frames = sample_histories()
    for name in ("default", "classic"):
        config = preset(name)
        pairs, _ = training_pairs(frames, split_dates(frames, config), config)
        lookback, horizon = config.windows.lookback, config.windows.max_horizon
        shared = training_chunks(pairs, lookback, horizon, config.training.chunk_targets)
        plain = training_chunks(pairs, lookback, horizon, 1)
        microseconds_per_target(shared, config)  # warm-up
        cost = [microseconds_per_target(chunks, config) for chunks in (shared, plain)]
        size = f"{config.network.layers}x{config.network.hidden_size}"
        print(
            f"{name} ({size}): shared {cost[0]:.1f} us, plain {cost[1]:.1f} us a target, {cost[1] / cost[0]:.1f}x"
        )


if __name__ == "__main__":
    main()
