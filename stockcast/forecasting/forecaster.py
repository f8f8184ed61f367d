"""The two sides of every model: an Estimator learns and returns a Forecaster; a Forecaster only forecasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from stockcast.forecasting.context import Context
from stockcast.forecasting.observer import Observer
from stockcast.forecasting.quantiles import QuantileForecast
from stockcast.prices.frame import PriceFrame

# Plain numbers that a bundle's manifest carries for a forecaster, for example {"df": 5.1}.
Parameters = Mapping[str, "float | int | list[float] | list[str]"]


@dataclass(frozen=True)
class ForecasterState:
    """All that is needed to rebuild a forecaster without its estimator: what the bundle stores."""

    kind: str
    parameters: Parameters
    files: Mapping[str, bytes] = field(default_factory=dict)


class Forecaster(Protocol):
    """Anything that speaks: a baseline or a trained network. It cannot be trained."""

    @property
    def kind(self) -> str:
        """Name of its family: naive, ewma, lstm."""
        ...

    @property
    def lookback(self) -> int:
        """Fewest closes that a context must hold."""
        ...

    @property
    def history(self) -> int:
        """Most closes that it looks at; more are ignored."""
        ...

    @property
    def horizon(self) -> int:
        """Sessions ahead of its furthest forecast."""
        ...

    @property
    def trained_until(self) -> date | None:
        """Last session that any part of its fitting saw; None when nothing was fitted."""
        ...

    def forecast(self, contexts: Sequence[Context]) -> list[QuantileForecast]:
        """One forecast per context, in order. Raises InvalidWindow when a context is too short."""
        ...

    def state(self) -> ForecasterState:
        """What a bundle has to store of it."""
        ...


@dataclass(frozen=True)
class TrainingPair:
    """One ticker's history cut in the order of time: fit on `train`, stop and calibrate on `validation`.

    `validation` begins with `lead` bars that only serve as context for its first targets.
    """

    train: PriceFrame
    validation: PriceFrame
    lead: int


class Estimator(Protocol):
    """Something that learns. It cannot forecast."""

    def fit(self, pairs: Sequence[TrainingPair], observer: Observer) -> Forecaster:
        """Learns from all pairs together. Raises TooShortHistory, TrainingFailed, or what the observer raises."""
        ...
