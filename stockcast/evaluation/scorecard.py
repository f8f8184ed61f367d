"""Scorecard: the comparable result of a backtest, every figure beside the naive one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pydantic import JsonValue, TypeAdapter, ValidationError

from stockcast.errors import CorruptBundle
from stockcast.evaluation.answers import Answers, TickerAnswers
from stockcast.evaluation.comparison import Comparison, compare
from stockcast.evaluation.one_ahead import OneAhead

__all__ = ["Comparison", "Scorecard", "TickerScore", "compare", "score"]


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
    coverage_90: float
    naive_coverage_90: float
    coverage_95: float
    naive_coverage_95: float


@dataclass(frozen=True)
class Scorecard:
    """One session ahead, over all tickers of a backtest.

    MAE and RMSE are in `currency`; where the tickers trade in several, those are None and the per-ticker
    scores hold them. MAPE is in percent. CRPS is that of the log return, in percent of the price. Skill is
    1 - CRPS / naive CRPS. `dm_p_value` is the two-sided Diebold-Mariano p-value of CRPS against naive.
    `winkler_90` is the interval score of the 90 % interval, in percent of the price; log score and QLIKE are
    those of the return in percent. `direction` is the share of sessions that went where the median said, None
    where it always was the last close; `up_share` is what always saying "up" would have got.
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
    coverage_90: float
    naive_coverage_90: float
    coverage_95: float
    naive_coverage_95: float
    winkler_90: float
    naive_winkler_90: float
    log_score: float
    naive_log_score: float
    qlike: float
    naive_qlike: float
    direction: float | None
    direction_count: int  # forecasts whose median said up or down
    up_share: float
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


def score(backtest: Answers, naive: Answers) -> Scorecard:
    """The Scorecard of a backtest beside the naive one. Raises UnlikeFingerprints when the data differ."""
    against_naive = compare(backtest, naive)
    mine, reference = backtest.ahead, naive.ahead
    currencies = {part.currency for part in backtest.parts}
    one_currency = len(currencies) == 1
    mape, naive_mape = mine.mape, reference.mape
    return Scorecard(
        forecaster=backtest.forecaster,
        fingerprint=backtest.fingerprint,
        count=len(mine),
        first_session=mine.days.min().item(),
        last_session=mine.days.max().item(),
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
        coverage_90=mine.coverage(0.9),
        naive_coverage_90=reference.coverage(0.9),
        coverage_95=mine.coverage(0.95),
        naive_coverage_95=reference.coverage(0.95),
        winkler_90=mine.mean_winkler(0.9),
        naive_winkler_90=reference.mean_winkler(0.9),
        log_score=mine.mean_log_score,
        naive_log_score=reference.mean_log_score,
        qlike=mine.mean_qlike,
        naive_qlike=reference.mean_qlike,
        direction=mine.direction,
        direction_count=int(mine.decided.sum()),
        up_share=mine.up_share,
        tickers=tuple(
            _ticker_score(part, part.ahead, beside.ahead)
            for part, beside in zip(backtest.parts, naive.parts, strict=True)
        ),
    )


def _ticker_score(part: TickerAnswers, mine: OneAhead, reference: OneAhead) -> TickerScore:
    return TickerScore(
        ticker=part.ticker,
        currency=part.currency,
        count=len(mine),
        mae=mine.mae,
        naive_mae=reference.mae,
        mape=mine.mape,
        naive_mape=reference.mape,
        crps=mine.mean_crps,
        naive_crps=reference.mean_crps,
        coverage_80=mine.coverage(0.8),
        naive_coverage_80=reference.coverage(0.8),
        coverage_90=mine.coverage(0.9),
        naive_coverage_90=reference.coverage(0.9),
        coverage_95=mine.coverage(0.95),
        naive_coverage_95=reference.coverage(0.95),
    )
