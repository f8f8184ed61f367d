"""Regime: how volatile a window is beside the windows the model was trained on. Information, not a fault.

The volatility of a window is its mean absolute log return times sqrt(pi / 2), which equals the daily standard
deviation where returns are normal. It was chosen over the standard deviation, which one earnings jump doubles, and
over the median absolute return, which is noisy on 59 returns and zero for shares that hardly trade.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field, FiniteFloat, PositiveInt

from stockcast.config import DriftConfig
from stockcast.errors import TooShortHistory
from stockcast.forecasting.returns import log_returns
from stockcast.monitoring.findings import Finding
from stockcast.monitoring.quantile_grid import Grid, grid_of, median, quantile, rounded, share_below
from stockcast.prices.frame import Floats, PriceFrame

_STRIDE = 5  # sessions between one training window and the next: closer ones add nothing
_TICKER_WINDOWS = 8  # full windows that a ticker needs for a grid of its own
_YEAR = 250  # sessions that are called the last year of training
TO_SD = math.sqrt(math.pi / 2)

Volatility = Annotated[FiniteFloat, Field(ge=0)]


@dataclass(frozen=True)
class VolatilityLevels:
    """Volatility of training windows, as a daily log return."""

    grid: Grid  # [G] over all of them
    last_year: Volatility | None = None  # median over those of the last year; None where it was not measured


@dataclass(frozen=True)
class VolatilityReference:
    """How volatile training windows were, and how volatility changed from one time to the next."""

    lookback: PositiveInt
    pooled: VolatilityLevels  # all tickers together
    by_ticker: Mapping[str, VolatilityLevels]  # of tickers with enough windows
    change: (
        Grid | None
    )  # [G] over that of the `2 * lookback` sessions before; None when no history was long enough
    swing: Grid | None = None  # [G] last third of a window over the rest; None where it was not measured

    @property
    def sessions_before(self) -> int:
        """Sessions before a window that its change of volatility is measured against."""
        return 2 * self.lookback

    def levels_of(self, ticker: str | None) -> tuple[VolatilityLevels, str]:
        """The levels a ticker is held against, its own where it has them, and whose they are in words."""
        own = self.by_ticker.get(ticker) if ticker else None
        return (own, str(ticker)) if own else (self.pooled, "all tickers")

    @staticmethod
    def fit(frames: Sequence[PriceFrame], lookback: int) -> VolatilityReference:
        """Measures every fifth window of `lookback` closes in histories that hold training sessions only.

        Raises TooShortHistory when not one of them holds a whole window.
        """
        sizes = {
            frame.ticker: np.abs(log_returns(frame.close)) for frame in frames if len(frame) >= lookback
        }  # [T - 1] each
        if not sizes:
            raise TooShortHistory(
                f"None of {len(frames)} histories holds the {lookback} sessions of one window.",
                "Provide a longer history.",
            )
        levels = {ticker: TO_SD * _means(moves, lookback - 1) for ticker, moves in sizes.items()}
        latest = {ticker: values[-max(1, _YEAR // _STRIDE) :] for ticker, values in levels.items()}
        changes = np.concatenate([_changes(moves, lookback) for moves in sizes.values()])
        swings = np.concatenate([_swings(moves, lookback - 1) for moves in sizes.values()])
        enough = [frame.ticker for frame in frames if len(frame) >= _TICKER_WINDOWS * lookback]
        return VolatilityReference(
            lookback=lookback,
            pooled=_levels(np.concatenate(list(levels.values())), np.concatenate(list(latest.values()))),
            by_ticker={ticker: _levels(levels[ticker], latest[ticker]) for ticker in enough},
            change=grid_of(changes) if len(changes) else None,
            swing=grid_of(swings) if len(swings) else None,
        )


def check_regime(
    returns: Floats,
    ticker: str | None,
    reference: VolatilityReference,
    config: DriftConfig,
    *,
    before: Floats | None = None,
) -> list[Finding]:
    """Tells when a window is more volatile, or calmer, than what was trained on.

    `returns` [R] are the log returns of the window, less those that are no prices' doing. `before`
    [sessions_before + 1] are the closes before the window, for the change of volatility; None leaves that out.
    """
    levels, whose = reference.levels_of(ticker)
    value, middle = volatility(returns), median(levels.grid)
    earlier = volatility(log_returns(before)) if before is not None and reference.change else 0.0
    # The sessions before say best what is usual now. Training has to do where they are not known.
    ratio = math.inf if earlier > 0 else config.regime_ratio
    findings: list[Finding] = []
    if middle > 0:
        grid = tuple((np.array(levels.grid) / middle).tolist())
        compared = f"Volatility is {value / middle:.2g}x the training median of {whose}"
        findings += _compare("volatility", value / middle, grid, compared, config, ratio)
    if not findings and levels.last_year and value / levels.last_year > ratio:
        findings.append(_wilder_than_last_year(value / levels.last_year, whose, config))
    if reference.change and earlier > 0:
        change = value / earlier
        compared = f"Volatility is {change:.2g}x that of the {reference.sessions_before} sessions before"
        findings += _compare("volatility_change", change, reference.change, compared, config, config.regime_ratio)
    swing = swing_of(returns)
    if reference.swing and swing is not None:
        compared = f"Volatility in the last third of the window is {swing:.2g}x that of the rest"
        findings += _compare("volatility_swing", swing, reference.swing, compared, config, math.inf)
    return findings


def volatility(returns: Floats) -> float:
    """Mean absolute log return, scaled to a daily standard deviation. [R] -> ()"""
    return float(TO_SD * np.abs(returns).mean())


def swing_of(returns: Floats) -> float | None:
    """Volatility of the last third of a window over that of the rest, None where that stood still. [R] -> ()"""
    third = len(returns) // 3
    rest = float(np.abs(returns[:-third]).mean())
    return float(np.abs(returns[-third:]).mean()) / rest if rest > 0 else None


def _compare(
    measure: str, value: float, grid: Grid, compared: str, config: DriftConfig, ratio: float
) -> list[Finding]:
    """At most one finding: a multiple above or below nearly all of those in `grid`, or above `ratio`."""
    lower, upper = quantile(grid, 1 - config.regime_percentile), quantile(grid, config.regime_percentile)
    upper = min(upper, ratio)
    if lower <= value <= upper:
        return []
    higher = value > upper
    share = share_below(grid, value) if higher else 1 - share_below(grid, value)
    which = "all" if share >= 1 else f"{math.floor(100 * share + 1e-9)} %"
    sentence = (
        f"{compared}, {'higher' if higher else 'lower'} than in {which} of the training windows; "
        f"intervals are {'wider' if higher else 'narrower'} for it."
    )
    return [_told(measure, value, upper if higher else lower, sentence)]


def _wilder_than_last_year(multiple: float, whose: str, config: DriftConfig) -> Finding:
    sentence = (
        f"Volatility is {multiple:.2g}x that of the last year of training of {whose}, though training saw as much "
        "before; intervals are wider for it."
    )
    return _told("volatility_last_year", multiple, config.regime_ratio, sentence)


def _told(measure: str, value: float, threshold: float, sentence: str) -> Finding:
    return Finding("regime", "info", measure, float(value), float(threshold), sentence)


def _levels(all_windows: Floats, last_year: Floats) -> VolatilityLevels:
    return VolatilityLevels(grid_of(all_windows), rounded(float(np.median(last_year))))


def _windows(sizes: Floats, length: int) -> Floats:
    """Every fifth run of `length` values. [T] -> [N, length]"""
    return np.asarray(np.lib.stride_tricks.sliding_window_view(sizes, length)[::_STRIDE])


def _means(sizes: Floats, length: int) -> Floats:
    """Means of every fifth run of `length` values. [T] -> [N]"""
    return np.asarray(_windows(sizes, length).mean(axis=1))


def _swings(sizes: Floats, length: int) -> Floats:
    """Mean of the last third over that of the rest, of every fifth run in which the rest moves. [T] -> [N]"""
    windows, third = _windows(sizes, length), length // 3
    rest = windows[:, :-third].mean(axis=1)
    moving = rest > 0
    return np.asarray(windows[moving, -third:].mean(axis=1) / rest[moving])


def _changes(sizes: Floats, lookback: int) -> Floats:
    """Mean of every fifth window over the mean of the 2 * lookback sessions before it. [T] -> [N], N may be 0"""
    length, before = lookback - 1, 2 * lookback
    if len(sizes) < before + length:
        return np.empty(0)
    earlier = _means(sizes[:-length], before)  # [N]
    window = _means(sizes[before:], length)  # [N]
    moving = earlier > 0
    return window[moving] / earlier[moving]
