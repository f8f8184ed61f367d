"""The sweep: whatever became of a job's process, the job is queued again or reaches one end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import psutil
import pytest
from sqlalchemy import update

from stockcast.database import Database
from stockcast.jobs.job import TRAIN, Job
from stockcast.jobs.job_table import ATTEMPTS, LEASE, JobTable
from stockcast.jobs.process import Process, this_host
from stockcast.jobs.sweep import GRACE, sweep
from stockcast.tables import jobs

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
ELSEWHERE = Process("another-machine", 1, 1.0)
GONE = Process(this_host(), 2**22 + 1, 1.0)  # beyond the highest number that Linux gives out
Take = Callable[..., Job]


@pytest.fixture
def clock() -> SimpleNamespace:
    """The database's time, which a test may set."""
    return SimpleNamespace(now=NOON)


@pytest.fixture
def table(database: Database, clock: SimpleNamespace) -> JobTable:
    return JobTable(database, clock=lambda _connection: clock.now)


def take(table: JobTable, process: Process) -> Job:
    """A training that the process has taken."""
    if not table.active():
        table.submit(TRAIN, "tech", {})
    job = table.claim(process)
    assert job is not None
    return job


@contextmanager
def sleeper() -> Iterator[tuple[subprocess.Popen[bytes], Process]]:
    """A process of this machine that waits."""
    line = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            yield process, Process(this_host(), process.pid, psutil.Process(process.pid).create_time())
        finally:
            process.kill()


def test_a_job_whose_process_lives_is_left_alone(table: JobTable) -> None:
    with sleeper() as (_, process):
        job = take(table, process)
        assert sweep(table) == []
        assert table.get(job.id) == job


def test_a_killed_process_gives_its_job_back_at_once(table: JobTable) -> None:
    with sleeper() as (running, process):
        job = take(table, process)
        running.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOWAIT)  # dead, but not yet waited for
        [swept] = sweep(table)
    assert (swept.id, swept.state, swept.attempt, swept.resuming) == (job.id, "queued", 1, True)
    [event] = table.events(job.id)
    assert event.payload == {"attempt": 1, "reason": "its process was killed"}
    assert sweep(table) == []


def test_a_job_of_another_machine_is_waited_for_until_its_lease_ends(
    table: JobTable, clock: SimpleNamespace
) -> None:
    job = take(table, ELSEWHERE)
    clock.now = NOON + LEASE - timedelta(seconds=1)
    assert sweep(table) == []
    table.renew(job, "Epoch 1", 0.1)
    clock.now = NOON + LEASE + timedelta(seconds=1)
    assert sweep(table) == [], "it was renewed"
    clock.now = NOON + 3 * LEASE
    [swept] = sweep(table)
    assert swept.state == "queued"
    assert "another-machine" in str(table.events(job.id)[0].payload["reason"])


def test_a_process_that_stands_still_beyond_its_lease_is_killed_and_superseded(
    table: JobTable, clock: SimpleNamespace
) -> None:
    with sleeper() as (running, process):
        job = take(table, process)
        running.send_signal(signal.SIGSTOP)
        assert sweep(table) == []
        clock.now = NOON + LEASE + timedelta(seconds=1)
        [swept] = sweep(table)
        assert running.wait(timeout=10) == -signal.SIGKILL
    assert (swept.id, swept.state) == (job.id, "queued")
    assert not table.end(job, "succeeded", result={}), "what it would still write touches no row"


def test_a_job_that_always_dies_fails_after_three_attempts_and_others_proceed(
    table: JobTable, clock: SimpleNamespace
) -> None:
    job = take(table, GONE)
    clock.now += timedelta(seconds=1)
    other = table.submit(TRAIN, "energy", {})
    for attempt in range(1, ATTEMPTS + 1):
        assert table.get(job.id).attempt == attempt
        [swept] = sweep(table)
        if attempt < ATTEMPTS:
            assert swept.state == "queued"
            assert take(table, GONE).id == job.id, "it was asked for first"
    assert (swept.state, swept.error) == ("failed", "It gave up after 3 attempts: its process was killed.")
    assert f"jobs retry {job.id}" in (swept.hint or "")
    assert take(table, GONE).id == other.id


def test_a_foreground_job_whose_process_is_gone_is_interrupted_for_good(table: JobTable) -> None:
    table.submit(TRAIN, "tech", {}, taken_by=GONE)
    [swept] = sweep(table)
    assert (swept.state, swept.active) == ("interrupted", False)
    assert table.submit(TRAIN, "tech", {}).active, "the universe is free again"


