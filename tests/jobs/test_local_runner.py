"""The local runner: whatever happens to a job's process, the job reaches one final state."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import JsonValue

from stockcast.database import Database
from stockcast.errors import HomeNotWritable, TooShortHistory
from stockcast.jobs.job_table import TRAIN, Job, JobTable
from stockcast.jobs.local_runner import LocalRunner, run_job

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def table(database: Database) -> JobTable:
    return JobTable(database)


@pytest.fixture
def runner(table: JobTable, tmp_path: Path) -> LocalRunner:
    return LocalRunner(table, tmp_path / "jobs", {"STOCKCAST_HOME": str(tmp_path)})


@contextmanager
def process_that_names(job: Job) -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits, and whose command names the job as a worker's does."""
    wait = "import sys; print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", wait, "worker", "--job", job.id]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def run(table: JobTable, job: Job, work: object) -> bool:
    return run_job(table, job.id, {TRAIN: work}, lambda: LATER)  # type: ignore[dict-item]


def test_a_job_that_succeeds_keeps_its_result(table: JobTable) -> None:
    job = table.submit(TRAIN, "tech", {"tickers": ["AAPL"]}, NOW)
    states = []

    def work(given: Job) -> Mapping[str, JsonValue]:
        states.append(table.get(given.id))
        return {"version": "3", "of": list(given.request["tickers"])}  # type: ignore[arg-type]

    assert run(table, job, work)
    assert (states[0].state, states[0].pid, states[0].started_at) == ("running", os.getpid(), LATER)
    done = table.get(job.id)
    assert (done.state, done.result, done.progress) == ("succeeded", {"version": "3", "of": ["AAPL"]}, 1.0)
    assert done.finished_at == LATER


def test_an_error_of_the_tree_ends_the_job_with_its_message_and_hint(table: JobTable) -> None:
    job = table.submit(TRAIN, "tech", {}, NOW)

    def work(_job: Job) -> Mapping[str, JsonValue]:
        raise TooShortHistory("FB has 196 sessions.", "Download a longer history.")

    assert not run(table, job, work)
    done = table.get(job.id)
    assert (done.state, done.error, done.hint) == ("failed", "FB has 196 sessions.", "Download a longer history.")


@pytest.mark.parametrize(
    "problem", [ValueError("secret detail"), KeyboardInterrupt(), SystemExit(1), MemoryError()]
)
def test_any_other_end_fails_the_job_and_is_raised_for_the_log(table: JobTable, problem: BaseException) -> None:
    job = table.submit(TRAIN, "tech", {}, NOW)

    def work(_job: Job) -> Mapping[str, JsonValue]:
        raise problem

    with pytest.raises(type(problem)):
        run(table, job, work)
    done = table.get(job.id)
    assert (done.state, done.finished_at) == ("failed", LATER)
    assert done.error == f"The job ended unexpectedly ({type(problem).__name__})."
    assert "log file" in (done.hint or "")


def test_a_kind_that_nobody_handles_fails_and_does_not_hang(table: JobTable) -> None:
    job = table.submit("dance", "tech", {}, NOW)
    with pytest.raises(KeyError):
        run_job(table, job.id, {}, lambda: LATER)
    assert table.get(job.id).state == "failed"


def test_a_job_that_another_process_took_is_not_done_twice(table: JobTable) -> None:
    job = table.submit(TRAIN, "tech", {}, NOW)
    table.start(job.id, 1, NOW)

    def work(_job: Job) -> Mapping[str, JsonValue]:
        raise AssertionError("it must not run")

    assert not run(table, job, work)
    assert table.get(job.id).state == "running"


def test_a_job_cancelled_while_it_ran_stays_cancelled(table: JobTable) -> None:
    job = table.submit(TRAIN, "tech", {}, NOW)

    def work(given: Job) -> Mapping[str, JsonValue]:
        table.fail(given.id, "Cancelled.", "", NOW, state="cancelled")
        return {}

    assert not run(table, job, work)
    assert table.get(job.id).state == "cancelled"


