"""Prices to log returns and back, in one place. Quantiles pass through exp; means do not, so medians are shown.

All returns are log returns, not percent.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def log_returns(closes: Floats) -> Floats:
    """Log returns from each close to the next. [..., L] -> [..., L - 1]"""
    return np.diff(np.log(closes), axis=-1)


def to_prices(last_close: float, returns: Floats) -> Floats:
    """Prices reached by log returns from `last_close`; the shape of `returns` is kept."""
    return last_close * np.exp(returns)


def to_returns(last_close: float, prices: Floats) -> Floats:
    """Log returns from `last_close` to each price; the inverse of `to_prices`."""
    return np.log(prices / last_close)
