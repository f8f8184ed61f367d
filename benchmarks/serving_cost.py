"""Time of one forecast of one window through ONNX Runtime, beside torch, the EWMA baseline and the drift check.

python -m benchmarks.serving_cost
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load

from benchmarks.sample_histories import sample_histories
from stockcast.evaluation.split import split_dates, training_pairs
from stockcast.forecasting.context import Context
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.inputs import INPUTS, stack_inputs
from stockcast.forecasting.linear import PATTERNS, ScaleModel
from stockcast.forecasting.lstm.estimator import LstmEstimator
from stockcast.forecasting.lstm.network import Ensemble, StudentTNetwork
from stockcast.forecasting.observer import UNWATCHED
from stockcast.monitoring.drift import check_window, window_at_end
from stockcast.monitoring.drift_reference import DriftReference
from stockcast.presets import preset
from stockcast.prices.window import PriceWindow


def milliseconds(call: Callable[[], object], repeats: int = 300) -> float:
    """Mean time of a call after a warm-up."""
    for _ in range(20):
        call()
    started = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - started) / repeats * 1e3


def main() -> None:
    """Prints one line per way of forecasting a window of 60 closes with three 2x64 networks."""
    config = preset("classic").with_overrides(["training.max_epochs=1"])
    frames = sample_histories()
    pairs, _ = training_pairs(frames, split_dates(frames, config), config)
    with tempfile.TemporaryDirectory() as folder:
        lstm = LstmEstimator(config, Path(folder), 2).fit(pairs, UNWATCHED)
    context = Context(frames[0].close[-lstm.lookback :])
    drift = DriftReference.fit([pair.train for pair in pairs], lstm.lookback)
    window = window_at_end(frames[0], lstm.lookback)
    today = frames[0].last_session
    inputs = stack_inputs([context], lstm.lookback - 1, lstm.lookback, lstm.groups).values
    shape = (len(PATTERNS), lstm.horizon)
    blank = ScaleModel(np.zeros(shape), np.zeros((*shape, len(INPUTS))), np.full(shape, 5.0))
    network = Ensemble([StudentTNetwork(64, 2, 0.0, blank) for _ in range(config.network.members)])
    network.load_state_dict(load(lstm.weights))
    tensor = torch.from_numpy(inputs).float()
    torch.set_num_threads(1)
    with torch.no_grad():
        rows = {
            "whole forecast, LSTM": milliseconds(lambda: lstm.forecast([context])),
            "whole forecast, EWMA": milliseconds(lambda: EwmaForecaster().forecast([context])),
            "drift check, closes alone": milliseconds(
                lambda: check_window(PriceWindow(window.closes), drift, config.drift, today=today, stored=None)
            ),
            "drift check, stored history": milliseconds(
                lambda: check_window(window, drift, config.drift, today=today, stored=frames[0])
            ),
            "graph alone, ONNX Runtime": milliseconds(lambda: lstm.outputs(inputs)),
            "graph alone, torch": milliseconds(lambda: network(tensor)),
        }
    for name, cost in rows.items():
        print(f"{name:28} {cost:.3f} ms")
    print(f"drift check / its limit of 2 ms: {rows['drift check, stored history'] / 2:.2f}")
    print(f"torch / ONNX Runtime: {rows['graph alone, torch'] / rows['graph alone, ONNX Runtime']:.1f}x")


if __name__ == "__main__":
    main()
