"""QuantileForecast: the coming closes as distributions that know their dates and levels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from stockcast.errors import InvalidRequest
from stockcast.forecasting.context import Context
from stockcast.forecasting.returns import Floats, to_prices

# 0.025, 0.05, ..., 0.975: an even grid, so that the CRPS is a plain mean, and it holds the levels people read.
LEVELS: Floats = np.round(np.arange(1, 40) / 40, 3)
LEVELS.setflags(write=False)
MEDIAN = 19  # position of 0.5 in LEVELS


@dataclass(frozen=True, eq=False)
class QuantileForecast:
    """What one forecaster said about one context. The median is the point forecast.

    `log_returns` [H, Q] from the last close, non-decreasing along Q, at the levels LEVELS [Q].
    """

    context: Context
    forecaster: str  # "naive", "ewma", "lstm"
    log_returns: Floats  # [H, Q]

    @property
    def horizon(self) -> int:
        """Sessions ahead of the furthest forecast."""
        return len(self.log_returns)

    @property
    def prices(self) -> Floats:
        """Quantiles of the close, in currency. [H, Q]"""
        return to_prices(self.context.last_close, self.log_returns)

    @property
    def median(self) -> Floats:
        """Median close, in currency. [H]"""
        return self.prices[:, MEDIAN]

    def quantile(self, level: float) -> Floats:
        """The close at one of LEVELS, in currency. [H] Raises InvalidRequest for another level."""
        return self.prices[:, level_position(level)]

    def interval(self, coverage: float) -> tuple[Floats, Floats]:
        """Lower and upper close of the central interval, for example coverage 0.8. ([H], [H])"""
        tail = (1 - coverage) / 2
        return self.quantile(tail), self.quantile(1 - tail)

    def session(self, horizon: int) -> date | None:
        """The session `horizon` (1 is the next one), or None when the context carries no dates."""
        return self.context.sessions[horizon - 1] if self.context.sessions else None


def level_position(level: float) -> int:
    """Position of a level in LEVELS. Raises InvalidRequest when it is not one of them."""
    position = round(level * 40) - 1
    if not (0 <= position < len(LEVELS)) or abs(LEVELS[position] - level) > 1e-9:
        raise InvalidRequest(f"{level:g} is not a forecast level.", "Choose a multiple of 0.025 inside (0, 1).")
    return position
