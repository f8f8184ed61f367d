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
from pydantic import Field, FiniteFloat, JsonValue, TypeAdapter, ValidationError

from stockcast.config import DriftConfig
from stockcast.errors import CorruptBundle, TooShortHistory
from stockcast.forecasting.returns import log_returns
from stockcast.monitoring.findings import Finding
from stockcast.prices.frame import Floats, PriceFrame

SCHEMA_VERSION = 1
_GRID: Floats = np.linspace(0, 1, 101)  # [G] shares of training windows
_STRIDE = 5  # sessions between one training window and the next: closer ones add nothing
_TICKER_WINDOWS = 8  # full windows that a ticker needs for a grid of its own
_TO_SD = math.sqrt(math.pi / 2)

Grid = Annotated[tuple[FiniteFloat, ...], Field(min_length=len(_GRID), max_length=len(_GRID))]


@dataclass(frozen=True)
class VolatilityReference:
    """Quantiles of volatility over the training windows, at even shares from 0 to 1. `G` = 101.

    `change` holds the volatility of a window divided by that of the `2 * lookback` sessions before it; None when
    no history was long enough.
    """

    lookback: int
    pooled: Grid  # [G] daily log return, all tickers together
    by_ticker: Mapping[str, Grid]  # [G] each, of tickers with enough windows
    change: Grid | None  # [G] all tickers together

    @property
    def sessions_before(self) -> int:
        """Sessions before a window that its change of volatility is measured against."""
        return 2 * self.lookback

    @staticmethod
    def fit(frames: Sequence[PriceFrame], lookback: int) -> VolatilityReference:
        """Measures every fifth window of `lookback` closes in histories that hold training sessions only.

        Raises TooShortHistory when not one of them holds a whole window.
        """
        levels: dict[str, Floats] = {}
        changes: list[Floats] = []
        for frame in frames:
            if len(frame) >= lookback:
                sizes = np.abs(log_returns(frame.close))
                levels[frame.ticker] = _TO_SD * _means(sizes, lookback - 1)
                changes.append(_changes(sizes, lookback))
        if not levels:
            raise TooShortHistory(
                f"None of {len(frames)} histories holds the {lookback} sessions of one window.",
                "Provide a longer history.",
            )
        measured = np.concatenate(changes)
        enough = {frame.ticker for frame in frames if len(frame) >= _TICKER_WINDOWS * lookback}
        return VolatilityReference(
            lookback=lookback,
            pooled=_quantiles(np.concatenate(list(levels.values()))),
            by_ticker={ticker: _quantiles(values) for ticker, values in levels.items() if ticker in enough},
            change=_quantiles(measured) if len(measured) else None,
        )

    def to_json(self) -> dict[str, JsonValue]:
        """Plain data for the manifest of a bundle."""
        data: dict[str, JsonValue] = _REFERENCE.dump_python(self, mode="json")
        return {"schema_version": SCHEMA_VERSION, **data}

    @staticmethod
    def from_json(data: Mapping[str, object]) -> VolatilityReference:
        """The inverse of `to_json`. Raises CorruptBundle for anything else."""
        version = data.get("schema_version")
        if version != SCHEMA_VERSION:
            raise CorruptBundle(
                f"The drift reference has schema version {version!r}; this program reads {SCHEMA_VERSION}.",
                "Train the model again, or update stockcast.",
            )
        try:
            return _REFERENCE.validate_python({name: data[name] for name in data if name != "schema_version"})
        except ValidationError as problem:
            first = problem.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise CorruptBundle(
                f"The drift reference cannot be read: {where}: {first['msg']}.", "Train the model again."
            ) from problem


_REFERENCE = TypeAdapter(VolatilityReference)


def check_regime(
    closes: Floats,
    ticker: str | None,
    reference: VolatilityReference,
    config: DriftConfig,
    *,
    before: Floats | None = None,
) -> list[Finding]:
    """Tells when a window is more volatile, or calmer, than nearly all training windows.

    `closes` [>= lookback] are valid prices, of which the last `lookback` count. A ticker without a grid of its own
    is held against all tickers. `before` [sessions_before + 1] are the closes before the window, for the change of
    volatility; None leaves that out.
    """
    volatility = _volatility(closes[-reference.lookback :])
    own = reference.by_ticker.get(ticker) if ticker else None
    levels = np.array(own or reference.pooled)
    median = levels[len(levels) // 2]
    findings: list[Finding] = []
    if median > 0:
        whose = f"the training median of {ticker if own else 'all tickers'}"
        findings += _compare("volatility", volatility / median, levels / median, whose, config.regime_percentile)
    earlier = _volatility(before) if before is not None else 0.0
    if reference.change and earlier > 0:
        whose = f"that of the {reference.sessions_before} sessions before"
        changes = np.array(reference.change)
        findings += _compare("volatility_change", volatility / earlier, changes, whose, config.regime_percentile)
    return findings


def _compare(measure: str, value: float, grid: Floats, whose: str, percentile: float) -> list[Finding]:
    """At most one finding: a multiple above or below nearly all of those in `grid` [G]."""
    lower, upper = np.interp([1 - percentile, percentile], _GRID, grid)
    if lower <= value <= upper:
        return []
    higher = bool(value > upper)
    share = float(np.interp(value, grid, _GRID))
    share = share if higher else 1 - share
    which = "all" if share >= 1 else f"{math.floor(100 * share + 1e-9)} %"
    sentence = (
        f"Volatility is {value:.2g}x {whose}, {'higher' if higher else 'lower'} than in {which} of the "
        f"training windows; intervals are {'wider' if higher else 'narrower'} for it."
    )
    return [Finding("regime", "info", measure, float(value), float(upper if higher else lower), sentence)]


def _volatility(closes: Floats) -> float:
    """Mean absolute log return, scaled to a daily standard deviation. [L] -> ()"""
    return float(_TO_SD * np.abs(log_returns(closes)).mean())


def _means(sizes: Floats, length: int) -> Floats:
    """Means of every fifth run of `length` values. [T] -> [N]"""
    runs: Floats = np.lib.stride_tricks.sliding_window_view(sizes, length)[::_STRIDE]  # [N, length]
    return np.asarray(runs.mean(axis=1), dtype=np.float64)


def _changes(sizes: Floats, lookback: int) -> Floats:
    """Mean of every fifth window over the mean of the 2 * lookback sessions before it. [T] -> [N], N may be 0"""
    length, before = lookback - 1, 2 * lookback
    if len(sizes) < before + length:
        return np.empty(0)
    earlier = _means(sizes[:-length], before)  # [N]
    window = _means(sizes[before:], length)  # [N]
    moving = earlier > 0
    return window[moving] / earlier[moving]


def _quantiles(values: Floats) -> Grid:
    """Values at _GRID, to six digits: a manifest is read by people too. [N >= 1] -> [G]"""
    return tuple(float(f"{value:.6g}") for value in np.quantile(values, _GRID))
