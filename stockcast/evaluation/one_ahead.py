"""The first horizon of a backtest, flat: what every figure one session ahead is computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from stockcast.evaluation import density, metrics
from stockcast.forecasting.quantiles import MEDIAN, level_position
from stockcast.forecasting.returns import Floats

Days = np.ndarray[tuple[int], np.dtype[np.datetime64]]
_PERCENT = float(np.log(100))  # what the logarithm of a density per percent has more than one per unit


@dataclass(frozen=True, eq=False)
class OneAhead:
    """N forecasts, Q levels."""

    quantiles: Floats  # [N, Q] log returns; Q is 0 where nothing but the score is asked for
    returns: Floats  # [N] log returns that came true
    medians: Floats  # [N] closes
    actuals: Floats  # [N] closes
    days: Days  # [N] sessions that were forecast
    crps: Floats  # [N] in percent of the price

    @staticmethod
    def of(quantiles: Floats, returns: Floats, medians: Floats, actuals: Floats, days: Days) -> OneAhead:
        """With the CRPS worked out."""
        return OneAhead(quantiles, returns, medians, actuals, days, metrics.crps(quantiles, returns) * 100)

    @staticmethod
    def pooled(parts: Sequence[OneAhead]) -> OneAhead:
        """Those of several tickers, one after the other."""
        return OneAhead(
            *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(OneAhead))
        )

    def scored(self) -> OneAhead:
        """What is needed to hold another forecaster against this one: all but the quantiles."""
        return replace(self, quantiles=self.quantiles[:, :0])

    def __len__(self) -> int:
        return len(self.returns)

    @property
    def mean_crps(self) -> float:
        return float(self.crps.mean())

    @property
    def mae(self) -> float:
        """In currency."""
        return metrics.mean_absolute_error(self.medians, self.actuals)

    @property
    def rmse(self) -> float:
        """In currency."""
        return metrics.root_mean_squared_error(self.medians, self.actuals)

    @property
    def mape(self) -> float:
        """In percent."""
        return metrics.mean_absolute_percentage_error(self.medians, self.actuals)

    @property
    def mean_log_score(self) -> float:
        """Of the return in percent, in nats."""
        return float(density.log_score(self.quantiles, self.returns).mean()) + _PERCENT

    @property
    def mean_qlike(self) -> float:
        """Of the return in percent."""
        return float(density.qlike(self.quantiles, self.returns).mean()) + 2 * _PERCENT

    @property
    def decided(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Where the median is not exactly the last close, so that it says up or down. [N]"""
        return np.asarray(self.quantiles[:, MEDIAN] != 0)

    @property
    def direction(self) -> float | None:
        """Share of sessions that went where the median said; None where it never said up or down."""
        said = self.decided
        if not said.any():
            return None
        return float(np.mean(np.sign(self.quantiles[said, MEDIAN]) == np.sign(self.returns[said])))

    @property
    def up_share(self) -> float:
        """Share of sessions that closed higher."""
        return float(np.mean(self.returns > 0))

    def interval(self, share: float) -> tuple[Floats, Floats]:
        """Lower and upper log return of the central interval. ([N], [N])"""
        tail = level_position((1 - share) / 2)
        return self.quantiles[:, tail], self.quantiles[:, -1 - tail]

    def held(self, share: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether each return lay inside the central interval. [N]"""
        lower, upper = self.interval(share)
        return np.asarray((self.returns >= lower) & (self.returns <= upper))

    def coverage(self, share: float) -> float:
        return metrics.coverage(*self.interval(share), self.returns)

    def mean_winkler(self, share: float) -> float:
        """In percent of the price."""
        return float(metrics.winkler(*self.interval(share), self.returns, share).mean() * 100)
