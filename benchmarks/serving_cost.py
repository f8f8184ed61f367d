"""Time of one forecast of one window through ONNX Runtime, beside torch and the EWMA baseline.

python -m benchmarks.serving_cost
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load

from benchmarks.sample_histories import sample_histories
from stockcast.config import preset
from stockcast.evaluation.split import split_dates, training_pairs
from stockcast.forecasting.context import context_at_end, stack_returns
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.features import FEATURES, features
from stockcast.forecasting.lstm.estimator import LstmEstimator
from stockcast.forecasting.lstm.network import StudentTNetwork


def milliseconds(call: Callable[[], object], repeats: int = 300) -> float:
    """Mean time of a call after a warm-up."""
    for _ in range(20):
        call()
    started = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - started) / repeats * 1e3


def main() -> None:
    """Prints one line per way of forecasting a window of 60 closes with the 2x64 network."""
    config = preset("classic").with_overrides(["training.max_epochs=1"])
    frames = sample_histories()
    pairs, _ = training_pairs(frames, split_dates(frames, config), config)
    with tempfile.TemporaryDirectory() as folder:
        lstm = LstmEstimator(config, Path(folder), 2).fit(pairs, lambda _epoch: None)
    context = context_at_end(frames[0], lstm.horizon)
    inputs, _ = features(stack_returns([context], lstm.lookback))
    network = StudentTNetwork(len(FEATURES), 64, 2, 0.0, (1.0,) * 5, (5.0,) * 5)
    network.load_state_dict(load(lstm.weights))
    tensor = torch.from_numpy(inputs).float()
    torch.set_num_threads(1)
    with torch.no_grad():
        rows = {
            "whole forecast, LSTM": milliseconds(lambda: lstm.forecast([context])),
            "whole forecast, EWMA": milliseconds(lambda: EwmaForecaster().forecast([context])),
            "graph alone, ONNX Runtime": milliseconds(lambda: lstm.outputs(inputs)),
            "graph alone, torch": milliseconds(lambda: network(tensor)),
        }
    for name, cost in rows.items():
        print(f"{name:28} {cost:.3f} ms")
    print(f"torch / ONNX Runtime: {rows['graph alone, torch'] / rows['graph alone, ONNX Runtime']:.1f}x")


if __name__ == "__main__":
    main()
