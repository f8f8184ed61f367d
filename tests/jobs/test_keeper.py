"""The keeper: it starts processes for what is queued, and starts them again when they die."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import filelock
import pytest

from stockcast.jobs import keeper as keeper_room
from stockcast.jobs.job import Job
from stockcast.jobs.job_table import JobTable
from stockcast.jobs.keeper import Keeper

# A process that does jobs, without the seconds that a training takes to load.
SCRIPT = """
import pathlib, signal, sys, threading, time
from stockcast.database import Database
from stockcast.jobs.job_table import JobTable
from stockcast.jobs.work import Work

def sleep(job, lease):
    give_up = time.monotonic() + float(job.request["seconds"])
    while time.monotonic() < give_up:
        lease.doing("Sleeping", 0.5)
        time.sleep(0.05)
    return {"attempt": job.attempt}

leave = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: leave.set())
table = JobTable(Database(sys.argv[1]))
Work(table, {"sleep": sleep}, table.tied_up).loop(pathlib.Path(sys.argv[2]), 0.5, leave, print)
table.database.close()
"""


# What a keeper does with its processes does not depend on the database; those without this mark run on both.
WHATEVER_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def keep(table: JobTable, tmp_path: Path) -> Callable[..., Keeper]:
    """A keeper over a script: keep(most=1, script=...)."""

    def make(most: int = 1, script: str = SCRIPT, chores: Callable[[], bool] = lambda: False) -> Keeper:
        line = [sys.executable, "-c", script, table.database.url, str(tmp_path)]
        return Keeper(
            table, line, os.environ, tmp_path / "worker.lock", most=most, chores=chores, tell=lambda _text: None
        )

    return make


@contextmanager
def running(keeper: Keeper, until_idle: bool = False) -> Iterator[threading.Thread]:
    leave = threading.Event()
    thread = threading.Thread(target=keeper.run, args=(leave, until_idle))
    thread.start()
    try:
        yield thread
    finally:
        leave.set()
        thread.join(timeout=40)
        assert not thread.is_alive()


def wait(table: JobTable, job: Job, until: Callable[[Job], bool]) -> Job:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        job = table.get(job.id)
        if until(job):
            return job
        time.sleep(0.02)
    raise AssertionError(job)


def is_free(lock: Path) -> bool:
    try:
        with filelock.FileLock(lock, timeout=0):
            return True
    except filelock.Timeout:
        return False


def test_it_does_what_is_queued_and_leaves_when_nothing_is_left(
    table: JobTable, keep: Callable[..., Keeper], tmp_path: Path
) -> None:
    jobs = [table.submit("sleep", "tech", {"seconds": 0.1}) for _ in range(3)]
    keep().run(threading.Event(), until_idle=True)
    assert [table.get(job.id).state for job in jobs] == ["succeeded"] * 3
    assert is_free(tmp_path / "worker.lock")
    assert len({table.get(job.id).pid for job in jobs}) == 1, "a warm process does them all"


def test_a_job_that_was_asked_for_as_it_was_leaving_is_done_before_it_leaves(
    table: JobTable, keep: Callable[..., Keeper], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asked for it saw the lock held, and started no other worker."""
    keeper, jobs = keep(), []
    serve = keeper._serve

    def serve_and_be_asked(leave: threading.Event, until_idle: bool) -> None:
        serve(leave, until_idle)
        if not jobs:
            jobs.append(table.submit("sleep", "tech", {"seconds": 0.1}))

    monkeypatch.setattr(keeper, "_serve", serve_and_be_asked)
    keeper.run(threading.Event(), until_idle=True)
    assert [table.get(job.id).state for job in jobs] == ["succeeded"]


def test_a_killed_process_is_followed_by_another_that_goes_on(
    table: JobTable, keep: Callable[..., Keeper]
) -> None:
    job = table.submit("sleep", "tech", {"seconds": 1.5})
    with running(keep()):
        first = wait(table, job, lambda job: job.state == "running")
        assert first.pid is not None
        os.kill(first.pid, signal.SIGKILL)
        done = wait(table, job, lambda job: not job.active)
    assert (done.state, done.result, done.pid != first.pid) == ("succeeded", {"attempt": 2}, True)


@WHATEVER_DATABASE
def test_it_keeps_to_the_number_of_processes_that_is_allowed(table: JobTable, keep: Callable[..., Keeper]) -> None:
    jobs = [table.submit("sleep", "tech", {"seconds": 1.0}) for _ in range(4)]
    most = 0
    with running(keep(most=2)):
        while table.active():
            most = max(most, sum(job.state == "running" for job in table.active()))
            time.sleep(0.05)
    assert most == 2
    assert len({table.get(job.id).pid for job in jobs}) == 2


