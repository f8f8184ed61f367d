"""From torch to the files of a bundle: an ONNX graph to serve and safetensors to train on from."""

from __future__ import annotations

import io
import warnings

import torch
from safetensors.torch import save

from stockcast.forecasting.inputs import INPUTS
from stockcast.forecasting.lstm.network import Ensemble, LastStep


def to_onnx(network: Ensemble, steps: int) -> bytes:
    """One graph of all members at the last step, for any number of windows. Input: `inputs` [N, steps, I]."""
    buffer = io.BytesIO()
    example = torch.zeros(2, steps, len(INPUTS))
    with warnings.catch_warnings():
        # The TorchScript exporter takes 0.1 s for an LSTM, its successor 6 s; torch calls the former deprecated.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            LastStep(network).eval(),
            (example,),
            buffer,  # type: ignore[arg-type]  # it writes to any binary file, as its docstring says
            input_names=["inputs"],
            output_names=["location", "scale", "df"],
            dynamic_axes={name: {0: "windows"} for name in ("inputs", "location", "scale", "df")},
            dynamo=False,
        )
    return buffer.getvalue()


def to_safetensors(network: Ensemble) -> bytes:
    """All weights by name."""
    return save({name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()})
