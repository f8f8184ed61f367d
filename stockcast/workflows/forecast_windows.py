"""Forecasts after many windows at once: what `forecast_window` says of each, for those who answer thousands in a
second. It writes nothing down: the caller does, before anybody sees it.

`N` windows, `H` horizons, `Q` levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np

from stockcast.forecasting.bundle import Bundle
from stockcast.forecasting.context import Context
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.quantiles import QuantileForecast
from stockcast.monitoring.check_many import DriftScreen
from stockcast.monitoring.findings import DriftReport
from stockcast.prices.frame import PriceFrame
from stockcast.prices.window import PriceWindow
from stockcast.workflows.forecast import Speaker, Staleness, staleness, window_context

# Log returns are said to eight decimals, a ten-thousandth of a basis point: what is kept of them is half as long.
_DECIMALS = 8


@dataclass(frozen=True, eq=False)
class AskedWindow:
    """A window that can be forecast from, and what is stored of its ticker."""

    window: PriceWindow
    context: Context
    stored: PriceFrame | None


@dataclass(frozen=True, eq=False)
class WindowForecast:
    """What is said after one window."""

    forecast: QuantileForecast
    naive: QuantileForecast
    drift: DriftReport
    stale: Staleness | None


@dataclass(frozen=True, eq=False)
class WindowSpeaker:
    """A version that is ready to speak about windows. It never changes."""

    speaker: Speaker
    bundle: Bundle

    @property
    def lookback(self) -> int:
        """Closes of a window, exactly."""
        return self.speaker.forecaster.lookback

    @cached_property
    def _screen(self) -> DriftScreen:
        return DriftScreen(self.speaker.reference, self.speaker.config.drift)

    @cached_property
    def _naive(self) -> NaiveForecaster:
        forecaster = self.speaker.forecaster
        return NaiveForecaster(forecaster.horizon, lookback=forecaster.lookback)

    def ask(self, window: PriceWindow, stored: PriceFrame | None) -> AskedWindow:
        """Raises InvalidWindow for another length, or for a close that cannot be a price."""
        return AskedWindow(window, window_context(window, self.speaker.forecaster), stored)

    def forecast(self, asked: Sequence[AskedWindow], now: datetime) -> list[WindowForecast]:
        """One forecast a window, in order."""
        contexts = [each.context for each in asked]
        forecasts = _rounded(self.speaker.forecaster.forecast(contexts))
        naive = _rounded(self._naive.forecast(contexts))
        drift = self._screen.check([each.window for each in asked], [each.stored for each in asked], now.date())
        return [
            WindowForecast(forecast, beside, report, staleness(context, now))
            for forecast, beside, report, context in zip(forecasts, naive, drift, contexts, strict=True)
        ]


def _rounded(forecasts: Sequence[QuantileForecast]) -> list[QuantileForecast]:
    if not forecasts:
        return []
    values = np.round(np.stack([each.log_returns for each in forecasts]), _DECIMALS) + 0.0  # no -0.0
    return [
        QuantileForecast(each.context, each.forecaster, row) for each, row in zip(forecasts, values, strict=True)
    ]
