"""Shape: whether a window of this form is likely at all, in any mood of the market.

Each feature of a window (see window_features) has a rarity: 2 at the value that one window in 100 exceeds, 3 at
the value that one in 1,000 exceeds, and so on along a straight line, for no training part is long enough to count
one in 10,000. The two values come from the training windows, but never lie closer to the middle than in an
ordinary market of heavy-tailed independent moves: a few quiet years must not make the next earnings day a fault.

The score of a window is the rarity of its most unusual feature. Its conformal p-value is the share of training
windows, itself included, whose score is as high.

`N` windows, `L` closes each, `F` features, `G` shares of a grid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from pydantic import FiniteFloat, PositiveInt

from stockcast.forecasting.returns import Floats, to_prices
from stockcast.monitoring.quantile_grid import Grid, grid_of, quantile, rounded, share_below
from stockcast.monitoring.window_features import FEATURES, WindowFeature, measure_features
from stockcast.prices.frame import PriceFrame

_STRIDE = 5  # sessions between one training window and the next: closer ones add nothing
_PER_FIVE = np.log10(5)  # decades from one window in 20 to one in 100
_LEAST = 1e-3  # smallest ratio whose logarithm is taken
# The ordinary market: Student-t moves of 4 degrees of freedom, in steps that make one close in 18 repeat.
_ORDINARY_WINDOWS, _CHUNK, _DEGREES, _STEP, _SEED = 20_000, 2_000, 4, 0.15, 20240501

_RATIO = np.array([feature.ratio for feature in FEATURES])
Tail = tuple[FiniteFloat, FiniteFloat]


@dataclass(frozen=True)
class FeatureReference:
    """One feature over the training windows, in its own unit."""

    grid: Grid  # [G]
    low: Tail | None  # values that one window in 100 and one in 1,000 stay below; None where small is usual
    high: Tail | None  # the same above

    def rarity(self, feature: WindowFeature, values: Floats) -> Floats:
        """How unusual values are: one window in 10 to this power, 0 where they are not or are NaN. [N] -> [N]"""
        decades, judged = np.zeros(len(values)), _judged(feature, values)
        for tail in (self.low, self.high):
            if tail is not None:
                first, second = _judged(feature, np.array(tail))
                decades = np.fmax(decades, 2 + (judged - first) / (second - first))
        return decades

    def is_high(self, value: float) -> bool:
        """Whether a value lies above the middle of the training windows."""
        return self.high is not None and (self.low is None or value > quantile(self.grid, 0.5))

    def value_of(self, feature: WindowFeature, decades: float, *, high: bool) -> float:
        """The value of a rarity on one side, the inverse of `rarity`."""
        tail = self.high if high else self.low
        assert tail is not None
        first, second = _judged(feature, np.array(tail))
        value = first + (decades - 2) * (second - first)
        return float(np.exp(value) if feature.ratio else value)


@dataclass(frozen=True)
class ShapeReference:
    """Features and scores of the training windows."""

    windows: PositiveInt  # training windows that were measured
    features: Mapping[str, FeatureReference]  # every one of FEATURES
    scores: Grid  # [G]

    def __post_init__(self) -> None:
        if set(self.features) != {feature.name for feature in FEATURES}:
            raise ValueError("must hold the features that this program measures")

    @staticmethod
    def fit(frames: Sequence[PriceFrame], lookback: int) -> ShapeReference | None:
        """Measures every fifth window of `lookback` closes in histories that hold training sessions only.

        None when not one window moved.
        """
        closes = [frame.close for frame in frames if len(frame) >= lookback]
        values = np.concatenate([np.empty((0, len(FEATURES))), *(_measure(values, lookback) for values in closes)])
        values = values[np.isfinite(values).all(axis=1)]  # [N, F]
        if not len(values):
            return None
        ordinary = _ordinary_features(lookback)
        features = {
            feature.name: _reference(feature, values[:, column], ordinary[:, column])
            for column, feature in enumerate(FEATURES)
        }
        return ShapeReference(len(values), features, grid_of(_rarities(values, features).max(axis=1)))

    def rarities(self, values: Floats) -> Floats:
        """Rarity of each feature of windows. [N, F] -> [N, F]"""
        judged = np.where(_RATIO, np.log(np.maximum(values, _LEAST)), values)
        decades = np.zeros(values.shape)
        for first, second in self._tails:
            decades = np.fmax(decades, 2 + (judged - first) / (second - first))
        return decades

    @cached_property
    def _tails(self) -> tuple[tuple[Floats, Floats], ...]:
        """The two values of either tail on the scale on which they are judged, NaN where it has none. [F] each"""
        found = []
        for side in ("low", "high"):
            tails = [getattr(self.features[feature.name], side) for feature in FEATURES]
            both = [
                (np.nan, np.nan) if tail is None else _judged(feature, np.array(tail))
                for feature, tail in zip(FEATURES, tails, strict=True)
            ]
            first, second = np.array(both).T
            found.append((first, second))
        return tuple(found)

    def p_value(self, score: float) -> float:
        """Conformal: the share of training windows, and this one, that are as unusual."""
        return (1 + self.windows * (1 - share_below(self.scores, score))) / (self.windows + 1)


def _rarities(values: Floats, features: Mapping[str, FeatureReference]) -> Floats:
    """[N, F] -> [N, F]"""
    columns = [
        features[feature.name].rarity(feature, values[:, column]) for column, feature in enumerate(FEATURES)
    ]
    return np.stack(columns, axis=1)


def _judged(feature: WindowFeature, values: Floats) -> Floats:
    """Values on the scale on which they are judged. [N] -> [N]"""
    return np.log(np.maximum(values, _LEAST)) if feature.ratio else values


def _measure(closes: Floats, lookback: int) -> Floats:
    """Features of every fifth window of a history. [T] -> [N, F]"""
    return measure_features(np.lib.stride_tricks.sliding_window_view(closes, lookback)[::_STRIDE])


def _reference(feature: WindowFeature, values: Floats, ordinary: Floats) -> FeatureReference:
    """From the values of training windows [N], and of windows of an ordinary market [M]."""
    judged, usual = _judged(feature, values), _judged(feature, ordinary)
    return FeatureReference(
        grid_of(values),
        low=_tail(feature, -judged, -usual, sign=-1) if feature.low else None,
        high=_tail(feature, judged, usual, sign=1) if feature.high else None,
    )


def _tail(feature: WindowFeature, judged: Floats, usual: Floats, *, sign: int) -> Tail:
    """The upper tail of values on their scale, turned back by `sign` and put into the unit of the feature."""
    one_in_20, one_in_100 = np.quantile(judged, [0.95, 0.99])
    usual_100, usual_1000 = np.quantile(usual, [0.99, 0.999])
    first = max(one_in_100, usual_100)
    second = first + max((one_in_100 - one_in_20) / _PER_FIVE, usual_1000 - usual_100)
    both = sign * np.array([first, second])
    values = np.exp(both) if feature.ratio else both
    return rounded(values[0]), rounded(values[1])


@cache
def _ordinary_features(lookback: int) -> Floats:
    """Features of windows of an ordinary market; the same ones every time. [M, F]"""
    rng = np.random.default_rng(_SEED)
    measured = []
    for _ in range(_ORDINARY_WINDOWS // _CHUNK):
        moves = np.round(rng.standard_t(_DEGREES, (_CHUNK, lookback - 1)) / _STEP) * _STEP
        path = np.cumsum(np.concatenate([np.zeros((_CHUNK, 1)), moves], axis=1), axis=1)
        measured.append(measure_features(to_prices(1.0, 0.01 * path)))
    return np.concatenate(measured)
