"""Jobs from the terminal: trainings that outlive the command, workers, and what programs read of them."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from home_workers import kill_workers

Run = Callable[..., Any]
QUICK = ("--set", "training.max_epochs=2", "--set", "network.hidden_size=8", "--set", "training.accelerator=cpu")
LONG = ("--set", "training.max_epochs=1000", "--set", "training.patience=200")
STOCKCAST = [sys.executable, "-m", "stockcast"]


@pytest.fixture
def sample(stockcast: Run) -> Iterator[Run]:
    """Commands over a home with the bundled sample; what still works for it at the end is killed."""
    assert stockcast("prices", "sample").code == 0
    yield stockcast
    kill_workers(os.environ["STOCKCAST_HOME"])


def jobs(run: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("jobs", "list", "--json").out)
    return found


def lstm_runs(run: Run) -> list[dict[str, Any]]:
    return [each for each in json.loads(run("runs", "list", "--json").out) if each["name"].startswith("LSTM")]


def states(run: Run, universe: str) -> list[str]:
    return [job["state"] for job in jobs(run) if job["universe"] == universe]


def wait_for(what: Callable[[], object], seconds: float = 60) -> object:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError("it did not happen in time")


def test_a_training_is_a_job_that_the_command_follows_to_its_result(sample: Run) -> None:
    answer = json.loads(sample("train", "--ticker", "AAPL", *QUICK, "--json").out)
    assert answer["model"]["kind"] == "lstm"
    assert answer["reasons"]
    [job] = jobs(sample)
    assert {"id", "kind", "state", "attempt", "pid", "progress"} <= job.keys()
    assert (job["kind"], job["state"], job["attempt"], job["progress"]) == ("train", "succeeded", 1, 1.0)
    assert job["pid"] != os.getpid(), "a process of its own did it"
    shown = json.loads(sample("jobs", "show", job["id"], "--json").out)
    epochs = [event["payload"] for event in shown["events"] if event["kind"] == "epoch"]
    assert [epoch["number"] for epoch in epochs] == [1, 2]
    assert {"train_loss", "validation_loss", "best_validation_loss", "learning_rate", "seconds"} <= epochs[
        0
    ].keys()
    assert "Epoch 2 of 2" in Path(os.environ["STOCKCAST_HOME"], "jobs", f"{job['id']}.log").read_text()


def test_a_detached_training_waits_for_a_worker_and_ends_without_the_command(sample: Run) -> None:
    queued = json.loads(sample("train", "--ticker", "IBM", *QUICK, "--detach", "--json").out)
    assert queued["state"] == "queued"
    again = sample("train", "--ticker", "IBM", *QUICK, "--detach")
    assert (again.code, queued["id"] in again.err) == (7, True), "one active training per universe"
    subprocess.run([*STOCKCAST, "worker", "--until-idle"], check=True, timeout=240, capture_output=True)
    [job] = jobs(sample)
    assert (job["id"], job["state"]) == (queued["id"], "succeeded")


def test_a_foreground_training_is_a_job_of_this_very_process(sample: Run) -> None:
    answer = json.loads(sample("train", "--ticker", "AAPL", *QUICK, "--foreground", "--json").out)
    [job] = jobs(sample)
    assert (job["pid"], job["state"], job["attempts_allowed"]) == (os.getpid(), "succeeded", 1)
    assert job["result"]["run_id"] == answer["run_id"]


def test_a_running_training_can_be_cancelled_and_its_run_is_closed_as_killed(sample: Run) -> None:
    job = json.loads(sample("train", "--ticker", "AAPL", *LONG, "--detach", "--json").out)
    wait_for(lambda: json.loads(sample("jobs", "show", job["id"], "--json").out)["events"])
    # Long enough for its run to be open.
    wait_for(
        lambda: any(run["name"].startswith("LSTM") for run in json.loads(sample("runs", "list", "--json").out))
    )
    started = time.monotonic()
    cancelled = json.loads(sample("jobs", "cancel", job["id"], "--json").out)
    assert cancelled["state"] == "cancelled"
    assert time.monotonic() - started < 25
    [run] = lstm_runs(sample)
    assert run["status"] == "KILLED"
    assert all(model["kind"] != "lstm" for model in json.loads(sample("models", "list", "--json").out))


class Terminal:
    """A terminal that is read all the time: a command that nobody reads stands still when its line is full."""

    def __init__(self) -> None:
        self._master, self.slave = pty.openpty()
        self.said = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # nobody holds the other end any more
            while heard := os.read(self._master, 4096):
                self.said += heard.decode(errors="replace")

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def close(self) -> None:
        os.close(self.slave)
        self._reader.join(timeout=20)
        os.close(self._master)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    opened = Terminal()
    yield opened
    opened.close()


@pytest.mark.parametrize(("answer", "state", "code"), [("d", "running", 0), ("c", "cancelled", 130)])
def test_ctrl_c_asks_whether_to_detach_or_to_cancel(
    sample: Run, terminal: Terminal, answer: str, state: str, code: int
) -> None:
    assert sample("universes", "create", answer).code == 0
    line = [*STOCKCAST, "train", "--universe", answer, "--ticker", "AAPL", *LONG]
    ends = {"stdin": terminal.slave, "stdout": terminal.slave, "stderr": terminal.slave}
    with subprocess.Popen(line, **ends, start_new_session=True) as process:
        try:
            wait_for(lambda: states(sample, answer) == ["running"])
            wait_for(lambda: "%" in terminal.said)  # it follows
            process.send_signal(signal.SIGINT)
            wait_for(lambda: "cancel it (c)?" in terminal.said)
            terminal.type(f"{answer}\n")
            assert process.wait(timeout=40) == code
        finally:
            process.kill()
    assert states(sample, answer) == [state]


def test_a_failed_job_can_be_tried_again(sample: Run) -> None:
    job = json.loads(sample("train", "--ticker", "AAPL", *LONG, "--detach", "--json").out)
    assert json.loads(sample("jobs", "cancel", job["id"], "--json").out)["state"] == "cancelled"
    assert json.loads(sample("jobs", "retry", job["id"], "--json").out)["state"] in ("queued", "running")
    assert json.loads(sample("jobs", "cancel", job["id"], "--json").out)["state"] == "cancelled"


def test_what_a_version_was_worth_since_it_was_judged(sample: Run) -> None:
    line = ("train", "--ticker", "IBM", "--until", "2011-12-30", *QUICK, "--foreground", "--json")
    assert sample(*line).code == 0
    answer = json.loads(sample("evaluate", "--ticker", "IBM", "--model", "lstm", "--json").out)
    assert answer["scorecard"]["first_session"] > "2011-12-30"
    assert answer["scorecard"]["count"] > 200
    job = json.loads(sample("evaluate", "--ticker", "IBM", "--model", "lstm", "--background", "--json").out)
    ended = json.loads(sample("jobs", "follow", job["id"], "--json").out)
    assert (ended["kind"], ended["result"]["scorecard"]) == ("evaluate", answer["scorecard"])


def test_a_backtest_can_be_done_in_the_background(sample: Run) -> None:
    line = ("backtest", "--ticker", "IBM", "--start", "2012-06-01", "--end", "2012-08-31", "--model", "naive")
    here = json.loads(sample(*line, "--json").out)
    job = json.loads(sample(*line, "--background", "--json").out)
    ended = json.loads(sample("jobs", "follow", job["id"], "--json").out)
    assert ended["result"]["scorecard"] == here["scorecard"]
    assert ended["result"]["diagnosis"] == here["diagnosis"]
    assert sample(*line, "--background", "--out", "x.csv").code == 2
    assert sample(*line, "--background", "--report", "x.html").code == 2


@pytest.mark.parametrize("verb", ["cancel", "retry", "follow", "show"])
def test_an_unknown_job_is_told(stockcast: Run, verb: str) -> None:
    outcome = stockcast("jobs", verb, "nope")
    assert (outcome.code, "jobs list" in outcome.err) == (7, True)


@pytest.mark.parametrize(
    ("broker", "options", "words"),
    [
        ("", (), "No broker is set"),
        ("redis://127.0.0.1:1", ("--queues", "train,slow"), "There is no queue 'slow'"),
        ("redis://127.0.0.1:1", ("--until-idle",), "cannot tell when a broker has nothing more to say"),
        ("http://127.0.0.1:1", (), "STOCKCAST_BROKER_URL is not usable"),
    ],
)
def test_a_worker_that_cannot_listen_as_asked_says_so(
    stockcast: Run, monkeypatch: pytest.MonkeyPatch, broker: str, options: tuple[str, ...], words: str
) -> None:
    monkeypatch.setenv("STOCKCAST_BROKER_URL", broker)
    done = stockcast("worker", "--celery", *options)
    assert done.code != 0
    assert words in done.err.replace("\n", " ")
