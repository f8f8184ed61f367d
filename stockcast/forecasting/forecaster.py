"""The two sides of every model: an Estimator learns and returns a Forecaster; a Forecaster only forecasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, Protocol

from stockcast.forecasting.context import Context
from stockcast.forecasting.observer import Observer
from stockcast.forecasting.quantiles import QuantileForecast
from stockcast.prices.frame import PriceFrame

# Plain numbers that a bundle's manifest carries for a forecaster, for example {"df": 5.1}.
Parameters = Mapping[str, "float | int | list[float] | list[str]"]


# What a model may read beside closes: open, high, low and volume; and what the tickers of its market do together.
Group = Literal["range", "market"]


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
        """Name of its family: naive, ewma, garch, linear, lstm."""
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
    def groups(self) -> tuple[Group, ...]:
        """What it reads beside closes, where a context has it."""
        ...

    @property
    def adaptation(self) -> float:
        """Step of the conformal adaptation of its intervals to each ticker; 0 for none."""
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
    """One ticker's history cut in the order of time: fit on `train`, stop and calibrate on what comes after."""

    history: PriceFrame  # up to the end of validation
    train_length: int  # bars that fitting may see
    first_cutoff: int  # row of the first validation cutoff, an embargo after `train`

    @property
    def train(self) -> PriceFrame:
        """The part that fitting may see."""
        return self.history.rows(0, self.train_length)

    @property
    def ticker(self) -> str:
        return self.history.ticker


class Estimator(Protocol):
    """Something that learns. It cannot forecast."""

    def fit(self, pairs: Sequence[TrainingPair], observer: Observer) -> Forecaster:
        """Learns from all pairs together. Raises TooShortHistory, TrainingFailed, or what the observer raises."""
        ...
