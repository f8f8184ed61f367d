"""The chance above a level: the quantile function of a forecast in reverse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.errors import InvalidRequest
from stockcast.forecasting.chances import LEAST_CHANCE, MOST_CHANCE, chance_above
from stockcast.forecasting.context import Context
from stockcast.forecasting.quantiles import LEVELS, MEDIAN, QuantileForecast
from stockcast.forecasting.volatility import FLOOR

WIDENED = FLOOR / 2  # Distribution moves the outermost quantiles by half a basis point


@st.composite
def forecasts(draw: st.DrawFn) -> QuantileForecast:
    """Any forecast of one to five sessions, also one whose quantiles stand on one another."""
    last = draw(st.floats(1e-3, 1e6))
    horizon = draw(st.integers(1, 5))
    steps = draw(
        st.lists(st.floats(0, 0.1), min_size=horizon * len(LEVELS), max_size=horizon * len(LEVELS)).map(np.array)
    )
    values = np.cumsum(steps.reshape(horizon, -1), axis=1)
    return QuantileForecast(Context(np.full(60, last)), "any", values - values[:, MEDIAN : MEDIAN + 1])


@given(forecasts(), st.floats(-0.5, 0.5), st.floats(0, 0.5))
def test_a_higher_level_is_never_likelier_to_be_passed(
    forecast: QuantileForecast, start: float, more: float
) -> None:
    last = forecast.context.last_close
    lower, higher = (chance_above(forecast, last * math.exp(log)) for log in (start, start + more))
    assert (higher <= lower + 1e-12).all()
    assert ((lower >= 0) & (lower <= 1)).all()


@given(forecasts(), st.integers(0, len(LEVELS) - 1))
def test_at_a_quantile_the_chance_is_one_minus_its_level(forecast: QuantileForecast, place: int) -> None:
    level = LEVELS[place]
    for row, value in enumerate(forecast.log_returns[:, place]):
        last = forecast.context.last_close
        above = chance_above(forecast, last * math.exp(value + WIDENED + 1e-9))[row]
        below = chance_above(forecast, last * math.exp(value - WIDENED - 1e-9))[row]
        assert above <= 1 - level + 1e-9 <= below + 2e-9  # the quantile lies between, widened as it is


@given(forecasts())
def test_beyond_the_outermost_quantiles_it_is_less_than_what_is_said(forecast: QuantileForecast) -> None:
    last = forecast.context.last_close
    above = chance_above(forecast, last * math.exp(forecast.log_returns.max() + 2 * WIDENED))
    below = chance_above(forecast, last * math.exp(forecast.log_returns.min() - 2 * WIDENED))
    assert (above < LEAST_CHANCE).all()
    assert (below > MOST_CHANCE).all()


def test_above_the_median_it_is_an_even_chance() -> None:
    values = np.linspace(-0.05, 0.05, len(LEVELS))[None, :]
    forecast = QuantileForecast(Context(np.full(60, 40.0)), "any", values)
    assert chance_above(forecast, 40.0) == pytest.approx([0.5])


@pytest.mark.parametrize("level", [0.0, -1.0, math.nan, math.inf, 1e300, 1e-300])
def test_what_can_be_no_close_is_no_level(level: float) -> None:
    forecast = QuantileForecast(Context(np.full(60, 40.0)), "any", np.zeros((1, len(LEVELS))))
    with pytest.raises(InvalidRequest, match="is no level"):
        chance_above(forecast, level)
