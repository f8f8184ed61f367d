"""From a verified bundle back to a forecaster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from stockcast.errors import CorruptBundle
from stockcast.forecasting.bundle import Bundle
from stockcast.forecasting.conformal import CENTRAL
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.forecaster import Forecaster, Group
from stockcast.forecasting.garch import GarchForecaster
from stockcast.forecasting.inputs import INPUTS
from stockcast.forecasting.linear import PATTERNS, LinearForecaster, ScaleModel
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.network_forecaster import ONNX_FILE, WEIGHTS_FILE, NetworkForecaster
from stockcast.forecasting.recalibrated import RecalibratedForecaster

Parameters = Mapping[str, JsonValue]


class _Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Naive(_Parameters):
    horizon: int = Field(ge=1)
    lookback: int = Field(ge=2)


class _Ewma(_Parameters):
    scales: tuple[float, ...] = Field(min_length=1)
    dfs: tuple[float, ...] = Field(min_length=1)
    lookback: int = Field(ge=2)


class _Garch(_Parameters):
    tickers: tuple[str, ...]
    omegas: tuple[float, ...]
    alphas: tuple[float, ...]
    betas: tuple[float, ...]
    dfs: tuple[float, ...]
    pooled_alpha: float = Field(ge=0, lt=1)
    pooled_beta: float = Field(ge=0, lt=1)
    pooled_df: float = Field(gt=2)
    horizon: int = Field(ge=1)
    lookback: int = Field(ge=2)
    history: int = Field(ge=2)

    @model_validator(mode="after")
    def be_of_one_length(self) -> _Garch:
        if len({len(self.tickers), len(self.omegas), len(self.alphas), len(self.betas), len(self.dfs)}) > 1:
            raise ValueError("the parameters are not one a ticker")
        return self


class _Reading(_Parameters):
    """What a model that reads inputs must agree with this version on."""

    lookback: int = Field(ge=2)
    horizon: int = Field(ge=1)
    inputs: tuple[str, ...]
    groups: tuple[Group, ...]

    @field_validator("inputs")
    @classmethod
    def be_known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value != INPUTS:
            raise ValueError("it reads other inputs")
        return value


class _Linear(_Reading):
    intercepts: tuple[float, ...]
    weights: tuple[float, ...]
    dfs: tuple[float, ...]

    @property
    def model(self) -> ScaleModel:
        shape = (len(PATTERNS), self.horizon)
        return ScaleModel(
            np.reshape(self.intercepts, shape),
            np.reshape(self.weights, (*shape, len(INPUTS))),
            np.reshape(self.dfs, shape),
        )


class _Network(_Reading):
    drift: float
    location_share: float = Field(ge=0, le=1)


class _Recalibration(_Parameters):
    coverages: tuple[Annotated[float, Field(gt=0, lt=1)], ...]
    adaptation: float = Field(ge=0, le=0.1)


def unpack(bundle: Bundle, threads: int = 1) -> Forecaster:
    """The forecaster that a bundle holds; `threads` is for ONNX Runtime.

    Raises CorruptBundle when its kind, features or parameters are not known to this version.
    """
    parameters = dict(bundle.manifest.parameters)
    added = {name: parameters.pop(name) for name in _Recalibration.model_fields if name in parameters}
    try:
        base = _UNPACKERS[bundle.manifest.kind](bundle, parameters, threads)
        if not added:
            return base
        known = _Recalibration.model_validate(added)
        coverages = np.reshape(known.coverages, (base.horizon, len(CENTRAL)))
        return RecalibratedForecaster(base, coverages, known.adaptation, bundle.manifest.trained_until)
    except (KeyError, ValueError) as problem:  # pydantic's error is a ValueError, as is numpy's about shapes
        raise CorruptBundle(
            f"This version of stockcast cannot read a '{bundle.manifest.kind}' bundle: {problem}.",
            "Update stockcast or train the model again.",
        ) from problem


def _naive(_bundle: Bundle, parameters: Parameters, _threads: int) -> Forecaster:
    known = _Naive.model_validate(parameters)
    return NaiveForecaster(horizon=known.horizon, lookback=known.lookback)


def _ewma(bundle: Bundle, parameters: Parameters, _threads: int) -> Forecaster:
    known = _Ewma.model_validate(parameters)
    return EwmaForecaster(known.scales, known.dfs, bundle.manifest.trained_until, known.lookback)


def _garch(bundle: Bundle, parameters: Parameters, _threads: int) -> Forecaster:
    known = _Garch.model_validate(parameters)
    return GarchForecaster(**dict(known), trained_until=bundle.manifest.trained_until)


def _linear(bundle: Bundle, parameters: Parameters, _threads: int) -> Forecaster:
    known = _Linear.model_validate(parameters)
    return LinearForecaster(known.model, known.groups, known.lookback, bundle.manifest.trained_until)


def _network(bundle: Bundle, parameters: Parameters, threads: int) -> Forecaster:
    known = _Network.model_validate(parameters)
    return NetworkForecaster(
        onnx=bundle.files[ONNX_FILE],
        weights=bundle.files[WEIGHTS_FILE],
        lookback=known.lookback,
        horizon=known.horizon,
        drift=known.drift,
        location_share=known.location_share,
        groups=known.groups,
        trained_until=bundle.manifest.trained_until,
        threads=threads,
    )


_UNPACKERS: dict[str, Callable[[Bundle, Parameters, int], Forecaster]] = {
    "naive": _naive,
    "ewma": _ewma,
    "garch": _garch,
    "linear": _linear,
    "lstm": _network,
}
