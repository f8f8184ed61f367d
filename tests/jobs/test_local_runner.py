"""Waking a worker: one for each home, which outlives whoever asked for it and leaves when nothing is left."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import filelock
import psutil
import pytest
from home_workers import kill_workers, workers_of
from pydantic import JsonValue

from stockcast.errors import HomeNotWritable
from stockcast.jobs.job import Job
from stockcast.jobs.local_runner import LocalRunner
from stockcast.settings import Settings
from stockcast.workspace import Workspace

# Nothing is stored in a fresh home, so that a backtest is over as soon as it begins.
REQUEST: dict[str, JsonValue] = {"model": "naive", "start": "2012-01-02", "end": "2012-02-01"}
PATIENCE = 60  # seconds; the machine may be busy


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A fresh home over SQLite; what still works for it at the end is killed."""
    opened = Workspace(Settings(home=tmp_path / "home", worker_linger=0))
    yield opened
    kill_workers(opened.settings.home)
    opened.database.close()


def wait_for_end(workspace: Workspace, job: Job) -> Job:
    give_up = time.monotonic() + PATIENCE
    while job.active:
        assert time.monotonic() < give_up, job
        time.sleep(0.02)
        job = workspace.jobs.get(job.id)
    return job


def wait_until_all_have_left(home: Path) -> None:
    psutil.wait_procs(workers_of(home), timeout=PATIENCE)
    assert workers_of(home) == [], "they leave when nothing is left to do"


def wake_at_once(runner: LocalRunner, count: int) -> None:
    barrier = threading.Barrier(count)

    def wake() -> None:
        barrier.wait()
        runner.wake()

    threads = [threading.Thread(target=wake) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_job_for_which_nothing_is_stored_fails_with_words_on_the_page_and_in_its_log(
    workspace: Workspace,
) -> None:
    job = workspace.jobs.submit("backtest", "tech", REQUEST)
    runner = workspace.desk.runner
    runner.wake()
    found = workers_of(workspace.settings.home)
    assert found
    assert all(os.getsid(process.pid) == process.pid for process in found), "it outlives the server's terminal"
    done = wait_for_end(workspace, job)
    assert (done.state, "No prices are stored yet" in (done.error or ""), bool(done.hint)) == (
        "failed",
        True,
        True,
    )
    assert "No prices are stored yet" in runner.log_file(job.id).read_text()
    wait_until_all_have_left(workspace.settings.home)
    assert f"{job.id}: failed" in (runner.logs / "worker.log").read_text()
    assert "Traceback" not in (runner.logs / "worker.log").read_text()


def test_five_wakes_at_once_leave_one_worker_that_does_each_job_once(workspace: Workspace) -> None:
    jobs = [workspace.jobs.submit("backtest", universe, REQUEST) for universe in ("tech", "energy")]
    runner = workspace.desk.runner
    wake_at_once(runner, 5)
    done = [wait_for_end(workspace, job) for job in jobs]
    assert [(job.state, job.attempt) for job in done] == [("failed", 1)] * 2
    assert len({job.pid for job in done}) == 1, "those who came too late started no process"
    wait_until_all_have_left(workspace.settings.home)
    log = (runner.logs / "worker.log").read_text()
    assert [len(re.findall(f"{job.id}: backtest .*, attempt", log)) for job in jobs] == [1, 1]
    with filelock.FileLock(runner.lock, timeout=0):
        pass


def test_while_a_worker_holds_the_lock_nobody_is_started(tmp_path: Path) -> None:
    runner = LocalRunner(tmp_path, {"STOCKCAST_HOME": str(tmp_path)}, 0)
    with filelock.FileLock(runner.lock):
        wake_at_once(runner, 3)
        assert workers_of(tmp_path) == []
    assert not (tmp_path / "worker.log").exists()


def test_a_worker_that_ended_is_no_zombie_of_the_server(workspace: Workspace) -> None:
    me = psutil.Process()
    before = {child.pid for child in me.children()}
    started: list[psutil.Process] = []
    give_up = time.monotonic() + PATIENCE
    while not started and time.monotonic() < give_up:
        workspace.desk.runner.wake()
        started = [child for child in me.children() if child.pid not in before]
    assert len(started) == 1
    _, left = psutil.wait_procs(started, timeout=PATIENCE)
    assert left == [], "it has nothing to do"
    give_up = time.monotonic() + 10
    while any(child.pid not in before for child in me.children()):
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_a_folder_that_cannot_be_written_is_told_and_nobody_is_started(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    runner = LocalRunner(tmp_path / "taken" / "logs", {"STOCKCAST_HOME": str(tmp_path)}, 0)
    with pytest.raises(HomeNotWritable):
        runner.wake()
    assert workers_of(tmp_path) == []
