"""Features: what the network reads at every step, scale-free and causal.

Everything is measured in units of the window's own volatility, so no fitted scaler travels with a model.
"""

from __future__ import annotations

import numpy as np

from stockcast.forecasting.returns import Floats
from stockcast.forecasting.volatility import ewma_volatility

# Half-lives in sessions: days, a week, a month, a quarter. The heterogeneous horizons of Corsi (2009).
HALF_LIVES = (1.5, 5.0, 22.0, 60.0)
FEATURES = (
    "standardised_return",
    "log_absolute_return",
    *(f"log_volatility_{half_life:g}" for half_life in HALF_LIVES),
)
CLIP = 6.0  # in volatilities; one crash must not decide a training


def features(returns: Floats) -> tuple[Floats, Floats]:
    """Features at every step and the volatility they are measured in.

    Log returns [N, T] -> features [N, T, F] in the order of FEATURES, volatility [N, T]. Each step sees the
    returns up to and including its own.
    """
    volatility = ewma_volatility(returns)
    standardised = returns / volatility
    columns = [
        np.clip(standardised, -CLIP, CLIP),
        np.log(np.abs(standardised) + 0.1),
        *(np.log(ewma_volatility(returns, 0.5 ** (1 / half)) / volatility) for half in HALF_LIVES),
    ]
    return np.stack(columns, axis=-1), volatility
