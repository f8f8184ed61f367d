"""Trains the LSTM of a universe, judges it on sessions it has not seen, and asks the gate."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import JsonValue

from stockcast.config import Config
from stockcast.errors import LeakDetected
from stockcast.evaluation.gate import Verdict, judge
from stockcast.evaluation.rolling import Backtest, rolling_backtest
from stockcast.evaluation.scorecard import Comparison, Scorecard, compare, score
from stockcast.evaluation.split import Split, split_dates, training_pairs
from stockcast.forecasting.bundle import Bundle, pack, write_bundle
from stockcast.forecasting.ewma import EwmaEstimator
from stockcast.forecasting.forecaster import Epoch, Estimator, Forecaster, OnEpoch
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.monitoring.regime import VolatilityReference
from stockcast.prices.frame import PriceFrame
from stockcast.registry.plots import draw_plots
from stockcast.registry.runs import Runs
from stockcast.registry.versions import ModelVersion, Versions
from stockcast.workflows.choose_histories import Chosen


@dataclass(frozen=True)
class Trained:
    """What a training came to."""

    version: ModelVersion
    run_id: str
    experiment_id: str
    verdict: Verdict
    scorecard: Scorecard
    comparisons: tuple[Comparison, ...]
    left_out: Mapping[str, str]
    seconds: float

    def to_json(self) -> dict[str, JsonValue]:
        """Plain data: what `stockcast train --json` prints and a job keeps as its result."""
        return {
            "run_id": self.run_id,
            "experiment_id": self.experiment_id,
            "model": {"name": self.version.name, "version": self.version.version, "kind": self.version.kind},
            "promoted": self.verdict.promoted,
            "reasons": list(self.verdict.reasons),
            "seconds": round(self.seconds, 2),
            "scorecard": self.scorecard.to_json(),
            "comparisons": [
                {
                    "opponent": comparison.opponent,
                    "skill": comparison.skill,
                    "dm_statistic": comparison.test.statistic,
                    "dm_p_value": comparison.test.p_value,
                }
                for comparison in self.comparisons
            ],
            "left_out": dict(self.left_out),
        }


@dataclass(frozen=True)
class Champion:
    """The version that speaks now and its forecaster, for the comparison."""

    version: ModelVersion
    forecaster: Forecaster


def train(
    runs: Runs,
    versions: Versions,
    *,
    universe: str,
    chosen: Chosen,
    config: Config,
    config_version: int,
    estimator: Estimator,
    champion: Champion,
    scratch: Path,
    on_epoch: OnEpoch,
) -> Trained:
    """One training from histories to verdict, inside one MLflow run that is closed whatever happens.

    Raises TooShortHistory, TrainingFailed or RegistryUnavailable.
    """
    started = time.monotonic()
    split = split_dates(chosen.frames, config)
    pairs, too_young = training_pairs(chosen.frames, split, config)
    left_out = {**chosen.left_out, **too_young}
    learnt = tuple(pair.train.ticker for pair in pairs)
    frames = tuple(frame for frame in chosen.frames if frame.ticker in learnt)
    run = runs.open(
        universe,
        f"LSTM {', '.join(learnt[:3])}{'…' if len(learnt) > 3 else ''}",
        _parameters(config, config_version, split),
        {"kind": "lstm", "tickers": ",".join(learnt)},
    )
    try:
        epochs: list[Epoch] = []

        def report(epoch: Epoch) -> None:
            epochs.append(epoch)
            runs.log_epoch(run, epoch)
            on_epoch(epoch)

        forecaster = estimator.fit(pairs, report)
        fitted = EwmaEstimator(config.windows.max_horizon, config.windows.lookback).fit(pairs)
        naive, baseline, judged = (
            rolling_backtest(each, frames, split.test_start, split.test_end)
            for each in (
                NaiveForecaster(config.windows.max_horizon, lookback=config.windows.lookback),
                fitted,
                forecaster,
            )
        )
        card = score(judged, naive)
        comparisons, objections = _against_all(judged, naive, baseline, champion, frames, split)
        verdict = judge(card, comparisons, objections, config.promotion)
        reference = VolatilityReference.fit([pair.train for pair in pairs], config.windows.lookback)
        bundle = pack(
            forecaster,
            tickers=learnt,
            config=config.model_dump(mode="json"),
            data_fingerprint=card.fingerprint,
            drift_reference=reference.to_json(),
            scorecard=card.to_json(),
        )
        version = _register(runs, versions, universe, run, bundle, card, epochs, judged, learnt, scratch)
        version = versions.decide(version, verdict.promoted, verdict.reasons)
        runs.tag(
            run,
            {
                "version": version.version,
                "promoted": str(verdict.promoted).lower(),
                "data_fingerprint": card.fingerprint,
                "reasons": "\n".join(verdict.reasons),
            },
        )
    except (KeyboardInterrupt, SystemExit):  # Lightning turns the former into the latter
        runs.close(run, "KILLED")
        raise
    except BaseException:
        runs.close(run, "FAILED")
        raise
    runs.close(run, "FINISHED")
    return Trained(
        version,
        run,
        version.experiment_id,
        verdict,
        card,
        tuple(comparisons),
        left_out,
        time.monotonic() - started,
    )


def _against_all(
    judged: Backtest,
    naive: Backtest,
    baseline: Backtest,
    champion: Champion,
    frames: Sequence[PriceFrame],
    split: Split,
) -> tuple[list[Comparison], list[str]]:
    """Comparisons with every opponent, and why the champion could not be one of them."""
    comparisons = [compare(judged, naive), compare(judged, baseline)]
    if champion.version.kind == baseline.forecaster:
        return comparisons, []
    try:
        spoken = rolling_backtest(champion.forecaster, frames, split.test_start, split.test_end)
    except LeakDetected:
        return comparisons, [
            f"The present champion ({champion.version.label}) has learnt from sessions up to "
            f"{champion.version.trained_until}, inside this test, so the two cannot be compared without a leak."
        ]
    named = Backtest(f"the champion {champion.version.label}", spoken.parts)
    return [*comparisons, compare(judged, named)], []


def _register(
    runs: Runs,
    versions: Versions,
    universe: str,
    run: str,
    bundle: Bundle,
    card: Scorecard,
    epochs: Sequence[Epoch],
    judged: Backtest,
    tickers: tuple[str, ...],
    scratch: Path,
) -> ModelVersion:
    runs.log_scorecard(run, card)
    runs.log_dataset(run, tickers, card.fingerprint)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        write_bundle(bundle, Path(folder) / "bundle")
        runs.log_folder(run, Path(folder) / "bundle", "bundle")
        draw_plots(Path(folder) / "plots", epochs, judged)
        runs.log_folder(run, Path(folder) / "plots", "plots")
    return versions.register(universe, run, bundle.manifest.kind, bundle.manifest.trained_until, tickers)


def _parameters(config: Config, config_version: int, split: Split) -> dict[str, object]:
    """The run's parameters: the whole configuration, flat, and the dates of the split."""
    flat: dict[str, object] = {
        f"{section}.{field}": value
        for section, fields in config.model_dump(mode="json").items()
        for field, value in fields.items()
    }
    dates: dict[str, date] = {
        "split.train_end": split.train_end,
        "split.validation_end": split.validation_end,
        "split.test_start": split.test_start,
        "split.test_end": split.test_end,
    }
    return {**flat, **dates, "config_version": config_version}
