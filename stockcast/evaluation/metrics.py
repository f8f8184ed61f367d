"""Losses and scores as pure functions. Shapes: N forecasts, Q levels."""

from __future__ import annotations

import numpy as np

from stockcast.forecasting.quantiles import LEVELS
from stockcast.forecasting.returns import Floats


def pinball(quantiles: Floats, actuals: Floats) -> Floats:
    """Pinball loss at each of LEVELS. [N, Q], [N] -> [N, Q]"""
    error = actuals[:, None] - quantiles
    return np.maximum(LEVELS * error, (LEVELS - 1) * error)


def crps(quantiles: Floats, actuals: Floats) -> Floats:
    """Continuous ranked probability score from the quantiles at LEVELS. [N, Q], [N] -> [N]

    Twice the integral of the pinball loss over all levels (Laio and Tamea, 2007), by the trapezoidal rule on
    the even grid; within 2 % of the closed form for a Student-t, with the same small bias for every forecaster.
    """
    step = float(LEVELS[1] - LEVELS[0])
    return np.asarray(2 * step * pinball(quantiles, actuals).sum(axis=1))


def coverage(lower: Floats, upper: Floats, actuals: Floats) -> float:
    """Share of actuals inside [lower, upper]. [N], [N], [N]"""
    return float(np.mean((actuals >= lower) & (actuals <= upper)))


def winkler(lower: Floats, upper: Floats, actuals: Floats, share: float) -> Floats:
    """Interval score of the central interval that promises `share`; smaller is better. [N], [N], [N] -> [N]

    The width, and for an actual outside it the distance times 2 / (1 - share). In the unit of its arguments.
    Winkler (1972); Gneiting and Raftery (2007), equation 43.
    """
    missed = np.maximum(lower - actuals, 0.0) + np.maximum(actuals - upper, 0.0)
    return np.asarray(upper - lower + 2 / (1 - share) * missed)


def mean_absolute_error(forecasts: Floats, actuals: Floats) -> float:
    """In the unit of its arguments. [N], [N]"""
    return float(np.mean(np.abs(actuals - forecasts)))


def root_mean_squared_error(forecasts: Floats, actuals: Floats) -> float:
    """In the unit of its arguments. [N], [N]"""
    return float(np.sqrt(np.mean((actuals - forecasts) ** 2)))


def mean_absolute_percentage_error(forecasts: Floats, actuals: Floats) -> float:
    """In percent of the actual. [N], [N]"""
    return float(np.mean(np.abs(actuals - forecasts) / actuals) * 100)