def test_a_cancelled_job_that_does_not_stop_is_killed_after_its_grace(
    table: JobTable, clock: SimpleNamespace
) -> None:
    with sleeper() as (running, process):
        job = take(table, process)
        table.cancel(job.id)
        clock.now = NOON + GRACE - timedelta(seconds=1)
        assert sweep(table) == []
        clock.now = NOON + GRACE + timedelta(seconds=1)
        [swept] = sweep(table)
        assert running.wait(timeout=10) == -signal.SIGKILL
    assert swept.state == "cancelled"
    assert timedelta(seconds=25) > GRACE, "cancelled within 25 seconds"


def test_a_job_that_was_to_be_cancelled_and_lost_its_process_is_cancelled_at_once(table: JobTable) -> None:
    job = take(table, GONE)
    table.cancel(job.id)
    [swept] = sweep(table)
    assert (swept.id, swept.state, swept.attempt, swept.active) == (job.id, "cancelled", 1, False)
    assert table.submit(TRAIN, "tech", {}).active, "the universe is free again"


def test_a_cancel_on_another_machine_waits_for_its_lease(table: JobTable, clock: SimpleNamespace) -> None:
    job = take(table, ELSEWHERE)
    table.cancel(job.id)
    clock.now = NOON + GRACE + timedelta(seconds=1)
    assert sweep(table) == [], "nobody here can tell how it is there"
    clock.now = NOON + LEASE + timedelta(seconds=1)
    [swept] = sweep(table)
    assert swept.state == "cancelled"


def test_a_job_whose_process_is_unknown_is_queued_again(table: JobTable, database: Database) -> None:
    job = take(table, GONE)
    with database.write() as connection:  # as a version before this one has left it
        connection.execute(update(jobs).values(host=None, pid=None, pid_started=None))
    [swept] = sweep(table)
    assert (swept.id, swept.state) == (job.id, "queued")


def test_two_sweeps_at_once_put_a_job_right_once(table: JobTable) -> None:
    job = take(table, GONE)
    barrier = threading.Barrier(8)

    def look(_number: int) -> list[Job]:
        barrier.wait()
        return sweep(table)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(look, range(8)))
    assert [len(swept) for swept in found].count(1) == 1
    assert sum(map(len, found)) == 1
    assert [event.kind for event in table.events(job.id)] == ["interrupted"]
    assert table.get(job.id).attempts_allowed == ATTEMPTS


def test_a_process_that_went_on_in_time_is_not_swept_by_what_was_seen_before(
    table: JobTable, clock: SimpleNamespace
) -> None:
    job = take(table, ELSEWHERE)
    clock.now = NOON + LEASE + timedelta(seconds=1)
    sweep(table)
    second = take(table, Process("a-third-machine", 1, 1.0))
    assert second.attempt == job.attempt + 1
    assert not table.give_back(job, "interrupted", {}, counts=True), "a slow sweep comes too late"
    assert table.get(job.id) == second


def test_a_job_beyond_its_deadline_fails(database: Database, clock: SimpleNamespace) -> None:
    table = JobTable(database, clock=lambda _connection: clock.now, time_limit=timedelta(seconds=5))
    with sleeper() as (running, process):
        take(table, process)
        clock.now = NOON + timedelta(seconds=5) + GRACE - timedelta(seconds=1)
        assert sweep(table) == []
        clock.now += timedelta(seconds=2)
        [swept] = sweep(table)
        assert running.wait(timeout=10) == -signal.SIGKILL
    assert (swept.state, swept.error) == ("failed", "It took longer than a job may take.")


def test_ended_and_queued_jobs_are_no_business_of_the_sweep(table: JobTable, clock: SimpleNamespace) -> None:
    job = take(table, ELSEWHERE)
    table.end(job, "succeeded", result={})
    table.submit(TRAIN, "tech", {})
    clock.now = NOON + timedelta(days=9)
    assert sweep(table) == []


def test_a_machine_that_was_off_for_longer_than_a_job_may_take_goes_on_with_it(
    table: JobTable, clock: SimpleNamespace
) -> None:
    job = take(table, GONE)
    clock.now = NOON + timedelta(days=3)
    [swept] = sweep(table)
    assert (swept.id, swept.state) == (job.id, "queued"), swept.error
    assert take(table, GONE).deadline == clock.now + table.time_limit


def test_a_machine_that_slept_for_longer_than_a_job_may_take_goes_on_with_it(
    table: JobTable, clock: SimpleNamespace
) -> None:
    with sleeper() as (running, process):
        job = take(table, process)
        running.send_signal(signal.SIGSTOP)
        clock.now = NOON + timedelta(days=3)
        [swept] = sweep(table)
    assert (swept.id, swept.state) == (job.id, "queued"), swept.error
