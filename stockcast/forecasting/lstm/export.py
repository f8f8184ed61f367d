"""From torch to the files of a bundle: an ONNX graph to serve and safetensors to train on from."""

from __future__ import annotations

import io
import warnings

import torch
from safetensors.torch import save

from stockcast.forecasting.lstm.network import LastStep, StudentTNetwork


def to_onnx(network: StudentTNetwork, steps: int, features: int) -> bytes:
    """The graph of the last step, with a dynamic number of windows. Input `features` [N, steps, F]."""
    buffer = io.BytesIO()
    example = torch.zeros(2, steps, features)
    with warnings.catch_warnings():
        # The TorchScript exporter takes 0.1 s for an LSTM, its successor 6 s; torch calls the former deprecated.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            LastStep(network).eval(),
            (example,),
            buffer,  # type: ignore[arg-type]  # it writes to any binary file, as its docstring says
            input_names=["features"],
            output_names=["location", "scale", "df"],
            dynamic_axes={name: {0: "windows"} for name in ("features", "location", "scale", "df")},
            dynamo=False,
        )
    return buffer.getvalue()


def to_safetensors(network: StudentTNetwork) -> bytes:
    """All weights by name."""
    return save({name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()})
