"""A process that does jobs: every way to end reaches the table, the log and the next job."""

from __future__ import annotations

import errno
import math
import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import JsonValue

from stockcast.errors import DatabaseUnavailable, JobCancelled, JobSuperseded, TooShortHistory
from stockcast.forecasting.observer import Epoch
from stockcast.jobs import lease as lease_room
from stockcast.jobs.job import Job
from stockcast.jobs.job_table import JobTable
from stockcast.jobs.lease import Lease
from stockcast.jobs.process import Process
from stockcast.jobs.work import Work, log_to, write_line

ME = Process.current()
Do = Callable[[Job, Lease], Mapping[str, JsonValue]]


def epoch(number: int, loss: float = 1.5) -> Epoch:
    return Epoch(number, 10, loss, loss, loss, 1e-3, 0.1, datetime.now(UTC))


class Bench:
    """Does one job of which the handler is given, and keeps what was told and tied up."""

    def __init__(self, table: JobTable) -> None:
        self.table = table
        self.told: list[str] = []
        self.tied: list[str] = []
        self.leave = threading.Event()

    def do(self, handler: Do) -> Job:
        self.table.submit("train", "tech", {})
        job = self.table.claim(ME)
        assert job is not None
        work = Work(self.table, {"train": handler}, lambda job: self.tied.append(job.state))
        return work.do(job, self.leave, self.told.append)


@pytest.fixture
def bench(table: JobTable) -> Bench:
    return Bench(table)


def test_a_job_that_succeeds_keeps_its_result_and_is_tied_up(bench: Bench) -> None:
    done = bench.do(lambda job, _lease: {"version": "3", "universe": job.universe})
    assert (done.state, done.result, done.progress) == ("succeeded", {"version": "3", "universe": "tech"}, 1.0)
    assert (done.phase, done.lease_until, bench.tied) == (None, None, ["succeeded"])


def test_an_error_of_the_tree_ends_the_job_with_its_message_and_hint(bench: Bench) -> None:
    def work(_job: Job, _lease: Lease) -> Mapping[str, JsonValue]:
        raise TooShortHistory("FB has 196 sessions.", "Download a longer history.")

    done = bench.do(work)
    assert (done.state, done.error, done.hint) == ("failed", "FB has 196 sessions.", "Download a longer history.")
    assert bench.tied == ["failed"]


def test_an_error_that_nobody_foresaw_stands_in_the_log_and_not_on_the_page(bench: Bench) -> None:
    def work(_job: Job, _lease: Lease) -> Mapping[str, JsonValue]:
        raise ValueError("secret detail")

    done = bench.do(work)
    assert (done.state, done.error) == ("failed", "The job ended unexpectedly (ValueError).")
    assert any("secret detail" in line and "Traceback" in line for line in bench.told)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_full_disk_is_told_as_such(bench: Bench, wrapped: bool) -> None:
    def work(_job: Job, _lease: Lease) -> Mapping[str, JsonValue]:
        full = OSError(errno.ENOSPC, "No space left on device", "/data/x.ckpt")
        if wrapped:
            raise RuntimeError("torch could not save") from full
        raise full

    done = bench.do(work)
    assert (done.state, done.error) == ("failed", "The disk is full at /data/x.ckpt.")
    assert "Free some space" in (done.hint or "")


