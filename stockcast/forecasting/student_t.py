"""Student's t distribution: quantiles and its fit to standardised returns."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.polynomial import chebyshev
from scipy.special import gammaln, stdtrit

from stockcast.forecasting.quantiles import LEVELS, MEDIAN
from stockcast.forecasting.returns import Floats

LEAST_DF = 2.1  # the variance exists above 2
MOST_DF = 60.0  # beyond, it is a normal distribution for all we can measure
# In units of the volatility. Where most returns are zero, the likelihood grows without end as the scale vanishes.
LEAST_SCALE = 1e-3
_TERMS = 16
_UPPER = LEVELS[MEDIAN + 1 :]
LARGEST_RETURN = 200.0  # beyond, exp of it times a price is no finite positive number any more


def quantiles(location: Floats, scale: Floats, df: Floats) -> Floats:
    """Quantiles at LEVELS of location + scale * t(df), as returns that a price survives. [...] -> [..., Q]"""
    upper = _upper(df)  # the distribution is even around its middle
    standard = np.concatenate([-upper[..., ::-1], np.zeros((*df.shape, 1)), upper], axis=-1)
    values: Floats = location[..., None] + scale[..., None] * standard
    return np.clip(values, -LARGEST_RETURN, LARGEST_RETURN)


def _upper(df: Floats) -> Floats:
    """Quantiles of t(df) at the levels above the median. [...] -> [..., 19]"""
    if df.size and df.min() >= LEAST_DF and df.max() <= MOST_DF:
        angles = np.arccos(np.clip(_place(df), -1, 1))
        return np.asarray(np.cos(angles[..., None] * np.arange(_TERMS)) @ _coefficients())  # Chebyshev's
    # A few distinct degrees of freedom are the rule where they come from elsewhere.
    distinct, which = np.unique(df, return_inverse=True)
    return np.asarray(stdtrit(distinct[:, None], _UPPER)[which.reshape(df.shape)])


@cache
def _coefficients() -> Floats:
    """Of a polynomial in 1 / df, which is a hundred times as quick as solving for each, and within 1e-12 of it."""
    nodes = chebyshev.chebpts1(_TERMS)
    inverse = (1 / MOST_DF + 1 / LEAST_DF) / 2 + nodes * (1 / LEAST_DF - 1 / MOST_DF) / 2
    return np.asarray(chebyshev.chebfit(nodes, stdtrit(1 / inverse[:, None], _UPPER), _TERMS - 1))


def _place(df: Floats) -> Floats:
    """Where 1 / df lies between those of MOST_DF (-1) and LEAST_DF (1). [...] -> [...]"""
    return (2 / df - 1 / MOST_DF - 1 / LEAST_DF) / (1 / LEAST_DF - 1 / MOST_DF)


def negative_log_likelihood(values: Floats, scale: float, df: float) -> float:
    """Mean negative log-likelihood of values [N] under scale * t(df), centred at zero."""
    z = values / scale
    constant = gammaln((df + 1) / 2) - gammaln(df / 2) - 0.5 * np.log(df * np.pi) - np.log(scale)
    return float(np.mean((df + 1) / 2 * np.log1p(z * z / df)) - constant)


def fit(values: Floats) -> tuple[float, float]:
    """Maximum-likelihood (scale, df) of values [N] under a t centred at zero."""
    from scipy.optimize import minimize  # only what learns needs it, and it is large

    start = np.array([np.log(np.median(np.abs(values)) / 0.72 + 1e-9), np.log(5.0 - LEAST_DF)])

    def bounded(parameters: Floats) -> tuple[float, float]:
        scale, df = float(np.exp(parameters[0])), LEAST_DF + float(np.exp(parameters[1]))
        return max(scale, LEAST_SCALE), min(df, MOST_DF)

    def loss(parameters: Floats) -> float:
        return negative_log_likelihood(values, *bounded(parameters))

    return bounded(minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-7}).x)
