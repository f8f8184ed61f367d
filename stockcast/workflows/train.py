"""Trains the LSTM of a universe, judges it on sessions it has not seen, and asks the gate."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import JsonValue

from stockcast.config import Config
from stockcast.evaluation.scorecard import Comparison, Scorecard
from stockcast.evaluation.split import Split, split_dates, training_pairs
from stockcast.forecasting.forecaster import Epoch, Estimator, OnEpoch
from stockcast.registry.plots import draw_plots
from stockcast.registry.runs import Runs
from stockcast.registry.versions import ModelVersion, Versions
from stockcast.workflows.choose_histories import Chosen
from stockcast.workflows.judge_candidate import Champion, judge_candidate
from stockcast.workflows.register_version import register_version


@dataclass(frozen=True)
class Trained:
    """What a training came to; `version` holds the verdict and its reasons."""

    version: ModelVersion
    scorecard: Scorecard
    comparisons: tuple[Comparison, ...]
    left_out: Mapping[str, str]
    seconds: float

    def to_json(self) -> dict[str, JsonValue]:
        """Plain data: what `stockcast train --json` prints and a job keeps as its result."""
        return {
            "run_id": self.version.run_id,
            "experiment_id": self.version.experiment_id,
            "model": {"name": self.version.name, "version": self.version.version, "kind": self.version.kind},
            "promoted": self.version.promoted,
            "reasons": list(self.version.reasons),
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
    learnt = [pair.train.ticker for pair in pairs]
    frames = [frame for frame in chosen.frames if frame.ticker in learnt]
    name = f"LSTM {', '.join(learnt[:3])}{'…' if len(learnt) > 3 else ''}"
    parameters = _parameters(config, config_version, split)
    with runs.recording(universe, name, parameters, {"tickers": ",".join(learnt)}) as run:
        epochs: list[Epoch] = []

        def report(epoch: Epoch) -> None:
            epochs.append(epoch)
            runs.log_epoch(run, epoch)
            on_epoch(epoch)

        forecaster = estimator.fit(pairs, report)
        judgement = judge_candidate(forecaster, champion, pairs, frames, split, config)
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            draw_plots(Path(folder), epochs, judgement.backtest)
            runs.log_folder(run, Path(folder), "plots")
        version = register_version(
            runs,
            versions,
            universe=universe,
            run=run,
            forecaster=forecaster,
            learnt_from=[pair.train for pair in pairs],
            card=judgement.scorecard,
            config=config,
            scratch=scratch,
        )
        version = versions.decide(version, judgement.verdict, champion.version)
        runs.tag_verdict(run, version)
    return Trained(
        version=version,
        scorecard=judgement.scorecard,
        comparisons=judgement.comparisons,
        left_out={**chosen.left_out, **too_young},
        seconds=time.monotonic() - started,
    )


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
