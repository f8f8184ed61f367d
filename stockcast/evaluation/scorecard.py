"""Scorecard: the comparable result of a backtest, every figure beside the naive one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from pydantic import JsonValue, TypeAdapter, ValidationError

from stockcast.errors import CorruptBundle, UnlikeFingerprints
from stockcast.evaluation.metrics import (
    coverage,
    crps,
    mean_absolute_error,
    mean_absolute_percentage_error,
    root_mean_squared_error,
)
from stockcast.evaluation.rolling import Backtest, TickerBacktest
from stockcast.evaluation.significance import DieboldMariano, diebold_mariano
from stockcast.forecasting.quantiles import MEDIAN, level_position
from stockcast.forecasting.returns import Floats


@dataclass(frozen=True)
class TickerScore:
    """One session ahead, one ticker. MAE in its currency, MAPE in percent, CRPS in percent of the price."""

    ticker: str
    currency: str
    count: int
    mae: float
    naive_mae: float
    mape: float
    naive_mape: float
    crps: float
    naive_crps: float
    coverage_80: float
    naive_coverage_80: float
    coverage_95: float
    naive_coverage_95: float


@dataclass(frozen=True)
class Scorecard:
    """One session ahead, over all tickers of a backtest.

    MAE and RMSE are in `currency`; where the tickers trade in several, those are None and the per-ticker
    scores hold them. MAPE is in percent. CRPS is that of the log return, in percent of the price. Skill is
    1 - CRPS / naive CRPS. `dm_p_value` is the two-sided Diebold-Mariano p-value of CRPS against naive.
    """

    forecaster: str
    fingerprint: str
    count: int  # forecasts
    first_session: date
    last_session: date
    currency: str | None
    mae: float | None
    naive_mae: float | None
    rmse: float | None
    naive_rmse: float | None
    mape: float
    naive_mape: float
    mape_ratio: float
    crps: float
    naive_crps: float
    skill: float
    dm_statistic: float
    dm_p_value: float
    coverage_80: float
    naive_coverage_80: float
    coverage_95: float
    naive_coverage_95: float
    tickers: tuple[TickerScore, ...]

    def to_json(self) -> dict[str, JsonValue]:
        """Plain data; dates as ISO text."""
        data: dict[str, JsonValue] = _SCORECARD.dump_python(self, mode="json")
        return data

    @staticmethod
    def from_json(data: Mapping[str, JsonValue]) -> Scorecard:
        """The inverse of `to_json`. Raises CorruptBundle for anything else, such as another version's."""
        try:
            return _SCORECARD.validate_python(data)
        except ValidationError as problem:
            first = problem.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise CorruptBundle(
                f"The scorecard cannot be read: {where}: {first['msg']}.", "Train the model again."
            ) from problem


_SCORECARD = TypeAdapter(Scorecard)


@dataclass(frozen=True)
class Comparison:
    """A candidate's CRPS against an opponent's on the same sessions; skill > 0 when the candidate is better."""

    opponent: str
    skill: float
    test: DieboldMariano


def score(backtest: Backtest, naive: Backtest) -> Scorecard:
    """The Scorecard of a backtest beside the naive one. Raises UnlikeFingerprints when the data differ."""
    against_naive = compare(backtest, naive)
    pairs = [
        (_OneAhead.of(part), _OneAhead.of(other)) for part, other in zip(backtest.parts, naive.parts, strict=True)
    ]
    mine, reference = _OneAhead.pooled([p for p, _ in pairs]), _OneAhead.pooled([n for _, n in pairs])
    currencies = {part.currency for part in backtest.parts}
    one_currency = len(currencies) == 1
    sessions = [session for part in backtest.parts for session in _sessions(part)]
    mape, naive_mape = mine.mape, reference.mape
    return Scorecard(
        forecaster=backtest.forecaster,
        fingerprint=backtest.fingerprint,
        count=len(mine.actuals),
        first_session=min(sessions),
        last_session=max(sessions),
        currency=currencies.pop() if one_currency else None,
        mae=mine.mae if one_currency else None,
        naive_mae=reference.mae if one_currency else None,
        rmse=mine.rmse if one_currency else None,
        naive_rmse=reference.rmse if one_currency else None,
        mape=mape,
        naive_mape=naive_mape,
        mape_ratio=mape / naive_mape if naive_mape else 1.0,
        crps=mine.mean_crps,
        naive_crps=reference.mean_crps,
        skill=against_naive.skill,
        dm_statistic=against_naive.test.statistic,
        dm_p_value=against_naive.test.p_value,
        coverage_80=mine.coverage(0.8),
        naive_coverage_80=reference.coverage(0.8),
        coverage_95=mine.coverage(0.95),
        naive_coverage_95=reference.coverage(0.95),
        tickers=tuple(
            TickerScore(
                ticker=part.ticker,
                currency=part.currency,
                count=len(own.actuals),
                mae=own.mae,
                naive_mae=other.mae,
                mape=own.mape,
                naive_mape=other.mape,
                crps=own.mean_crps,
                naive_crps=other.mean_crps,
                coverage_80=own.coverage(0.8),
                naive_coverage_80=other.coverage(0.8),
                coverage_95=own.coverage(0.95),
                naive_coverage_95=other.coverage(0.95),
            )
            for part, (own, other) in zip(backtest.parts, pairs, strict=True)
        ),
    )


