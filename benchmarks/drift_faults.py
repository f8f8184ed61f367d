"""What is done to healthy windows to see whether the drift check notices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from stockcast.forecasting.returns import log_returns, to_prices
from stockcast.prices.window import PriceWindow

Inject = Callable[[PriceWindow, np.random.Generator], PriceWindow]


@dataclass(frozen=True)
class Fault:
    """One way to spoil a window."""

    name: str
    inject: Inject
    dated: bool = False  # whether nothing is wrong without the dates
    integrity: bool = True  # whether it has to be caught every time


def with_close(value: float) -> Inject:
    """One close replaced by a value."""
    return lambda window, rng: edit_close(window, any_row(window, rng), value)


def times_one_close(factor: float) -> Inject:
    """One close multiplied."""

    def inject(window: PriceWindow, rng: np.random.Generator) -> PriceWindow:
        row = any_row(window, rng)
        return edit_close(window, row, window.closes[row] * factor)

    return inject


def any_row(window: PriceWindow, rng: np.random.Generator) -> int:
    """A random row."""
    return int(rng.integers(len(window.closes)))


def inner_row(window: PriceWindow, rng: np.random.Generator) -> int:
    """A random row but for the first and the last."""
    return int(rng.integers(1, len(window.closes) - 1))


def edit_close(window: PriceWindow, row: int, value: float) -> PriceWindow:
    """The window with another close at `row`."""
    closes = window.closes.copy()
    closes[row] = value
    return replace(window, closes=closes)


def times_until(factor: float) -> Inject:
    """All closes before a random row multiplied, as before a split that was not adjusted."""

    def inject(window: PriceWindow, rng: np.random.Generator) -> PriceWindow:
        closes = window.closes.copy()
        closes[: int(rng.integers(1, len(closes)))] *= factor
        return replace(window, closes=closes)

    return inject


def stand_still(window: PriceWindow, rng: np.random.Generator) -> PriceWindow:
    """Four identical closes in a row."""
    closes = window.closes.copy()
    row = int(rng.integers(len(closes) - 3))
    closes[row : row + 4] = closes[row]
    return replace(window, closes=closes)


def lose_session(window: PriceWindow, rng: np.random.Generator) -> PriceWindow:
    """One row missing."""
    row = inner_row(window, rng)
    assert window.sessions is not None
    return replace(window, closes=np.delete(window.closes, row), sessions=np.delete(window.sessions, row))


def repeat_date(window: PriceWindow, rng: np.random.Generator) -> PriceWindow:
    """One date that is the one before."""
    assert window.sessions is not None
    days, row = window.sessions.copy(), inner_row(window, rng)
    days[row] = days[row - 1]
    return replace(window, sessions=days)


def future_date(window: PriceWindow, _rng: np.random.Generator) -> PriceWindow:
    """The last date a year later."""
    assert window.sessions is not None
    days = window.sessions.copy()
    days[-1] += np.timedelta64(366, "D")
    return replace(window, sessions=days)


def turn_round(window: PriceWindow, _rng: np.random.Generator) -> PriceWindow:
    """Newest close first."""
    assert window.sessions is not None
    return replace(window, closes=window.closes[::-1], sessions=window.sessions[::-1])


def jump(window: PriceWindow, rng: np.random.Generator) -> PriceWindow:
    """All closes from a random row on 30 % higher, or 30 % lower."""
    closes = window.closes.copy()
    closes[int(rng.integers(1, len(closes))) :] *= rng.choice([0.7, 1.3])
    return replace(window, closes=closes)


def wilder(window: PriceWindow, _rng: np.random.Generator) -> PriceWindow:
    """Every return times three."""
    moved = 3 * np.concatenate(([0.0], np.cumsum(log_returns(window.closes))))
    return replace(window, closes=to_prices(float(window.closes[0]), moved))


def shuffle(window: PriceWindow, rng: np.random.Generator) -> PriceWindow:
    """The closes in random order, under the dates as they were."""
    return replace(window, closes=rng.permutation(window.closes))


def average(window: PriceWindow, _rng: np.random.Generator) -> PriceWindow:
    """Every close the mean of three."""
    padded = np.concatenate([window.closes[:1], window.closes, window.closes[-1:]])
    return replace(window, closes=np.convolve(padded, np.full(3, 1 / 3), "valid"))


def draw_lines(window: PriceWindow, _rng: np.random.Generator) -> PriceWindow:
    """Every fifth close, and straight lines between."""
    rows = np.arange(len(window.closes))
    kept = np.union1d(rows[::5], rows[-1:])
    return replace(window, closes=np.interp(rows, kept, window.closes[kept]))


FAULTS = (
    Fault("a close that is not a number", with_close(np.nan)),
    Fault("a close of zero", with_close(0.0)),
    Fault("a negative close", with_close(-3.0)),
    Fault("newest close first", turn_round, dated=True),
    Fault("a date twice", repeat_date, dated=True),
    Fault("a date in the future", future_date, dated=True),
    Fault("a session missing", lose_session, dated=True),
    Fault("four identical closes", stand_still),
    Fault("2:1 split not adjusted", times_until(2)),
    Fault("3:1 split not adjusted", times_until(3)),
    Fault("1:10 reverse split not adjusted", times_until(0.1)),
    Fault("one close x 100", times_one_close(100)),
    Fault("one close / 10", times_one_close(0.1)),
    Fault("a jump of 30 % up or down", jump, integrity=False),
    Fault("one close 20 % too high", times_one_close(1.2), integrity=False),
    Fault("one close 10 % too high", times_one_close(1.1), integrity=False),
    Fault("prices in random order", shuffle, integrity=False),
    Fault("averages of three closes", average, integrity=False),
    Fault("weekly closes, lines between", draw_lines, integrity=False),
    Fault("volatility x 3", wilder, integrity=False),
)
