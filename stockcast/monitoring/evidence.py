"""The evidence of a drift check: what a window measures, beside what the training windows measured."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stockcast.forecasting.returns import log_returns
from stockcast.monitoring.drift_reference import DriftReference
from stockcast.monitoring.quantile_grid import Grid, median, quantile, share_below
from stockcast.monitoring.regime import swing_of, volatility
from stockcast.monitoring.value_faults import valid
from stockcast.monitoring.window_features import FEATURES, measure_features, place_of
from stockcast.prices.window import PriceWindow


@dataclass(frozen=True)
class FeatureEvidence:
    """One feature of a window and its distribution over the training windows, in one unit."""

    name: str
    label: str
    unit: str
    explanation: str
    value: float
    low: float  # 1 % of the training windows stay below it
    lower: float  # 5 %
    median: float
    upper: float  # 95 %
    high: float  # 99 %
    share: float  # of the training windows that stay below `value`, 0 to 1
    positions: tuple[int, ...] = ()  # closes that the value comes from, counted from 0; () where from all

    @property
    def inside(self) -> bool:
        """Whether 98 % of the training windows reach as far."""
        return self.low <= self.value <= self.high


@dataclass(frozen=True)
class VolatilityLevel:
    """How volatile a window is beside the training windows of its ticker, or of all."""

    multiple: float  # of the training median
    share: float  # of the training windows that were calmer, 0 to 1
    whose: str  # a ticker, or "all tickers"

    @property
    def sentence(self) -> str:
        """For a person."""
        rank = math.floor(100 * self.share + 1e-9)
        return f"{self.multiple:.2g}x the training median of {self.whose}, higher than in {rank} % of its windows"


def volatility_level(window: PriceWindow, reference: DriftReference) -> VolatilityLevel | None:
    """None where closes are no prices or too few, or where nothing moved in training."""
    levels, whose = reference.regime.levels_of(window.ticker)
    middle = median(levels.grid)
    if not _readable(window, reference) or middle == 0:
        return None
    value = volatility(log_returns(window.closes[-reference.lookback :]))
    return VolatilityLevel(value / middle, share_below(levels.grid, value), whose)


def window_evidence(window: PriceWindow, reference: DriftReference) -> tuple[FeatureEvidence, ...]:
    """Volatility and every feature of the shape; () where closes are no prices or too few.

    Without the shape when the reference holds none. Faults are not looked for: an unadjusted split is simply the
    largest move.
    """
    if not _readable(window, reference):
        return ()
    return (*_of_regime(window, reference), *_of_shape(window, reference))


def _readable(window: PriceWindow, reference: DriftReference) -> bool:
    return len(window.closes) >= reference.lookback and bool(valid(window.closes).all())


def _of_regime(window: PriceWindow, reference: DriftReference) -> tuple[FeatureEvidence, ...]:
    returns = log_returns(window.closes[-reference.lookback :])
    levels, whose = reference.regime.levels_of(window.ticker)
    level = _evidence(
        "volatility",
        "Volatility",
        "% a day",
        f"The size of the daily moves, beside the training windows of {whose}.",
        100 * volatility(returns),
        tuple(100 * value for value in levels.grid),
    )
    swing = swing_of(returns)
    if reference.regime.swing is None or swing is None:
        return (level,)
    return level, _evidence(
        "volatility_swing",
        "Volatility of the last third",
        "times that of the rest",
        "Whether the market grew wilder or calmer within the window.",
        swing,
        reference.regime.swing,
    )


def _of_shape(window: PriceWindow, reference: DriftReference) -> tuple[FeatureEvidence, ...]:
    if reference.shape is None:
        return ()
    closes = window.closes[-reference.lookback :]
    skipped = len(window.closes) - len(closes)
    values = measure_features(closes[None, :])[0]
    return tuple(
        _evidence(
            feature.name,
            feature.label,
            feature.unit,
            feature.explanation,
            float(value),
            reference.shape.features[feature.name].grid,
            tuple(skipped + row for row in place_of(feature.name, closes)),
        )
        for feature, value in zip(FEATURES, values, strict=True)
        if np.isfinite(value)
    )


def _evidence(
    name: str,
    label: str,
    unit: str,
    explanation: str,
    value: float,
    grid: Grid,
    positions: tuple[int, ...] = (),
) -> FeatureEvidence:
    return FeatureEvidence(
        name,
        label,
        unit,
        explanation,
        value,
        low=quantile(grid, 0.01),
        lower=quantile(grid, 0.05),
        median=median(grid),
        upper=quantile(grid, 0.95),
        high=quantile(grid, 0.99),
        share=share_below(grid, value),
        positions=positions,
    )
