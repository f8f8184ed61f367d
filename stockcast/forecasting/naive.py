"""Naive forecast: tomorrow = today, with an interval from the recent history of absolute returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

import numpy as np

from stockcast.forecasting.context import Context
from stockcast.forecasting.forecaster import ForecasterState, Group
from stockcast.forecasting.quantiles import LEVELS, MEDIAN, QuantileForecast
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
        found: list[QuantileForecast] = []
        returns = [self._returns(context) for context in contexts]
        for _, same in groupby(zip(contexts, returns, strict=True), key=lambda pair: len(pair[1])):
            alike = list(same)  # those of one length together: windows of closes are many and small
            values = _symmetric_quantiles(np.stack([row for _, row in alike]), self.horizon)
            found += [QuantileForecast(each[0], self.kind, row) for each, row in zip(alike, values, strict=True)]
        return found

    def state(self) -> ForecasterState:
        """What a bundle has to store of it."""
        return ForecasterState(self.kind, {"horizon": self.horizon, "lookback": self.lookback})

    def _returns(self, context: Context) -> Floats:
        context.require(self.lookback)
        return log_returns(context.closes[-self.history :])


def _symmetric_quantiles(returns: Floats, horizon: int) -> Floats:
    """Quantiles of one-session returns mirrored at zero, widened by the root of time. [N, T] -> [N, H, Q]"""
    half = _quantiles(np.abs(returns))  # [N, 20] of the levels from the median up
    spread = np.concatenate([-half[:, :0:-1], half], axis=1)  # [N, Q]
    spread[:, MEDIAN] = 0.0
    growth = np.sqrt(np.arange(1, horizon + 1, dtype=np.float64))  # [H]
    return np.asarray(growth[:, None] * spread[:, None, :])


def _quantiles(sizes: Floats) -> Floats:
    """np.quantile(sizes, _SHARES, axis=1).T, which takes longer for small rows. [N, T] -> [N, 20]"""
    ordered = np.sort(sizes, axis=1)
    place = _SHARES * (sizes.shape[1] - 1)
    left = np.minimum(place.astype(np.int64), max(sizes.shape[1] - 2, 0))
    right = np.minimum(left + 1, sizes.shape[1] - 1)
    low, high, share = ordered[:, left], ordered[:, right], place - left
    return np.asarray(np.where(share < 0.5, low + (high - low) * share, high - (high - low) * (1 - share)))


_SHARES = np.abs(2 * LEVELS[MEDIAN:] - 1)
