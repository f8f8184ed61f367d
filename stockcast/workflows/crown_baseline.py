"""Crowns the EWMA baseline in a universe that has no champion, so that there is an honest forecast at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stockcast.config import Config
from stockcast.evaluation.rolling import rolling_backtest
from stockcast.evaluation.scorecard import score
from stockcast.evaluation.split import split_dates, training_pairs
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.prices.frame import PriceFrame
from stockcast.registry.runs import Runs
from stockcast.registry.versions import ModelVersion, Versions
from stockcast.workflows.register_version import register_version

REASON = "It is the baseline that speaks until a trained model proves itself better."


def crown_baseline(
    runs: Runs, versions: Versions, universe: str, frames: Sequence[PriceFrame], config: Config, scratch: Path
) -> ModelVersion:
    """Scores EWMA Student-t on the universe's test sessions and registers it as the champion."""
    split = split_dates(frames, config)
    pairs, _ = training_pairs(frames, split, config)
    forecaster = EwmaForecaster()
    judged, naive = (
        rolling_backtest(each, frames, split.test_start, split.test_end)
        for each in (forecaster, NaiveForecaster())
    )
    card = score(judged, naive)
    tickers = ",".join(pair.train.ticker for pair in pairs)
    with runs.recording(universe, "EWMA baseline", {"model": forecaster.kind}, {"tickers": tickers}) as run:
        version = register_version(
            runs,
            versions,
            universe=universe,
            run=run,
            forecaster=forecaster,
            learnt_from=[pair.train for pair in pairs],
            card=card,
            config=config,
            scratch=scratch,
        )
        version = versions.crown(version, (REASON,))
        runs.tag_verdict(run, version)
    return version