def compare(candidate: Backtest, opponent: Backtest) -> Comparison:
    """CRPS one session ahead of two backtests. Raises UnlikeFingerprints when they were run on unlike data."""
    if candidate.fingerprint != opponent.fingerprint:
        raise UnlikeFingerprints(
            f"The backtests of {candidate.forecaster} and {opponent.forecaster} were run on different data.",
            "Run both on the same tickers, sessions and stored prices.",
        )
    mine, other = _OneAhead.pooled_of(candidate), _OneAhead.pooled_of(opponent)
    days = np.array([session for part in candidate.parts for session in _sessions(part)], dtype="datetime64[D]")
    test = diebold_mariano(_daily_means(mine.crps, days), _daily_means(other.crps, days))
    reference = float(other.crps.mean())
    return Comparison(opponent.forecaster, 1 - float(mine.crps.mean()) / reference if reference else 0.0, test)


@dataclass(frozen=True, eq=False)
class _OneAhead:
    """The first horizon of a backtest, flat. N forecasts, Q levels."""

    quantiles: Floats  # [N, Q] log returns
    returns: Floats  # [N] log returns that came true
    medians: Floats  # [N] closes
    actuals: Floats  # [N] closes

    @staticmethod
    def of(part: TickerBacktest) -> _OneAhead:
        quantiles = part.quantile_returns[:, 0]
        medians = part.last_closes * np.exp(quantiles[:, MEDIAN])
        return _OneAhead(quantiles, part.actual_returns[:, 0], medians, part.actuals[:, 0])

    @staticmethod
    def pooled(parts: Sequence[_OneAhead]) -> _OneAhead:
        return _OneAhead(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("quantiles", "returns", "medians", "actuals")
            )
        )

    @staticmethod
    def pooled_of(backtest: Backtest) -> _OneAhead:
        return _OneAhead.pooled([_OneAhead.of(part) for part in backtest.parts])

    @property
    def crps(self) -> Floats:
        return crps(self.quantiles, self.returns) * 100

    @property
    def mean_crps(self) -> float:
        return float(self.crps.mean())

    @property
    def mae(self) -> float:
        return mean_absolute_error(self.medians, self.actuals)

    @property
    def rmse(self) -> float:
        return root_mean_squared_error(self.medians, self.actuals)

    @property
    def mape(self) -> float:
        return mean_absolute_percentage_error(self.medians, self.actuals)

    def coverage(self, share: float) -> float:
        tail = level_position((1 - share) / 2)
        return coverage(self.quantiles[:, tail], self.quantiles[:, -1 - tail], self.returns)


def _sessions(part: TickerBacktest) -> list[date]:
    return part.sessions(1)


def _daily_means(losses: Floats, days: np.ndarray[tuple[int], np.dtype[np.datetime64]]) -> Floats:
    """Losses averaged per session, in the order of sessions. [N], [N] -> [D]"""
    _, inverse, counts = np.unique(days, return_inverse=True, return_counts=True)
    return np.asarray(np.bincount(inverse, weights=losses) / counts)
