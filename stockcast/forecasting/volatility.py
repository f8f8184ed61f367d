"""Exponentially weighted volatility inside a window: causal, and scaled by nothing outside the window."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from stockcast.forecasting.returns import Floats

# RiskMetrics (J.P. Morgan, 1996): decay of daily variances.
DECAY = 0.94
# Daily volatility below one basis point is a price that stands still, not a distribution to divide by.
FLOOR = 1e-4


def ewma_volatility(returns: Floats, decay: float = DECAY) -> Floats:
    """Volatility at every step from the returns up to it, the step's own included. [..., T] -> [..., T]

    The weights of each step add up to one, so that the first steps are not biased towards zero.
    """
    return np.maximum(np.sqrt((returns * returns) @ _weights(returns.shape[-1], decay).T), FLOOR)


@lru_cache(maxsize=64)
def _weights(steps: int, decay: float) -> Floats:
    age = np.arange(steps)[:, None] - np.arange(steps)[None, :]
    raw = np.where(age >= 0, decay ** np.maximum(age, 0), 0.0)
    weights: Floats = raw / raw.sum(axis=1, keepdims=True)  # [T, T]
    weights.setflags(write=False)
    return weights
