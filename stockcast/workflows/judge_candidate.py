"""Judges a freshly trained forecaster on the test sessions, against every opponent."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from stockcast.config import LADDER, Config
from stockcast.errors import LeakDetected, TooShortHistory, TrainingFailed
from stockcast.evaluation.diagnose import diagnose
from stockcast.evaluation.diagnosis import Diagnosis
from stockcast.evaluation.gate import Verdict, judge
from stockcast.evaluation.refits import garch_reference
from stockcast.evaluation.rolling import Backtest, rolling_backtest
from stockcast.evaluation.scorecard import Comparison, Scorecard, compare, score
from stockcast.evaluation.split import Split
from stockcast.forecasting.ewma import EwmaEstimator
from stockcast.forecasting.forecaster import Forecaster, TrainingPair
from stockcast.forecasting.linear import LinearEstimator
from stockcast.forecasting.market import markets
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.observer import UNWATCHED
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
    diagnosis: Diagnosis
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
    """Compares CRPS with every rung of the ladder below the candidate's own, and with the present champion.

    A champion that has learnt from the test sessions cannot be compared: that alone rules promotion out.
    """
    known, span = markets(frames), (split.test_start, split.test_end)
    judged = rolling_backtest(candidate, frames, *span, known)
    opponents = rungs_below(candidate.kind, pairs, frames, split, config)
    naive = opponents[0]
    card = score(judged, naive)
    comparisons = [compare(judged, opponent) for opponent in opponents]
    objections: list[str] = []
    try:
        spoken = rolling_backtest(champion.forecaster, frames, *span, known)
    except LeakDetected:
        objections.append(
            f"The present champion ({champion.version.label}) has learnt from sessions up to "
            f"{champion.version.trained_until}, inside this test, so the two cannot be compared without a leak."
        )
    else:
        comparisons.append(compare(judged, Backtest(f"the champion {champion.version.label}", spoken.parts)))
    verdict = judge(card, comparisons, objections, config.promotion)
    return Judgement(judged, card, diagnose(judged, naive, opponents[1:]), tuple(comparisons), verdict)


def rungs_below(
    kind: str, pairs: Sequence[TrainingPair], frames: Sequence[PriceFrame], split: Split, config: Config
) -> list[Backtest]:
    """The naive forecaster first, then the rungs below a kind, fitted to what the candidate was fitted to.

    GARCH is fitted anew each year to each ticker's own past, as an econometrician would. It is left out where no
    ticker gives it enough to be fitted to.
    """
    lookback, horizon = config.windows.lookback, config.windows.max_horizon
    start, end = split.test_start, split.test_end
    below = LADDER[: LADDER.index(kind)]
    found = [rolling_backtest(NaiveForecaster(horizon, lookback), frames, start, end)]
    if "ewma" in below:
        found.append(rolling_backtest(EwmaEstimator(horizon, lookback).fit(pairs), frames, start, end))
    if "garch" in below:
        with contextlib.suppress(TooShortHistory, TrainingFailed):
            found.append(garch_reference(frames, start, end, horizon=horizon, lookback=lookback))
    if "linear" in below:
        linear = LinearEstimator(horizon, lookback).fit(pairs, UNWATCHED)
        found.append(rolling_backtest(linear, frames, start, end, markets(frames)))
    return found
