"""MLflow over HTTP: a real server that is stopped and started again, and one that never answers."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mlflow_process import PATIENCE, MlflowServer

from stockcast.errors import JobCancelled, RegistryUnavailable
from stockcast.forecasting.observer import Epoch
from stockcast.registry import run_log
from stockcast.registry.run_log import RunLog
from stockcast.registry.runs import Runs
from stockcast.registry.tracking_server import TrackingServer

BEGAN = datetime(2024, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MlflowServer]:
    made = MlflowServer(tmp_path)
    yield made
    made.kill()


def epoch(number: int) -> Epoch:
    return Epoch(number, 30, 2 / number, 1 / number, 1 / number, 2e-3, 0.5, BEGAN + timedelta(seconds=number))


def tell(log: RunLog, first: int, last: int) -> None:
    """An epoch takes its time, and telling it takes none."""
    for number in range(first, last + 1):
        started = time.monotonic()
        log.epoch(epoch(number))
        assert time.monotonic() - started < 0.2, "the training waited for MLflow"
        time.sleep(0.02)


def test_a_server_that_is_down_twice_misses_nothing_and_holds_up_nobody(
    server: MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_log, "SPACING", 0.1)
    monkeypatch.setattr(run_log, "LONGEST_PAUSE", 1.0)
    runs = Runs(TrackingServer(server.uri, None))
    with RunLog(runs, "outage", "LSTM AAPL", {"a": 1}, {"tickers": "AAPL"}, job="j1", inputs="x") as log:
        tell(log, 1, 10)
        server.start()
        server.wait()
        first = log.settle(lambda: None, patience=PATIENCE)
        tell(log, 11, 20)
        server.kill()
        tell(log, 21, 30)
        with pytest.raises(RegistryUnavailable):
            runs.recent("outage")
        server.start()
        server.wait()
        assert log.settle(lambda: None, patience=PATIENCE) == first
    with RunLog(runs, "outage", "LSTM AAPL", {"a": 1}, {"tickers": "AAPL"}, job="j1", inputs="x") as again:
        tell(again, 1, 30)  # another attempt of the same job
        assert again.settle(lambda: None, patience=PATIENCE) == first
    for curve in ("train_loss", "validation_loss", "learning_rate", "epoch_seconds"):
        assert [step for step, _ in runs.curve(first, curve)] == list(range(1, 31))
    assert [found.run_id for found in runs.recent("outage")] == [first]


@pytest.fixture
def silent() -> Iterator[TrackingServer]:
    """A server that takes every call and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield TrackingServer(f"http://127.0.0.1:{listener.getsockname()[1]}", None)


def test_a_server_that_never_answers_holds_up_neither_an_epoch_nor_the_end(silent: TrackingServer) -> None:
    def work() -> None:
        with RunLog(Runs(silent), "silent", "LSTM AAPL", {}, {}) as log:
            tell(log, 1, 20)
            time.sleep(1.0)  # until it waits for an answer
            raise JobCancelled("It was cancelled.", "Start it again.")

    silent.load()
    started = time.monotonic()
    with pytest.raises(JobCancelled):
        work()
    assert time.monotonic() - started < 5


def test_the_patience_with_a_server_that_never_answers_ends(silent: TrackingServer) -> None:
    silent.load()
    started = time.monotonic()
    with RunLog(Runs(silent), "silent", "LSTM AAPL", {}, {}) as log:
        log.epoch(epoch(1))
        with pytest.raises(RegistryUnavailable, match="did not answer in time"):
            log.settle(lambda: None, patience=1.0)
    assert time.monotonic() - started < 6
