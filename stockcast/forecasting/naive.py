"""Naive forecast: tomorrow = today, with an interval from the recent history of absolute returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from stockcast.forecasting.context import Context
from stockcast.forecasting.forecaster import ForecasterState, Group
from stockcast.forecasting.quantiles import LEVELS, QuantileForecast
from stockcast.forecasting.returns import Floats, log_returns

LOOKBACK = 60
HISTORY = 251  # a year of returns, where the context holds one


@dataclass(frozen=True)
class NaiveForecaster:
    """The median is the last close; the interval is the spread of the last year's returns around zero."""

    horizon: int = 5
    lookback: int = LOOKBACK
    history: int = HISTORY
    kind: str = "naive"
    groups: tuple[Group, ...] = ()
    adaptation: float = 0.0
    trained_until: date | None = None

    def forecast(self, contexts: Sequence[Context]) -> list[QuantileForecast]:
        """One forecast per context. Raises InvalidWindow when a context is too short."""
        return [
            QuantileForecast(context, self.kind, _symmetric_quantiles(self._returns(context), self.horizon))
            for context in contexts
        ]

    def state(self) -> ForecasterState:
        """What a bundle has to store of it."""
        return ForecasterState(self.kind, {"horizon": self.horizon, "lookback": self.lookback})

    def _returns(self, context: Context) -> Floats:
        context.require(self.lookback)
        return log_returns(context.closes[-self.history :])


def _symmetric_quantiles(returns: Floats, horizon: int) -> Floats:
    """Quantiles of one-session returns mirrored at zero, widened by the square root of time. [T] -> [H, Q]"""
    spread = np.quantile(np.abs(returns), np.abs(2 * LEVELS - 1))  # [Q]
    growth = np.sqrt(np.arange(1, horizon + 1, dtype=np.float64))  # [H]
    return np.outer(growth, np.sign(LEVELS - 0.5) * spread)
