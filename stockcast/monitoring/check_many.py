"""The drift check of many windows at once, for those who answer thousands in a second.

Most windows are healthy, and that can be seen of all of them together by a few operations on whole arrays. Only
one that may not be healthy is looked at by `check_window`, so that every report is the one which that would give.

`N` windows, `L` closes each, `F` features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stockcast.config import DriftConfig
from stockcast.forecasting.returns import log_returns
from stockcast.monitoring.drift import check_window
from stockcast.monitoring.drift_reference import DriftReference
from stockcast.monitoring.findings import DriftReport, Finding
from stockcast.monitoring.quantile_grid import median, quantile
from stockcast.monitoring.regime import TO_SD, check_regime
from stockcast.monitoring.window_features import measure_features
from stockcast.prices.frame import Floats, PriceFrame
from stockcast.prices.window import PriceWindow

# Below this size no move can be taken for a split: a halving is 0.69, and 0.15 of slack are allowed for.
_NO_SPLIT = 0.54
Mask = NDArray[np.bool_]


@dataclass
class DriftScreen:
    """Checks windows against one reference; it keeps what it has learnt about the reference."""

    reference: DriftReference | None
    config: DriftConfig
    _levels: dict[str | None, tuple[float, float]] = field(
        default_factory=dict
    )  # by ticker with a grid of its own
    _nothing: DriftReport | None = None

    def check(
        self, windows: Sequence[PriceWindow], stored: Sequence[PriceFrame | None], today: date
    ) -> list[DriftReport]:
        """One report a window, in order. Windows and stored histories are as `check_window` takes them."""
        plain = [
            row
            for row, (window, history) in enumerate(zip(windows, stored, strict=True))
            if history is None
            and window.sessions is None
            and self.reference is not None
            and len(window.closes) == self.reference.lookback
        ]
        reports: list[DriftReport | None] = [None] * len(windows)
        if plain and self.reference is not None:
            closes = np.stack([windows[row].closes for row in plain])
            for row, report in zip(plain, self._screen(closes, [windows[row] for row in plain]), strict=True):
                reports[row] = report
        return [
            check_window(windows[row], self.reference, self.config, today=today, stored=stored[row])
            if report is None
            else report
            for row, report in enumerate(reports)
        ]

    def _screen(self, closes: Floats, windows: Sequence[PriceWindow]) -> list[DriftReport | None]:
        """Reports of the windows of closes alone that only the regime may tell of; None for the others. [N, L]"""
        with np.errstate(all="ignore"):  # what is no price is looked at by the others
            returns = log_returns(closes)
            flawless = self._flawless(closes, returns)
            usual = self._usual(returns, windows)
        found: list[DriftReport | None] = []
        for row, window in enumerate(windows):
            if not flawless[row]:
                found.append(None)
                continue
            report = self._healthy_report(window)
            if not usual[row]:
                report = replace(report, findings=self._regime(returns[row], window))
            found.append(report)
        return found

    def _flawless(self, closes: Floats, returns: Floats) -> Mask:
        """Which windows surely have no fault of integrity and none of shape. [N, L], [N, L - 1] -> [N]"""
        assert self.reference is not None
        config, shape = self.config, self.reference.shape
        largest = np.abs(returns).max(axis=1)
        fine: Mask = (
            np.isfinite(largest)
            & (closes.min(axis=1) > 0)
            & (largest < min(_NO_SPLIT, config.jump, config.jump_amber))
            & ((closes[:, 1:] == closes[:, :-1]).sum(axis=1) < config.identical_closes - 1)
        )
        if shape is not None:
            least = np.log10(min(config.shape_red_odds, config.shape_amber_odds))
            fine &= shape.rarities(measure_features(closes)).max(axis=1) < least
        return fine

    def _usual(self, returns: Floats, windows: Sequence[PriceWindow]) -> Mask:
        """Which windows surely are of the regime of training. [N, L - 1] -> [N]"""
        assert self.reference is not None
        regime = self.reference.regime
        sizes = np.abs(returns)
        volatility = TO_SD * sizes.mean(axis=1)
        names = {window.ticker for window in windows}
        if len(names) == 1:
            lower, upper = map(np.asarray, self._bounds(names.pop()))
        else:
            lower, upper = np.array([self._bounds(window.ticker) for window in windows]).T
        usual: Mask = (volatility > lower) & (volatility < upper)
        if regime.swing:
            third = returns.shape[1] // 3
            swing = sizes[:, -third:].mean(axis=1) / sizes[:, :-third].mean(axis=1)
            low, high = self._swings
            usual &= (swing > low) & (swing < high)
        return usual

    @cached_property
    def _swings(self) -> tuple[float, float]:
        """Swings between which nothing is told."""
        assert self.reference is not None
        percentile, swing = self.config.regime_percentile, self.reference.regime.swing
        assert swing is not None
        return quantile(swing, 1 - percentile), quantile(swing, percentile)

    def _bounds(self, ticker: str | None) -> tuple[float, float]:
        """Volatilities between which nothing is told of a ticker."""
        assert self.reference is not None
        levels, _ = self.reference.regime.levels_of(ticker)
        key = ticker if levels is not self.reference.regime.pooled else None
        if key not in self._levels:
            percentile, ratio = self.config.regime_percentile, self.config.regime_ratio
            middle = median(levels.grid)
            lower, upper = quantile(levels.grid, 1 - percentile), quantile(levels.grid, percentile)
            upper = min(upper, ratio * middle) if middle > 0 else np.inf
            if levels.last_year:
                upper = min(upper, ratio * levels.last_year)
            # A hair inside, so that rounding decides nothing here.
            self._levels[key] = (lower * (1 + 1e-9) if middle > 0 else -np.inf, upper * (1 - 1e-9))
        return self._levels[key]

    def _regime(self, returns: Floats, window: PriceWindow) -> tuple[Finding, ...]:
        assert self.reference is not None
        return tuple(check_regime(returns, window.ticker, self.reference.regime, self.config))

    def _healthy_report(self, window: PriceWindow) -> DriftReport:
        """What is told of a window of closes alone in which nothing was found: what could not be checked."""
        if self._nothing is None:
            report = check_window(window, self.reference, self.config, today=date.min, stored=None)
            self._nothing = DriftReport((), report.unchecked)
        return self._nothing
