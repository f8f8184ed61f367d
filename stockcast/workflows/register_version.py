"""Stores a judged forecaster as a bundle among its run's artifacts and registers it as a version."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from stockcast.config import Config
from stockcast.evaluation.scorecard import Scorecard
from stockcast.forecasting.bundle import pack, write_bundle
from stockcast.forecasting.forecaster import Forecaster
from stockcast.monitoring.drift_reference import DriftReference
from stockcast.prices.frame import PriceFrame
from stockcast.registry.runs import Runs
from stockcast.registry.versions import ModelVersion, Versions


def register_version(
    runs: Runs,
    versions: Versions,
    *,
    universe: str,
    run: str,
    forecaster: Forecaster,
    learnt_from: Sequence[PriceFrame],
    card: Scorecard,
    config: Config,
    scratch: Path,
) -> ModelVersion:
    """Logs scorecard, data and bundle to the run; the drift reference is fitted on `learnt_from` alone."""
    tickers = tuple(frame.ticker for frame in learnt_from)
    bundle = pack(
        forecaster,
        tickers=tickers,
        config=config.model_dump(mode="json"),
        data_fingerprint=card.fingerprint,
        drift_reference=DriftReference.fit(learnt_from, forecaster.lookback).to_json(),
        scorecard=card.to_json(),
    )
    runs.log_scorecard(run, card)
    runs.log_dataset(run, tickers, card.fingerprint)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        write_bundle(bundle, Path(folder) / "bundle")
        runs.log_folder(run, Path(folder) / "bundle", "bundle")
    return versions.register(universe, run, forecaster.kind, forecaster.trained_until, tickers)
