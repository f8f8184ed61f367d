"""The run of one training: filled beside it, never in its way, complete in the end, and closed as it should be."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stockcast.errors import (
    InvalidRequest,
    JobCancelled,
    JobOverdue,
    JobPaused,
    JobSuperseded,
    RegistryUnavailable,
    TrainingFailed,
)
from stockcast.forecasting.observer import Epoch
from stockcast.registry import run_log
from stockcast.registry.run_log import RunLog, outcome_of
from stockcast.registry.runs import Runs
from stockcast.registry.tracking_server import TrackingServer

BEGAN = datetime(2024, 3, 1, 12, tzinfo=UTC)
OpenLog = Callable[..., RunLog]


class Impatient(Exception):
    """What an observer raises."""


def epoch(number: int) -> Epoch:
    return Epoch(number, 10, 2 / number, 1 / number, 1 / number, 2e-3, 0.5, BEGAN + timedelta(seconds=number))


def nothing() -> None:
    """Waits for nobody."""


def never() -> None:
    """What must not be called."""
    raise AssertionError("there was nothing to wait for")


@pytest.fixture
def runs(server: TrackingServer) -> Runs:
    return Runs(server)


@pytest.fixture
def open_log(runs: Runs, universe: str) -> OpenLog:
    """open_log(job=..., inputs=...)"""

    def make(of: Runs = runs, job: str | None = None, inputs: str = "x") -> RunLog:
        return RunLog(of, universe, "LSTM AAPL", {"a": 1}, {"tickers": "AAPL"}, job=job, inputs=inputs)

    return make


class House:
    """A home for MLflow that a file is in the way of, until somebody takes it away."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.home.write_text("in the way")
        self.runs = Runs(TrackingServer(f"sqlite:///{self.home / 'mlflow.db'}", None))

    def unblock(self) -> None:
        self.home.unlink()


