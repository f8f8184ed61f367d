"""Searches for better settings: trains the same histories with others, and tells how each did on validation.

A trial is a training that ends before anything is judged: it makes no run, no version and no verdict. It is scored
by what early stopping looks at, the validation loss of its best epoch, and sees no session of the test. So the
test stays unseen, and the gate that a training with the adopted settings has to pass is as honest as ever. It has
to be: the best of many trials on validation flatters itself.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import JsonValue, TypeAdapter

from stockcast.config import Config
from stockcast.errors import DatabaseUnavailable, InvalidRequest, TrainingFailed
from stockcast.evaluation.split import split_dates, training_pairs
from stockcast.forecasting.forecaster import TrainingPair
from stockcast.forecasting.observer import Epoch, Observer
from stockcast.workflows.choose_histories import Chosen
from stockcast.workflows.compare_configs import compare_configs
from stockcast.workflows.job_requests import TuneRequest
from stockcast.workflows.train import checkpoint_file
from stockcast.workflows.tune_space import How, Parameters, Value, parameters_of, widest, with_parameters

if TYPE_CHECKING:
    from stockcast.workflows.tune_study import Proposed, Study  # which imports Optuna

WAIT = 0.5  # seconds between two calls to a database that is away
T = TypeVar("T")


@dataclass(frozen=True)
class Trial:
    """One training of a search. Number 0 are the settings in force when it was asked for."""

    number: int
    state: How
    value: float | None  # lowest validation loss, mean negative log-likelihood; of a pruned one: so far
    parameters: dict[str, Value]
    epochs: int = 0
    seconds: float = 0.0
    reason: str = ""  # why it failed
    prices: str = ""  # fingerprint of the histories

    @property
    def present(self) -> bool:
        """Whether it tried the settings in force."""
        return self.number == 0

    def to_json(self) -> dict[str, JsonValue]:
        """Plain data: the result of a part."""
        data: dict[str, JsonValue] = _TRIAL.dump_python(self, mode="json")
        return data

    @staticmethod
    def from_json(data: Mapping[str, JsonValue]) -> Trial:
        """The inverse of `to_json`."""
        return _TRIAL.validate_python(dict(data))


@dataclass(frozen=True)
class Found:
    """What a search has come to so far."""

    trials: tuple[Trial, ...]  # by number
    importances: dict[str, float] = field(default_factory=dict)  # shares of 1; empty: too few trials to tell

    @property
    def best(self) -> Trial | None:
        """The whole trial with the lowest loss; of equals the first, so that the settings in force win a draw."""
        whole = [trial for trial in self.trials if trial.state == "complete" and trial.value is not None]
        return min(whole, key=lambda trial: (trial.value, trial.number), default=None)

    @property
    def present(self) -> Trial | None:
        """How the settings in force did."""
        return next((trial for trial in self.trials if trial.present and trial.state == "complete"), None)

    @property
    def gain(self) -> float | None:
        """By how much the best validation loss is lower than that of the settings in force."""
        if self.best is None or self.present is None or self.best.value is None or self.present.value is None:
            return None
        return self.present.value - self.best.value

    @property
    def one_data(self) -> bool:
        """Whether all trials have learnt from the same prices."""
        return len({trial.prices for trial in self.trials if trial.prices}) <= 1

    def count(self, state: How) -> int:
        """How many trials ended so."""
        return sum(trial.state == state for trial in self.trials)

    def to_json(self) -> dict[str, JsonValue]:
        """Plain data: the result of the job."""
        best, present = self.best, self.present
        return {
            "best": None if best is None else best.number,
            "value": None if best is None else best.value,
            "parameters": {} if best is None else dict(best.parameters),
            "present_value": None if present is None else present.value,
            "gain": self.gain,
            "pruned": self.count("pruned"),
            "failed": self.count("failed"),
            "importances": dict(self.importances),
            "trials": [trial.to_json() for trial in self.trials],
        }


_TRIAL = TypeAdapter(Trial)


@dataclass(frozen=True, eq=False)
class Ground:
    """On what the trials of a search are trained, and where."""

    asked: TuneRequest
    chosen: Chosen
    checkpoints: Path
    scratch: Path
    threads: int

    def pairs(self) -> list[TrainingPair]:
        """What every trial learns from and is scored on, whatever its settings: nothing of the test."""
        widely = widest(self.asked.config, self.asked.space)
        pairs, _left_out = training_pairs(self.chosen.frames, split_dates(self.chosen.frames, widely), widely)
        return pairs

    @property
    def prices(self) -> str:
        """What tells these histories from others, in short."""
        text = "\n".join(f"{frame.ticker} {frame.content_hash}" for frame in self.chosen.frames)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def try_present(study: Study, part: str, ground: Ground, observer: Observer) -> Trial:
    """Trains the settings in force to the end, so that every gain is told against them."""
    parameters = parameters_of(ground.asked.config, [each.field for each in ground.asked.space])
    fitting = _Fitting(observer, lambda _epoch: False)
    trial = _try(0, part, ground.asked.config, parameters, ground, fitting)
    if trial.value is not None:
        losses = {epoch.number: epoch.validation_loss for epoch in fitting.epochs}
        patiently(lambda: study.add(part, parameters, losses, trial.value or 0.0), observer)
    return trial


def try_proposed(
    study: Study, part: str, proposed: Proposed, number: int, ground: Ground, observer: Observer
) -> Trial:
    """Trains what the study has proposed; it ends early when most others were better by then."""
    if proposed.ended is not None:  # its process was killed when only its end was still to be noted
        value, epochs = proposed.value if proposed.ended == "complete" else None, len(proposed.told)
        return Trial(number, proposed.ended, value, dict(proposed.parameters), epochs, prices=ground.prices)

    def hopeless(epoch: Epoch) -> bool:
        return patiently(lambda: study.hopeless(proposed, epoch.number, epoch.validation_loss), observer)

    config = with_parameters(ground.asked.config, proposed.parameters)
    trial = _try(number, part, config, proposed.parameters, ground, _Fitting(observer, hopeless))
    patiently(lambda: study.tell(proposed, trial.state, trial.value), observer)
    return trial


def patiently(call: Callable[[], T], observer: Observer) -> T:
    """Calls again until the database answers, unless the observer knows that the work is to stop."""
    while True:
        try:
            return call()
        except DatabaseUnavailable:
            observer.doing("Waiting for the database", 0.0)
            time.sleep(WAIT)


def given_up(study: Study, proposed: Proposed | None, number: int, asked: TuneRequest, attempts: int) -> Trial:
    """A trial that has ended its process again and again, with a word why it is not tried once more."""
    parameters = parameters_of(asked.config, [each.field for each in asked.space])
    if proposed is not None:
        study.tell(proposed, "failed", None)
        parameters = dict(proposed.parameters)
    reason = f"The process that trained it was killed {attempts} times."
    return Trial(number, "failed", None, parameters, reason=reason)


def adopted(asked: TuneRequest, found: Found, number: int | None) -> tuple[Trial, Config]:
    """The trial of that number, or the best, and the configuration with its settings.

    Raises InvalidRequest when there is nothing to adopt.
    """
    trial = found.best if number is None else next((each for each in found.trials if each.number == number), None)
    if trial is None or trial.state != "complete":
        raise InvalidRequest(
            "No trial of this search has come to its end yet."
            if number is None
            else f"The search has no trial {number} that has come to its end.",
            "Wait for it, or look at its trials: stockcast tune show JOB",
        )
    config = with_parameters(asked.config, trial.parameters)
    if trial.present or config == asked.config:
        raise InvalidRequest(
            f"None of the {len(found.trials)} trials did better than the settings in force.",
            "There is nothing to adopt; search longer, or other settings.",
        )
    return trial, config


def adoption_note(job: str, trial: Trial, found: Found, before: Config, after: Config) -> str:
    """What stands in the history of the configuration."""
    changes = "; ".join(change.sentence for change in compare_configs(before, after))
    return f"Trial {trial.number} of {len(found.trials)} of the search {job}: {changes}"


class _Hopeless(Exception):
    """Most others were better by then."""


class _Fitting:
    """Hands on what happens in a trial, and ends one that is hopeless."""

    def __init__(self, observer: Observer, hopeless: Callable[[Epoch], bool]) -> None:
        self._observer = observer
        self._hopeless = hopeless
        self.epochs: list[Epoch] = []

    def doing(self, phase: str, progress: float) -> None:
        self._observer.doing(phase, progress)

    def epoch(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)
        self._observer.epoch(epoch)
        if self._hopeless(epoch):
            raise _Hopeless


def _try(
    number: int, part: str, config: Config, parameters: Parameters, ground: Ground, fitting: _Fitting
) -> Trial:
    """Trains once. What the settings are to blame for is a failed trial, not a failed search."""
    # torch and Lightning take seconds to import.
    from stockcast.forecasting.lstm.estimator import LstmEstimator

    state: How = "complete"
    started, reason = time.monotonic(), ""
    checkpoint = checkpoint_file(ground.checkpoints, part, ground.chosen, config)
    try:
        LstmEstimator(config, ground.scratch, ground.threads, checkpoint).fit(ground.pairs(), fitting)
    except _Hopeless:
        state = "pruned"
    except TrainingFailed as problem:
        state, reason = "failed", problem.message
    losses = [epoch.validation_loss for epoch in fitting.epochs if math.isfinite(epoch.validation_loss)]
    value = min(losses) if losses and state != "failed" else None
    spent = round(time.monotonic() - started, 2)
    return Trial(number, state, value, dict(parameters), len(fitting.epochs), spent, reason, ground.prices)
