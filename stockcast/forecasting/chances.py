"""The chance that a coming close ends above a level: the quantile function of a forecast, read in reverse."""

from __future__ import annotations

import math

import numpy as np

from stockcast.errors import InvalidRequest
from stockcast.forecasting.context import LARGEST_CLOSE, LEAST_CLOSE
from stockcast.forecasting.distribution import Distribution
from stockcast.forecasting.quantiles import LEVELS, QuantileForecast
from stockcast.forecasting.returns import Floats

# A chance beyond these rests on the shape that `Distribution` gives the tails, not on quantiles: whoever shows it
# says no more than "under" or "over".
LEAST_CHANCE = float(LEVELS[0])
MOST_CHANCE = float(LEVELS[-1])


def chance_above(forecast: QuantileForecast, level: float) -> Floats:
    """Probability that the close of each horizon ends above `level`, in currency. [H]

    Falls as the level rises; at a quantile it is one minus its level, but for the half basis point by which
    `Distribution` widens. Raises InvalidRequest for a level that no close can have.
    """
    require_level(level)
    needed = np.full(forecast.horizon, math.log(level / forecast.context.last_close))
    return np.asarray(1.0 - Distribution.of(forecast.log_returns).probability(needed))


def require_level(level: float) -> None:
    """Raises InvalidRequest for a level that no close can have."""
    if not (math.isfinite(level) and LEAST_CLOSE <= level <= LARGEST_CLOSE):
        raise InvalidRequest(
            f"{level:g} is no level that a close can have.",
            f"Choose a price between {LEAST_CLOSE:g} and {LARGEST_CLOSE:g}.",
        )
