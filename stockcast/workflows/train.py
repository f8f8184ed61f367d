"""Trains the model of a universe, judges it on sessions it has not seen, and asks the gate.

In two steps. `make_candidate` ends with a registered version that nobody listens to yet, and with a verdict that
can be written down. `publish` carries the verdict out, and may be repeated after a crash: what is written decides.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import JsonValue, TypeAdapter

from stockcast.config import Config
from stockcast.evaluation.gate import Verdict
from stockcast.evaluation.scorecard import Comparison, Scorecard
from stockcast.evaluation.split import Split, split_dates, training_pairs
from stockcast.forecasting.forecaster import Estimator
from stockcast.forecasting.observer import Epoch, Observer
from stockcast.home_files import make_folder
from stockcast.registry.plots import draw_plots
from stockcast.registry.run_log import RunLog, patiently
from stockcast.registry.runs import CARD, Runs
from stockcast.registry.versions import Versions
from stockcast.workflows.choose_histories import Chosen
from stockcast.workflows.judge_candidate import Champion, judge_candidate
from stockcast.workflows.model_card import Training, model_card, write_model_card
from stockcast.workflows.register_version import register_version
from stockcast.workflows.training_result import Made, Opponent, Spoke, TrainingResult

FITTED, JUDGED = 0.8, 0.92  # progress of the whole when that part is done


@dataclass(frozen=True)
class Candidate:
    """A registered version with the gate's verdict, before anybody listens to it."""

    name: str
    number: str
    verdict: Verdict
    judged_against: str  # number of the champion at that time
    champion: str  # how that one is named to a person
    champion_run: str
    scorecard: Scorecard
    comparisons: tuple[Comparison, ...]
    left_out: Mapping[str, str]
    seconds: float

    def to_json(self) -> dict[str, JsonValue]:
        """Plain data."""
        data: dict[str, JsonValue] = _CANDIDATE.dump_python(self, mode="json")
        return data

    @staticmethod
    def from_json(data: Mapping[str, JsonValue]) -> Candidate:
        """The inverse of `to_json`."""
        return _CANDIDATE.validate_python(data)


_CANDIDATE = TypeAdapter(Candidate)


def training_fingerprint(chosen: Chosen, config: Config) -> str:
    """What a training depends on: its configuration and the content of its histories."""
    parts = [json.dumps(config.model_dump(mode="json"), sort_keys=True)]
    parts += [f"{frame.ticker} {frame.content_hash}" for frame in chosen.frames]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def checkpoint_file(folder: Path, job: str | None, chosen: Chosen, config: Config) -> Path | None:
    """Where a job's training keeps its checkpoint; other data or another configuration begin anew."""
    if job is None:
        return None
    return make_folder(folder) / f"{job}-{training_fingerprint(chosen, config)[:12]}.ckpt"


def make_candidate(
    runs: Runs,
    versions: Versions,
    *,
    universe: str,
    chosen: Chosen,
    config: Config,
    config_version: int,
    estimator: Estimator,
    champion: Callable[[], Champion],
    scratch: Path,
    observer: Observer,
    job: str | None,
) -> Candidate:
    """From histories to a verdict, inside one MLflow run, that of the `job` if there is one.

    MLflow is not needed before the network is fitted; then it and its store are waited for. The run is left open
    for `publish`, or for another attempt when the job is paused; any other error closes it.
    Raises TooShortHistory, TrainingFailed, RegistryUnavailable, or what the observer raises.
    """
    started = time.monotonic()
    split = split_dates(chosen.frames, config)
    pairs, too_young = training_pairs(chosen.frames, split, config)
    learnt = [pair.train.ticker for pair in pairs]
    frames = [frame for frame in chosen.frames if frame.ticker in learnt]
    log = RunLog(
        runs,
        universe,
        f"{config.model.kind.upper()} {', '.join(learnt[:3])}{'…' if len(learnt) > 3 else ''}",
        _parameters(config, config_version, split),
        {"tickers": ",".join(learnt)},
        job=job,
        inputs=training_fingerprint(chosen, config),
    )

    def waiting() -> None:
        observer.doing("Waiting for MLflow", FITTED)

    with log:
        fitting = _Fitting(observer, log)
        forecaster = estimator.fit(pairs, fitting)
        fitted = time.monotonic()
        run = log.settle(waiting)
        observer.doing("Judging on sessions it has not seen", FITTED)
        spoken = patiently(champion, waiting)
        judgement = judge_candidate(forecaster, spoken, pairs, frames, split, config)
        observer.doing("Drawing its pictures", JUDGED)
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            draw_plots(Path(folder), fitting.epochs, judgement.backtest)
            patiently(lambda: runs.log_folder(run, Path(folder), "plots"), waiting)
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            told = Training(pairs, split, config, len(fitting.epochs), fitted - started)
            write_model_card(model_card(forecaster, told, judgement.diagnosis), Path(folder))
            runs.log_folder(run, Path(folder), CARD)
        observer.doing("Registering the version", 0.96)
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
    return Candidate(
        name=version.name,
        number=version.version,
        verdict=judgement.verdict,
        judged_against=spoken.version.version,
        champion=spoken.version.label,
        champion_run=spoken.version.run_id,
        scorecard=judgement.scorecard,
        comparisons=judgement.comparisons,
        left_out={**chosen.left_out, **too_young},
        seconds=time.monotonic() - started,
    )


def publish(runs: Runs, versions: Versions, candidate: Candidate) -> TrainingResult:
    """Lets the candidate speak if the gate said so, and closes its run. Doing it again changes nothing."""
    version = versions.decide(
        versions.read(candidate.name, candidate.number), candidate.verdict, candidate.judged_against
    )
    runs.tag_verdict(version.run_id, version)
    runs.close(version.run_id, "FINISHED")
    return TrainingResult(
        run_id=version.run_id,
        experiment_id=version.experiment_id,
        model=Made(version.name, version.version, version.kind),
        promoted=version.promoted,
        reasons=version.reasons,
        seconds=round(candidate.seconds, 2),
        scorecard=candidate.scorecard,
        comparisons=tuple(
            Opponent(each.opponent, each.skill, each.test.statistic, each.test.p_value)
            for each in candidate.comparisons
        ),
        champion_before=Spoke(candidate.champion, candidate.champion_run),
        left_out=candidate.left_out,
    )


class _Fitting:
    """Hands on what happens while the network is fitted: to the observer, and to the run."""

    def __init__(self, observer: Observer, log: RunLog) -> None:
        self.observer = observer
        self.log = log
        self.epochs: list[Epoch] = []

    def doing(self, phase: str, progress: float) -> None:
        self.observer.doing(phase, FITTED * progress)

    def epoch(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)
        self.log.epoch(epoch)
        self.observer.epoch(epoch)


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
