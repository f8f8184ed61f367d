"""Judges a freshly trained forecaster on the test sessions, against every opponent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stockcast.config import Config
from stockcast.errors import LeakDetected
from stockcast.evaluation.gate import Verdict, judge
from stockcast.evaluation.rolling import Backtest, rolling_backtest
from stockcast.evaluation.scorecard import Comparison, Scorecard, compare, score
from stockcast.evaluation.split import Split
from stockcast.forecasting.ewma import EwmaEstimator
from stockcast.forecasting.forecaster import Forecaster, TrainingPair
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.prices.frame import PriceFrame
from stockcast.registry.versions import ModelVersion


@dataclass(frozen=True)
class Champion:
    """The version that speaks now and its forecaster."""

    version: ModelVersion
    forecaster: Forecaster


@dataclass(frozen=True, eq=False)
class Judgement:
    """What the test sessions said of a candidate."""

    backtest: Backtest
    scorecard: Scorecard
    comparisons: tuple[Comparison, ...]
    verdict: Verdict


def judge_candidate(
    candidate: Forecaster,
    champion: Champion,
    pairs: Sequence[TrainingPair],
    frames: Sequence[PriceFrame],
    split: Split,
    config: Config,
) -> Judgement:
    """Compares CRPS with naive, with EWMA fitted to the same training part, and with the present champion.

    A champion that has learnt from the test sessions cannot be compared: that alone rules promotion out.
    """
    lookback, horizon = config.windows.lookback, config.windows.max_horizon
    naive, ewma, judged = (
        rolling_backtest(each, frames, split.test_start, split.test_end)
        for each in (NaiveForecaster(horizon, lookback), EwmaEstimator(horizon, lookback).fit(pairs), candidate)
    )
    card = score(judged, naive)
    comparisons = [compare(judged, naive), compare(judged, ewma)]
    objections: list[str] = []
    try:
        spoken = rolling_backtest(champion.forecaster, frames, split.test_start, split.test_end)
    except LeakDetected:
        objections.append(
            f"The present champion ({champion.version.label}) has learnt from sessions up to "
            f"{champion.version.trained_until}, inside this test, so the two cannot be compared without a leak."
        )
    else:
        comparisons.append(compare(judged, Backtest(f"the champion {champion.version.label}", spoken.parts)))
    verdict = judge(card, comparisons, objections, config.promotion)
    return Judgement(judged, card, tuple(comparisons), verdict)
