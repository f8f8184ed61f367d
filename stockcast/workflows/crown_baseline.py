"""Crowns the EWMA baseline in a universe that has no champion, so that there is an honest forecast at once."""

from __future__ import annotations

import tempfile
from pathlib import Path

from stockcast.config import Config
from stockcast.evaluation.rolling import rolling_backtest
from stockcast.evaluation.scorecard import score
from stockcast.evaluation.split import split_dates
from stockcast.forecasting.bundle import pack, write_bundle
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.monitoring.regime import VolatilityReference
from stockcast.prices.frame import PriceFrame
from stockcast.registry.runs import Runs
from stockcast.registry.versions import ModelVersion, Versions

REASON = "It is the baseline that speaks until a trained model proves itself better."


def crown_baseline(
    runs: Runs, versions: Versions, universe: str, frames: tuple[PriceFrame, ...], config: Config, scratch: Path
) -> ModelVersion:
    """Scores EWMA Student-t on the universe's test sessions and registers it as the champion."""
    split = split_dates(frames, config)
    forecaster = EwmaForecaster()
    naive = rolling_backtest(NaiveForecaster(), frames, split.test_start, split.test_end)
    judged = rolling_backtest(forecaster, frames, split.test_start, split.test_end)
    card = score(judged, naive)
    reference = VolatilityReference.fit(
        [frame.until(split.validation_end) for frame in frames if frame.first_session < split.train_end],
        forecaster.lookback,
    )
    tickers = tuple(frame.ticker for frame in frames)
    bundle = pack(
        forecaster,
        tickers=tickers,
        config=config.model_dump(mode="json"),
        data_fingerprint=card.fingerprint,
        drift_reference=reference.to_json(),
        scorecard=card.to_json(),
    )
    run = runs.open(
        universe,
        "EWMA baseline",
        {"model": forecaster.kind},
        {"kind": forecaster.kind, "tickers": ",".join(tickers)},
    )
    try:
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            write_bundle(bundle, Path(folder) / "bundle")
            runs.log_folder(run, Path(folder) / "bundle", "bundle")
        runs.log_scorecard(run, card)
        version = versions.register(universe, run, forecaster.kind, forecaster.trained_until, tickers)
        version = versions.decide(version, True, (REASON,))
        runs.tag(run, {"version": version.version, "promoted": "true"})
    except BaseException:
        runs.close(run, "FAILED")
        raise
    runs.close(run, "FINISHED")
    return version
