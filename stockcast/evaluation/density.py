"""Scores of the distribution behind the quantiles of a forecast. Shapes: N forecasts, Q levels."""

from __future__ import annotations

import numpy as np

from stockcast.forecasting.distribution import Distribution
from stockcast.forecasting.returns import Floats


def log_score(quantiles: Floats, returns: Floats) -> Floats:
    """Negative logarithm of the density of what came true; smaller is better. [N, Q], [N] -> [N]

    In nats, of log returns (not percent). Good (1952).
    """
    return -Distribution.of(quantiles).log_density(returns)


def qlike(quantiles: Floats, returns: Floats) -> Floats:
    """QLIKE loss of the implied variance h against the squared return: ln h + r² / h. [N, Q], [N] -> [N]

    Patton (2011), less the part that no forecast changes, which keeps it finite when a price stood still.
    """
    variance = Distribution.of(quantiles).second_moment
    return np.asarray(np.log(variance) + returns * returns / variance)
