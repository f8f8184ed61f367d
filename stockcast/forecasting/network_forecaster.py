"""The trained networks as a forecaster: ONNX Runtime on the exported graph. Needs no torch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from stockcast.errors import CorruptBundle
from stockcast.forecasting import student_t
from stockcast.forecasting.context import Context
from stockcast.forecasting.forecaster import ForecasterState, Group
from stockcast.forecasting.inputs import INPUTS, history_of, stack_inputs
from stockcast.forecasting.quantiles import QuantileForecast
from stockcast.forecasting.returns import Floats

if TYPE_CHECKING:
    import onnxruntime

ONNX_FILE = "model.onnx"
WEIGHTS_FILE = "weights.safetensors"

_AT_ONCE: Final = 256  # contexts whose inputs fit the cache of one core


@dataclass(frozen=True, eq=False)
class NetworkForecaster:
    """Student-t quantiles per horizon from the LSTM's location, scale and degrees of freedom.

    `drift` is the mean return of a session in units of the volatility; `location_share` in [0, 1] is how much of
    the network's location around it is believed. Where both are 0 the median is exactly the last close.
    """

    onnx: bytes
    weights: bytes
    lookback: int
    horizon: int
    drift: float
    location_share: float
    groups: tuple[Group, ...]  # inputs that it has learnt to read beside closes
    trained_until: date | None
    threads: int = 1
    kind: str = "lstm"
    adaptation: float = 0.0

    @property
    def history(self) -> int:
        """Most closes that it looks at: those of its steps, and of the averages at the first of them."""
        return history_of(self.lookback - 1)

    def forecast(self, contexts: Sequence[Context]) -> list[QuantileForecast]:
        """One forecast per context. Raises InvalidWindow when a context is too short."""
        return [
            forecast
            for start in range(0, len(contexts), _AT_ONCE)
            for forecast in self._at_once(contexts[start : start + _AT_ONCE])
        ]

    def _at_once(self, contexts: Sequence[Context]) -> list[QuantileForecast]:
        inputs = stack_inputs(contexts, self.lookback - 1, self.lookback, self.groups)
        location, scale, df = self.outputs(inputs.values)
        last = inputs.volatility[:, -1:]  # [N, 1]
        expected = self.drift * np.arange(1, self.horizon + 1) + self.location_share * location  # [N, H]
        values = student_t.quantiles(expected * last, scale * last, df)  # [N, H, Q]
        return [QuantileForecast(context, self.kind, row) for context, row in zip(contexts, values, strict=True)]

    def outputs(self, inputs: Floats) -> tuple[Floats, Floats, Floats]:
        """Raw outputs of the graph: inputs [N, L - 1, I] -> location, scale, df, each [N, H]."""
        found = self._session.run(None, {"inputs": inputs.astype(np.float32)})
        location, scale, df = (np.asarray(array, dtype=np.float64) for array in found)
        return location, scale, df

    def state(self) -> ForecasterState:
        """What a bundle has to store of it."""
        return ForecasterState(
            self.kind,
            {
                "lookback": self.lookback,
                "horizon": self.horizon,
                "drift": self.drift,
                "location_share": self.location_share,
                "inputs": list(INPUTS),
                "groups": list(map(str, self.groups)),
            },
            {ONNX_FILE: self.onnx, WEIGHTS_FILE: self.weights},
        )

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        # Read at import: without it, ONNX Runtime reports to its maker and leaves files in the user's home.
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            return onnxruntime.InferenceSession(self.onnx, options, providers=["CPUExecutionProvider"])
        except Exception as problem:  # onnxruntime raises bare RuntimeErrors and its own classes
            raise CorruptBundle(
                f"The model graph cannot be loaded: {problem}.", "Train the model again."
            ) from problem
