"""From a verified bundle back to a forecaster."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stockcast.errors import CorruptBundle
from stockcast.forecasting.bundle import Bundle
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.features import FEATURES
from stockcast.forecasting.forecaster import Forecaster
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.network_forecaster import ONNX_FILE, WEIGHTS_FILE, NetworkForecaster


class _Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Naive(_Parameters):
    horizon: int = Field(ge=1)
    lookback: int = Field(ge=2)


class _Ewma(_Parameters):
    scales: tuple[float, ...] = Field(min_length=1)
    dfs: tuple[float, ...] = Field(min_length=1)
    lookback: int = Field(ge=2)


class _Network(_Parameters):
    lookback: int = Field(ge=2)
    horizon: int = Field(ge=1)
    location_share: float = Field(ge=0, le=1)
    features: tuple[str, ...]


def unpack(bundle: Bundle, threads: int = 1) -> Forecaster:
    """The forecaster that a bundle holds; `threads` is for ONNX Runtime.

    Raises CorruptBundle when its kind, features or parameters are not known to this version.
    """
    try:
        return _UNPACKERS[bundle.manifest.kind](bundle, threads)
    except (KeyError, ValidationError) as problem:
        raise CorruptBundle(
            f"This version of stockcast cannot read a '{bundle.manifest.kind}' bundle: {problem}.",
            "Update stockcast or train the model again.",
        ) from problem


def _naive(bundle: Bundle, _threads: int) -> Forecaster:
    parameters = _Naive.model_validate(bundle.manifest.parameters)
    return NaiveForecaster(horizon=parameters.horizon, lookback=parameters.lookback)


def _ewma(bundle: Bundle, _threads: int) -> Forecaster:
    parameters = _Ewma.model_validate(bundle.manifest.parameters)
    return EwmaForecaster(parameters.scales, parameters.dfs, bundle.manifest.trained_until, parameters.lookback)


def _network(bundle: Bundle, threads: int) -> Forecaster:
    parameters = _Network.model_validate(bundle.manifest.parameters)
    if parameters.features != FEATURES:
        raise KeyError(f"features {', '.join(parameters.features)}")
    return NetworkForecaster(
        onnx=bundle.files[ONNX_FILE],
        weights=bundle.files[WEIGHTS_FILE],
        lookback=parameters.lookback,
        horizon=parameters.horizon,
        location_share=parameters.location_share,
        trained_until=bundle.manifest.trained_until,
        threads=threads,
    )


_UNPACKERS: dict[str, Callable[[Bundle, int], Forecaster]] = {"naive": _naive, "ewma": _ewma, "lstm": _network}