def test_a_cancel_is_heard_within_seconds(bench: Bench) -> None:
    def work(job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        bench.table.cancel(job.id)
        for step in range(500):
            lease.doing("Epoch 1 of 10", step / 500)
            time.sleep(0.02)
        return {}

    started = time.monotonic()
    done = bench.do(work)
    assert (done.state, bench.tied) == ("cancelled", ["cancelled"])
    assert time.monotonic() - started < 5


def test_a_process_that_is_asked_to_leave_queues_its_job_again_without_counting_it(bench: Bench) -> None:
    def work(_job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        bench.leave.set()
        lease.doing("Epoch 1 of 10", 0.1)
        raise AssertionError("it must not go on")

    left = bench.do(work)
    assert (left.state, left.attempt, left.attempts_allowed, bench.tied) == ("queued", 1, 4, [])


def test_a_job_that_another_process_took_over_is_left_to_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_room, "BEAT", 0.05)

    def work(job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        bench.table.give_back(job, "interrupted", {"attempt": 1}, counts=True)
        bench.table.claim(Process("elsewhere", 1, 1.0))
        with pytest.raises(JobSuperseded):
            lease.report("judged", {})
        time.sleep(0.5)
        lease.doing("Asking the gate", 0.9)
        raise AssertionError("it must not go on")

    found = bench.do(work)
    assert (found.state, found.host, found.attempt) == ("running", "elsewhere", 2)
    assert [event.kind for event in bench.table.events(found.id)] == ["interrupted", "attempt"]


def test_a_job_beyond_its_time_ends_as_failed(table: JobTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_room, "BEAT", 0.05)
    hasty = JobTable(table.database, time_limit=lease_room.LEASE / 100)

    def work(_job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        for _ in range(200):
            lease.doing("Epoch 1 of 10", 0.1)
            time.sleep(0.02)
        return {}

    done = Bench(hasty).do(work)
    assert (done.state, "STOCKCAST_JOB_HOURS" in (done.hint or "")) == ("failed", True)


def test_ctrl_c_cancels_a_job_of_the_foreground_and_goes_on(bench: Bench) -> None:
    def work(_job: Job, _lease: Lease) -> Mapping[str, JsonValue]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.do(work)
    [job] = bench.table.recent()
    assert job.state == "cancelled"


def test_a_kind_that_nobody_handles_fails_and_does_not_hang(table: JobTable) -> None:
    table.submit("dance", "tech", {})
    job = table.claim(ME)
    assert job is not None
    assert Work(table, {}, lambda _job: None).do(job, threading.Event(), print).state == "failed"


def test_epochs_are_written_down_once_and_without_what_json_cannot_say(bench: Bench) -> None:
    def work(_job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        for each in (epoch(1), epoch(2, math.nan), epoch(1), epoch(2), epoch(3)):
            lease.epoch(each)
        return {}

    done = bench.do(work)
    events = bench.table.events(done.id, kind="epoch")
    assert [event.payload["number"] for event in events] == [1, 2, 3]
    assert [event.payload["train_loss"] for event in events] == [1.5, None, 1.5]


def test_progress_never_goes_back_and_a_phase_is_seen_while_it_lasts(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_room, "BEAT", 0.05)
    seen: list[Job] = []

    def work(job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        lease.doing("Reading prices", 0.5)
        lease.doing("Preparing windows", 0.2)
        time.sleep(0.5)
        seen.append(bench.table.get(job.id))
        return {}

    bench.do(work)
    assert [(job.phase, job.progress) for job in seen] == [("Preparing windows", 0.5)]


def test_a_lease_gives_up_when_the_database_is_gone_for_longer_than_it(
    table: JobTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_room, "BEAT", 0.02)
    monkeypatch.setattr(lease_room, "LEASE", lease_room.LEASE / 100)
    table.submit("train", "tech", {})
    job = table.claim(ME)
    assert job is not None

    def gone(*_: object) -> Job:
        raise DatabaseUnavailable("It is gone.", "Bring it back.")

    with Lease(table, job, threading.Event(), print) as held:
        held.check()
        monkeypatch.setattr(table, "renew", gone)
        monkeypatch.setattr(table, "get", gone)
        time.sleep(0.8)
        with pytest.raises(JobSuperseded):
            held.check()


def loop(table: JobTable, logs: Path, linger: float, handler: Do, leave: threading.Event) -> float:
    started = time.monotonic()
    Work(table, {"fetch": handler}, table.tied_up).loop(logs, linger, leave, lambda _text: None)
    return time.monotonic() - started


def test_a_process_lingers_only_after_it_has_done_something(table: JobTable, tmp_path: Path) -> None:
    assert loop(table, tmp_path, 60, lambda _job, _lease: {}, threading.Event()) < 5
    jobs = [table.submit("fetch", "tech", {}) for _ in range(3)]
    assert 0.5 <= loop(table, tmp_path, 0.5, lambda _job, _lease: {}, threading.Event()) < 10
    assert {table.get(job.id).state for job in jobs} == {"succeeded"}
    assert table.loose() == []
    assert all(f"Job {job.id} is succeeded" in (tmp_path / f"{job.id}.log").read_text() for job in jobs)


def test_a_process_that_is_asked_to_leave_takes_no_further_job(table: JobTable, tmp_path: Path) -> None:
    leave = threading.Event()

    def last(_job: Job, _lease: Lease) -> Mapping[str, JsonValue]:
        leave.set()
        return {}

    first, second = (table.submit("fetch", "tech", {}) for _ in range(2))
    loop(table, tmp_path, 60, last, leave)
    assert (table.get(first.id).state, table.get(second.id).state) == ("succeeded", "queued")


def test_what_a_job_prints_stands_in_its_log_and_nowhere_else(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with log_to(tmp_path / "job.log"):
        os.write(1, b"a library speaks\n")
        os.system("echo a program speaks >&2")
        write_line("we speak")
    os.write(1, b"afterwards\n")
    log = (tmp_path / "job.log").read_text()
    assert "a library speaks\na program speaks\n" in log
    assert log.endswith(" we speak\n")
    assert capfd.readouterr() == ("afterwards\n", "")


def test_cancelling_says_how_to_begin_again(bench: Bench) -> None:
    def work(_job: Job, _lease: Lease) -> Mapping[str, JsonValue]:
        raise JobCancelled("It was cancelled.", "Start it again whenever you like.")

    assert bench.do(work).hint == "Start it again whenever you like."