@pytest.fixture
def blocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """MLflow out of reach; it is asked again soon, and puts artifacts of its own beside the database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_log, "LONGEST_PAUSE", 0.5)
    return House(tmp_path)


def statuses(runs: Runs, universe: str) -> list[str]:
    return [found.status for found in runs.recent(universe)]


def test_a_training_fills_its_run_and_leaves_it_open_for_the_verdict(
    open_log: OpenLog, runs: Runs, universe: str
) -> None:
    before = datetime.now(UTC)
    with open_log() as log:
        for number in (1, 2, 3):
            log.epoch(epoch(number))
        run = log.settle(nothing, patience=30)
        assert runs.curve(run, "validation_loss") == [(1, 1.0), (2, 0.5), (3, pytest.approx(1 / 3))]
        assert log.settle(never) == run
    [found] = runs.recent(universe)
    assert (found.run_id, found.status, found.name, found.tickers) == (run, "RUNNING", "LSTM AAPL", ("AAPL",))
    assert found.parameters == {"a": "1"}
    assert abs(found.started_at - before) < timedelta(seconds=1), "the run began when the training did"


def test_a_training_without_epochs_has_a_run_too(open_log: OpenLog, runs: Runs, universe: str) -> None:
    with open_log() as log:
        run = log.settle(nothing, patience=30)
    assert [found.run_id for found in runs.recent(universe)] == [run]


def test_what_a_second_attempt_tells_again_stands_there_once(open_log: OpenLog, runs: Runs, universe: str) -> None:
    def first_attempt() -> None:
        with open_log(job="j1") as log:
            for number in (1, 2):
                log.epoch(epoch(number))
            log.settle(nothing, patience=30)
            raise JobPaused("The worker leaves.", "Another one goes on.")

    with pytest.raises(JobPaused):
        first_attempt()
    [first] = runs.recent(universe)
    assert first.status == "RUNNING"
    with open_log(job="j1") as log:
        for number in (1, 2, 3, 3):
            log.epoch(epoch(number))
        assert log.settle(nothing, patience=30) == first.run_id
    for curve in ("train_loss", "epoch_seconds"):
        assert [step for step, _ in runs.curve(first.run_id, curve)] == [1, 2, 3]


def test_an_attempt_on_other_inputs_kills_the_run_of_the_one_before(
    open_log: OpenLog, runs: Runs, universe: str
) -> None:
    made = []
    for inputs in ("x", "y"):
        with open_log(job="j1", inputs=inputs) as log:
            log.epoch(epoch(1))
            made.append(log.settle(nothing, patience=30))
    assert {found.run_id: found.status for found in runs.recent(universe)} == {
        made[0]: "KILLED", made[1]: "RUNNING",
    }  # fmt: skip


def test_mlflow_out_of_reach_never_holds_up_an_epoch_and_gets_everything_when_it_is_back(
    open_log: OpenLog, blocked: House, universe: str
) -> None:
    waited = []

    def waiting() -> None:
        waited.append(time.monotonic())
        if len(waited) == 2:
            blocked.unblock()

    with open_log(blocked.runs) as log:
        for number in range(1, 21):
            started = time.monotonic()
            log.epoch(epoch(number))
            assert time.monotonic() - started < 0.1
            time.sleep(0.02)
        run = log.settle(waiting, patience=60)
    assert len(waited) >= 2
    for curve in ("train_loss", "validation_loss", "learning_rate", "epoch_seconds"):
        assert [step for step, _ in blocked.runs.curve(run, curve)] == list(range(1, 21))
    assert [found.run_id for found in blocked.runs.recent(universe)] == [run]


def test_the_patience_with_mlflow_ends(open_log: OpenLog, blocked: House) -> None:
    waited = []
    started = time.monotonic()
    with open_log(blocked.runs) as log:
        log.epoch(epoch(1))
        with pytest.raises(RegistryUnavailable, match="MLflow at sqlite") as refused:
            log.settle(lambda: waited.append(1), patience=1.5)
    assert refused.value.hint
    assert 1.5 <= time.monotonic() - started < 10
    assert len(waited) >= 3, "the observer is asked meanwhile whether the work may go on"


def test_whoever_waits_may_stop_the_waiting(open_log: OpenLog, blocked: House) -> None:
    def waiting() -> None:
        raise Impatient

    started = time.monotonic()
    with open_log(blocked.runs) as log, pytest.raises(Impatient):
        log.settle(waiting, patience=60)
    assert time.monotonic() - started < 10


def test_what_waiting_cannot_mend_is_told_at_once(runs: Runs) -> None:
    with RunLog(runs, "no universe/", "LSTM", {}, {}) as log:
        log.epoch(epoch(1))
        with pytest.raises(InvalidRequest, match="cannot name a universe"):
            log.settle(nothing, patience=60)


def test_an_error_while_mlflow_is_out_of_reach_is_not_replaced_by_another(
    open_log: OpenLog, blocked: House
) -> None:
    def work() -> None:
        with open_log(blocked.runs) as log:
            log.epoch(epoch(1))
            raise TrainingFailed("It failed.", "Try again.")

    with pytest.raises(TrainingFailed):
        work()


OUTCOMES = [
    (None, None),
    (JobPaused("x", "y"), None),
    (JobSuperseded("x", "y"), None),
    (JobCancelled("x", "y"), "KILLED"),
    (KeyboardInterrupt(), "KILLED"),
    (SystemExit(0), "KILLED"),
    (JobOverdue("x", "y"), "FAILED"),
    (TrainingFailed("x", "y"), "FAILED"),
    (RegistryUnavailable("x", "y"), "FAILED"),
    (MemoryError(), "FAILED"),
    (ValueError("x"), "FAILED"),
]


@pytest.mark.parametrize(("problem", "outcome"), OUTCOMES, ids=lambda value: type(value).__name__)
def test_a_run_is_closed_as_its_training_ended(
    open_log: OpenLog, runs: Runs, universe: str, problem: BaseException | None, outcome: str | None
) -> None:
    def work() -> None:
        with open_log() as log:
            log.epoch(epoch(1))
            log.settle(nothing, patience=30)
            if problem is not None:
                raise problem

    assert outcome_of(problem) == outcome
    if problem is None:
        work()
    else:
        with pytest.raises(type(problem)):
            work()
    assert statuses(runs, universe) == [outcome or "RUNNING"]


def away() -> None:
    raise RegistryUnavailable("MLflow's store is away.", "Mend it.")


def test_what_is_away_for_a_moment_is_asked_again_and_somebody_hears_of_the_waiting() -> None:
    asked: list[str] = []

    def act() -> str:
        asked.append("again")
        if len(asked) < 2:
            away()
        return "found"

    waited: list[int] = []
    assert run_log.patiently(act, lambda: waited.append(1)) == "found"
    assert len(asked) == 2
    assert waited


def test_what_is_there_is_not_waited_for_and_what_stays_away_is_told() -> None:
    assert run_log.patiently(lambda: 1, never) == 1
    with pytest.raises(RegistryUnavailable, match="store is away"):
        run_log.patiently(away, nothing, patience=0.5)


def test_who_waits_may_have_enough() -> None:
    def enough() -> None:
        raise JobCancelled("It was cancelled.", "Start it again.")

    with pytest.raises(JobCancelled):
        run_log.patiently(away, enough)
