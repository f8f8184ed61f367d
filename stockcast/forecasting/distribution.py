"""The distribution behind the quantiles of a forecast: its density, its probabilities and its other quantiles.

Between two of LEVELS the quantile function is a straight line, so the density there is even. Beyond the outermost
level it falls exponentially, at the rate that joins the two outermost levels. Shapes: N forecasts, Q levels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stockcast.forecasting.quantiles import LEVELS, MEDIAN
from stockcast.forecasting.returns import Floats
from stockcast.forecasting.volatility import FLOOR

_STEP = float(LEVELS[1] - LEVELS[0])
_TAIL = float(LEVELS[0])  # probability beyond the outermost level, on either side
_JOIN = float(np.log(LEVELS[1] / LEVELS[0]))
# Equal quantiles (a price that often stands still) would have no density. Each cell is widened by that of a
# distribution one basis point wide; the outermost quantiles move by half a basis point.
_WIDENING = FLOOR * _STEP


@dataclass(frozen=True, eq=False)
class Distribution:
    """Distributions of log returns, one a forecast."""

    knots: Floats  # [N, Q] strictly increasing quantiles at LEVELS
    lower_scale: Floats  # [N] mean distance below the lowest knot, given that it is below
    upper_scale: Floats  # [N]

    @staticmethod
    def of(quantiles: Floats) -> Distribution:
        """From log returns at LEVELS, non-decreasing along Q. [N, Q]"""
        knots = quantiles + _WIDENING * (np.arange(len(LEVELS)) - MEDIAN)
        return Distribution(knots, (knots[:, 1] - knots[:, 0]) / _JOIN, (knots[:, -1] - knots[:, -2]) / _JOIN)

    def log_density(self, returns: Floats) -> Floats:
        """Natural logarithm of the density at a log return each. [N] -> [N]"""
        cell, below, above = self._places(returns)
        rows = np.arange(len(returns))
        inside = np.log(_STEP / (self.knots[rows, cell + 1] - self.knots[rows, cell]))
        lower = np.log(_TAIL / self.lower_scale) - below / self.lower_scale
        upper = np.log(_TAIL / self.upper_scale) - above / self.upper_scale
        return np.where(below > 0, lower, np.where(above > 0, upper, inside))

    def probability(self, returns: Floats) -> Floats:
        """PIT: the probability of a return at most as high. Even in [0, 1] when the forecasts are right. [N]"""
        cell, below, above = self._places(returns)
        rows = np.arange(len(returns))
        left = self.knots[rows, cell]
        inside = LEVELS[cell] + _STEP * (returns - left) / (self.knots[rows, cell + 1] - left)
        lower = _TAIL * np.exp(-below / self.lower_scale)
        upper = 1 - _TAIL * np.exp(-above / self.upper_scale)
        return np.where(below > 0, lower, np.where(above > 0, upper, inside))

    def at(self, levels: Floats) -> Floats:
        """Quantiles at other levels inside (0, 1): the inverse of `probability`. [N, L] -> [N, L]"""
        place = np.clip(levels / _STEP - 1, 0, len(LEVELS) - 1)
        cell = np.minimum(place.astype(np.int64), len(LEVELS) - 2)
        left = np.take_along_axis(self.knots, cell, axis=1)
        right = np.take_along_axis(self.knots, cell + 1, axis=1)
        inside = left + (place - cell) * (right - left)
        lower = self.lower_scale[:, None] * np.log(np.minimum(levels, _TAIL) / _TAIL)
        upper = self.upper_scale[:, None] * np.log(np.minimum(1 - levels, _TAIL) / _TAIL)
        return np.asarray(inside + lower - upper)

    def at_same(self, levels: Floats) -> Floats:
        """Quantiles at other levels, the same for each H-th of the distributions. [H, L] -> [N / H, H, L]"""
        horizons = np.arange(len(levels))[:, None]
        place = np.clip(levels / _STEP - 1, 0, len(LEVELS) - 1)
        cell = np.minimum(place.astype(np.int64), len(LEVELS) - 2)
        knots = self.knots.reshape(-1, *levels.shape[:1], len(LEVELS))
        left = knots[:, horizons, cell]
        inside = left + (place - cell) * (knots[:, horizons, cell + 1] - left)
        lower, upper = (scale.reshape(-1, len(levels), 1) for scale in (self.lower_scale, self.upper_scale))
        below, above = np.log(np.minimum(levels, _TAIL) / _TAIL), np.log(np.minimum(1 - levels, _TAIL) / _TAIL)
        return np.asarray(inside + lower * below - upper * above)

    @property
    def second_moment(self) -> Floats:
        """Expected squared return: the variance, as the mean of one session is next to nothing. [N]"""
        left, right = self.knots[:, :-1], self.knots[:, 1:]
        inside = _STEP * ((left * left + left * right + right * right) / 3).sum(axis=1)
        lower = self.knots[:, 0] ** 2 - 2 * self.knots[:, 0] * self.lower_scale + 2 * self.lower_scale**2
        upper = self.knots[:, -1] ** 2 + 2 * self.knots[:, -1] * self.upper_scale + 2 * self.upper_scale**2
        return np.asarray(inside + _TAIL * (lower + upper))

    def _places(self, returns: Floats) -> tuple[np.ndarray[tuple[int], np.dtype[np.intp]], Floats, Floats]:
        """The cell of each return, and how far it lies below the lowest and above the highest knot. [N] each"""
        cell = np.clip((self.knots <= returns[:, None]).sum(axis=1) - 1, 0, len(LEVELS) - 2)
        return (
            cell,
            np.maximum(self.knots[:, 0] - returns, 0.0),
            np.maximum(returns - self.knots[:, -1], 0.0),
        )