@pytest.mark.parametrize("started", [False, True], ids=["queued", "running"])
def test_a_killed_process_leaves_an_interrupted_job(table: JobTable, runner: LocalRunner, started: bool) -> None:
    job = table.submit(TRAIN, "tech", {}, NOW)
    with process_that_names(job) as process:
        (table.start if started else table.launched)(job.id, process.pid, *([NOW] if started else []))
        runner.sweep(NOW)
        assert table.get(job.id).active, "its process is alive"
        process.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, but not yet waited for
        runner.sweep(LATER)
    done = table.get(job.id)
    assert (done.state, done.finished_at) == ("interrupted", LATER)
    assert done.error
    assert done.hint
    assert table.submit(TRAIN, "tech", {}, LATER).active, "the universe is free again"


def test_a_process_that_is_long_gone_leaves_an_interrupted_job(table: JobTable, runner: LocalRunner) -> None:
    job = table.submit(TRAIN, "tech", {}, NOW)
    with process_that_names(job) as process:
        table.start(job.id, process.pid, NOW)
    runner.sweep(LATER)
    assert table.get(job.id).state == "interrupted"


def test_another_process_under_the_same_number_is_not_taken_for_the_job(
    table: JobTable, runner: LocalRunner
) -> None:
    job = table.submit(TRAIN, "tech", {}, NOW)
    other = table.submit(TRAIN, "energy", {}, NOW)
    with process_that_names(other) as process:
        table.start(job.id, process.pid, NOW)
        table.start(other.id, process.pid, NOW)
        runner.sweep(LATER)
    assert table.get(job.id).state == "interrupted"
    assert table.get(other.id).state == "running"


def test_a_job_done_in_this_very_process_is_alive(table: JobTable, runner: LocalRunner) -> None:
    job = table.submit(TRAIN, "tech", {}, NOW)
    table.start(job.id, os.getpid(), NOW)
    runner.sweep(LATER)
    assert table.get(job.id).state == "running"


def test_a_job_whose_process_was_never_started_does_not_block_its_universe(
    table: JobTable, runner: LocalRunner
) -> None:
    job = table.submit(TRAIN, "tech", {}, NOW)
    runner.sweep(NOW + timedelta(seconds=5))
    assert table.get(job.id).state == "queued", "its process may be about to start"
    runner.sweep(NOW + timedelta(minutes=2))
    assert table.get(job.id).state == "interrupted"


def test_a_job_that_cannot_be_launched_fails_at_once(table: JobTable, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    job = table.submit(TRAIN, "tech", {}, NOW)
    with pytest.raises(HomeNotWritable):
        LocalRunner(table, tmp_path / "file" / "jobs", {}).launch(job)
    done = table.get(job.id)
    assert done.state == "failed"
    assert "could not be started" in (done.error or "")


def test_ended_jobs_are_left_alone_by_the_sweep(table: JobTable, runner: LocalRunner) -> None:
    job = table.submit(TRAIN, "tech", {}, NOW)
    table.start(job.id, 2**22 + 1, NOW)
    table.succeed(job.id, {}, NOW)
    runner.sweep(LATER)
    assert table.get(job.id).state == "succeeded"


@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")  # as it should be
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_launched_job_runs_in_a_process_of_its_own_and_writes_its_log(
    table: JobTable, runner: LocalRunner, tmp_path: Path
) -> None:
    job = table.submit(TRAIN, "tech", {"tickers": ["AAPL"]}, datetime.now(UTC))
    runner.launch(job)
    pid = table.get(job.id).pid
    assert pid is not None
    assert os.getsid(pid) == pid, "it outlives the terminal of the server"
    os.waitpid(pid, 0)
    done = table.get(job.id)
    assert done.state == "failed", runner.log_file(job.id).read_text()
    assert "AAPL" in (done.error or ""), "nothing is stored in this home"
    assert done.pid == pid
    assert runner.log_file(job.id).parent == tmp_path / "jobs"
