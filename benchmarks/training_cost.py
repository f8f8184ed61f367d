"""Cost of one training target with shared recurrence, beside the plain loop of one window per target.

python -m benchmarks.training_cost
"""

from __future__ import annotations

import time

import torch

from benchmarks.sample_histories import sample_histories
from stockcast.config import Config
from stockcast.evaluation.split import split_dates, training_pairs
from stockcast.forecasting.inputs import GROUPS
from stockcast.forecasting.linear import ScaleModel, fit_scale_model
from stockcast.forecasting.lstm.chunks import Batches, Chunks, training_chunks
from stockcast.forecasting.lstm.network import StudentTNetwork, student_t_loss
from stockcast.forecasting.training_rows import materials, pooled
from stockcast.presets import preset

PLAIN_BATCH = 128  # windows: what is cheapest for the plain loop; bigger ones are no cheaper a window
REPEATS = 3  # the fastest counts


def microseconds_per_target(chunks: Chunks, config: Config, linear: ScaleModel, batch: int) -> float:
    """Forward, backward and step over the chunks, divided by the number of targets; of one member."""
    network = StudentTNetwork(config.network.hidden_size, config.network.layers, 0.0, linear)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)
    started = time.perf_counter()
    for inputs, targets in Batches(chunks, batch, seed=1):
        optimiser.zero_grad()
        kept = targets.shape[1]
        student_t_loss(*(output[:, -kept:] for output in network(inputs)), targets).sum().backward()
        optimiser.step()
    return (time.perf_counter() - started) / (len(chunks) * chunks.count) * 1e6


def main() -> None:
    """Prints the cost per target and the ratio for two network sizes."""
    torch.set_num_threads(2)
    frames = sample_histories()
    for name in ("default", "classic"):
        config = preset(name)
        pairs, _ = training_pairs(frames, split_dates(frames, config), config)
        lookback, horizon = config.windows.lookback, config.windows.max_horizon
        material = materials(pairs, lookback, horizon)
        rows = pooled(material, lookback)
        linear, groups = fit_scale_model(rows.inputs, rows.targets, GROUPS)
        shared, plain = (
            training_chunks(material, lookback, count, groups, 0.0) for count in (config.training.chunk_targets, 1)
        )
        batch = config.training.batch_size
        microseconds_per_target(shared, config, linear, batch)  # warm-up
        mine, same, best = (
            min(microseconds_per_target(chunks, config, linear, size) for _ in range(REPEATS))
            for chunks, size in ((shared, batch), (plain, batch), (plain, PLAIN_BATCH))
        )
        size = f"{config.network.layers}x{config.network.hidden_size}"
        print(
            f"{name} ({size}): shared {mine:.1f} us a target; plain {same:.1f} us ({same / mine:.0f}x) in the "
            f"same batches of {batch}, {best:.1f} us ({best / mine:.0f}x) in its best of {PLAIN_BATCH}"
        )


if __name__ == "__main__":
    main()