@WHATEVER_DATABASE
def test_a_second_keeper_of_a_home_waits_for_the_first(table: JobTable, keep: Callable[..., Keeper]) -> None:
    job = table.submit("sleep", "tech", {"seconds": 1.0})
    with running(keep()):
        wait(table, job, lambda job: job.state == "running")
        second = keep(script="raise SystemExit('it must not be started')")
        second.run(threading.Event(), until_idle=True)  # until the first has nothing left to do
        assert table.get(job.id).state == "succeeded"


@WHATEVER_DATABASE
def test_a_keeper_that_is_asked_to_leave_queues_what_it_had_begun(
    table: JobTable, keep: Callable[..., Keeper], tmp_path: Path
) -> None:
    job = table.submit("sleep", "tech", {"seconds": 60})
    with running(keep()):
        begun = wait(table, job, lambda job: job.state == "running")
    left = table.get(job.id)
    assert (left.state, left.attempt) == ("queued", 1)
    assert begun.process is not None
    assert not begun.process.alive()
    assert is_free(tmp_path / "worker.lock")


@WHATEVER_DATABASE
def test_a_keeper_that_waited_takes_over_when_the_first_is_gone(
    table: JobTable, keep: Callable[..., Keeper]
) -> None:
    job = table.submit("sleep", "tech", {"seconds": 1.0})
    with ExitStack() as stack:
        with running(keep()):
            begun = wait(table, job, lambda job: job.state == "running")
            stack.enter_context(running(keep()))
        done = wait(table, job, lambda job: not job.active)
    assert (done.state, done.attempt, done.attempts_allowed) == ("succeeded", 2, begun.attempts_allowed + 1)
    assert done.pid != begun.pid


@WHATEVER_DATABASE
def test_a_process_that_does_not_leave_when_asked_is_killed_and_its_job_queued(
    table: JobTable, keep: Callable[..., Keeper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper_room, "GRACE", timedelta(seconds=1))
    deaf = SCRIPT.replace("lambda *_: leave.set()", "signal.SIG_IGN")
    assert deaf != SCRIPT
    job = table.submit("sleep", "tech", {"seconds": 60})
    with running(keep(script=deaf)):
        begun = wait(table, job, lambda job: job.phase == "Sleeping")
    left = table.get(job.id)
    assert (left.state, left.attempts_allowed) == ("queued", begun.attempts_allowed), "this one counts"
    assert begun.process is not None
    assert not begun.process.alive()


@WHATEVER_DATABASE
def test_a_job_that_kills_whoever_takes_it_fails_in_the_end_and_the_next_one_is_done(
    table: JobTable, keep: Callable[..., Keeper]
) -> None:
    dies = '    "die" in job.request and os.kill(os.getpid(), 9)\n    give_up ='
    deadly = SCRIPT.replace("    give_up =", dies, 1).replace("import pathlib,", "import os, pathlib,")
    bad = table.submit("sleep", "tech", {"die": True, "seconds": 0})
    good = table.submit("sleep", "energy", {"seconds": 0.1})
    keep(script=deadly).run(threading.Event(), until_idle=True)
    found, done = table.get(bad.id), table.get(good.id)
    assert (found.state, found.attempt) == ("failed", 3)
    assert found.error == "It gave up after 3 attempts: its process was killed."
    assert (done.state, done.attempt) == ("succeeded", 1)


@WHATEVER_DATABASE
def test_a_process_that_cannot_begin_is_started_ever_more_seldom(
    table: JobTable, keep: Callable[..., Keeper], tmp_path: Path
) -> None:
    table.submit("sleep", "tech", {"seconds": 1})
    starts = tmp_path / "starts"
    with running(keep(script=f"open({str(starts)!r}, 'a').write('x'); raise SystemExit(1)")):
        time.sleep(4)
        give_up = time.monotonic() + 30
        while not (starts.exists() and len(starts.read_text()) > 1):  # the machine may be busy
            assert time.monotonic() < give_up
            time.sleep(0.05)
    assert len(starts.read_text()) <= 5


@WHATEVER_DATABASE
def test_chores_start_a_process_though_nothing_is_queued(
    table: JobTable, keep: Callable[..., Keeper], tmp_path: Path
) -> None:
    done = tmp_path / "done"
    script = f"open({str(done)!r}, 'a').write('x')"
    with running(keep(script=script, chores=lambda: not done.exists())):
        deadline = time.monotonic() + 20
        while not done.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
    assert done.exists()
