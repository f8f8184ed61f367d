"""Contexts, windows and the forecasts that are made of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.errors import InvalidRequest, InvalidWindow
from stockcast.forecasting.context import Context, context_at_end, context_of_closes, windows
from stockcast.forecasting.quantiles import LEVELS, MEDIAN, QuantileForecast, level_position
from stockcast.prices.frame import PriceFrame
from stockcast.prices.sessions import next_sessions

MakeFrame = Callable[..., PriceFrame]


def test_the_levels_are_an_even_grid_with_the_median_in_its_middle() -> None:
    assert len(LEVELS) == 39
    assert LEVELS[MEDIAN] == 0.5
    np.testing.assert_allclose(np.diff(LEVELS), 0.025)
    np.testing.assert_allclose(LEVELS + LEVELS[::-1], 1.0)


@given(st.sampled_from(LEVELS.tolist()))
def test_every_level_finds_its_position(level: float) -> None:
    assert LEVELS[level_position(level)] == level
    assert LEVELS[level_position(1 - level)] == pytest.approx(1 - level)


@pytest.mark.parametrize("level", [0.0, 1.0, 0.99, 0.51, -0.5, 1e9, 0.0125])
def test_another_level_is_refused(level: float) -> None:
    with pytest.raises(InvalidRequest, match="is not a forecast level"):
        level_position(level)


def test_prices_median_and_intervals_are_read_from_the_log_returns() -> None:
    returns = np.linspace(-0.2, 0.2, 39)[None, :] * np.array([[1.0], [2.0]])
    forecast = QuantileForecast(Context(np.array([99.0, 100.0]), sessions=(date(2024, 1, 2),)), "test", returns)
    assert forecast.horizon == 2
    np.testing.assert_allclose(forecast.prices, 100 * np.exp(returns))
    np.testing.assert_allclose(forecast.median, [100.0, 100.0])
    lower, upper = forecast.interval(0.8)
    np.testing.assert_allclose(lower, forecast.prices[:, 3])
    np.testing.assert_allclose(upper, forecast.prices[:, 35])
    assert forecast.session(1) == date(2024, 1, 2)


@pytest.mark.parametrize("count", [0, 1, 59, 61, 1000])
def test_a_window_of_another_length_is_refused_with_both_numbers(count: int) -> None:
    with pytest.raises(InvalidWindow, match=f"exactly 60 closes; this one has {count}"):
        context_of_closes([1.0] * count, 60)


@pytest.mark.parametrize("bad", [0.0, -0.0, -1.0, float("nan"), float("inf"), 1e308, 1e-320])
def test_a_close_that_is_no_price_is_refused_with_its_place(bad: float) -> None:
    closes = [10.0] * 60
    closes[6] = bad
    with pytest.raises(InvalidWindow, match="Close number 7 of 60") as refused:
        context_of_closes(closes, 60)
    assert refused.value.hint


def test_windows_keep_the_answer_apart_and_name_sessions_beyond_the_history(make_frame: MakeFrame) -> None:
    frame = make_frame(count=50)
    found = list(windows(frame, range(40, 50), horizon=3, history=20))
    assert [window.context.cutoff for window in found] == list(frame.sessions[40:].astype(object))
    for row, window in zip(range(40, 50), found, strict=True):
        np.testing.assert_array_equal(window.context.closes, frame.close[row - 19 : row + 1])
        known = frame.close[row + 1 : row + 4]
        np.testing.assert_array_equal(window.actuals[: len(known)], known)
        assert np.isnan(window.actuals[len(known) :]).all()
        assert window.context.sessions == next_sessions("XNYS", frame.sessions[row].astype(object), 3)
    assert found[-1].context.sessions == context_at_end(frame, 3).sessions


def test_the_fingerprint_tells_tickers_and_closes_apart() -> None:
    closes = np.arange(1.0, 61.0)
    same = context_of_closes(closes.tolist(), 60, ticker="IBM").fingerprint
    assert same == Context(closes, "IBM").fingerprint
    others = [
        Context(closes).fingerprint,
        Context(closes, "MSFT").fingerprint,
        Context(closes * 2, "IBM").fingerprint,
    ]
    assert len({same, *others}) == 4
