"""Diebold-Mariano test with the small-sample correction of Harvey, Leybourne and Newbold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import stdtr

from stockcast.forecasting.returns import Floats

LEAST_P: Final = 0.001  # a smaller p-value is told as smaller than this


@dataclass(frozen=True)
class DieboldMariano:
    """`statistic` > 0 when the first forecaster has the smaller loss; `p_value` is two-sided."""

    statistic: float
    p_value: float
    count: int  # sessions


def diebold_mariano(losses: Floats, reference: Floats, horizon: int = 1) -> DieboldMariano:
    """Tests equal accuracy of two loss series over the same sessions. [N], [N]

    Diebold and Mariano (1995); correction and t distribution by Harvey, Leybourne and Newbold (1997). Losses
    of several tickers must be averaged per session first, as tickers move together.
    """
    difference = reference - losses
    count = len(difference)
    # A difference that never varies beyond rounding (prices that stand still) leaves nothing to test.
    if count < 10 or np.ptp(difference) <= 1e-12 * max(np.abs(losses).max(), np.abs(reference).max()):
        return DieboldMariano(0.0, 1.0, count)
    centred = difference - difference.mean()
    variance = centred @ centred / count
    for lag in range(1, horizon):
        variance += 2 * (1 - lag / horizon) * (centred[lag:] @ centred[:-lag]) / count  # Bartlett: never negative
    correction = (count + 1 - 2 * horizon + horizon * (horizon - 1) / count) / count
    statistic = float(difference.mean() / np.sqrt(variance / count) * np.sqrt(correction))
    return DieboldMariano(statistic, float(2 * stdtr(count - 1, -abs(statistic))), count)


def p_text(value: float) -> str:
    """A p-value as people write it: "p = 0.021", "p < 0.001"."""
    if not np.isfinite(value):
        return "p unknown"
    return f"p < {LEAST_P}" if value < LEAST_P else f"p = {value:.3f}"
