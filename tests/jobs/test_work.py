"""A process that does jobs: every way to end reaches the table, the log and the next job."""

from __future__ import annotations

import contextlib
import errno
import gc
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from pydantic import JsonValue

from stockcast.database import Database
from stockcast.errors import DatabaseUnavailable, JobCancelled, JobSuperseded, TooShortHistory
from stockcast.forecasting.observer import Epoch
from stockcast.jobs import lease as lease_room
from stockcast.jobs.job import Job
from stockcast.jobs.job_table import JobTable
from stockcast.jobs.lease import Lease
from stockcast.jobs.process import Process
from stockcast.jobs.work import Work, disk_full, log_to, write_line

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


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_found_however_deep_it_lies(number: int) -> None:
    try:
        try:
            try:
                raise OSError(number, os.strerror(number))
            except OSError as problem:
                raise RuntimeError("it could not be saved") from problem
        except RuntimeError:
            raise ValueError("while that was dealt with")  # noqa: B904
    except ValueError as problem:
        told = disk_full(problem)
    assert told is not None
    assert told.message == "The disk is full."


def test_no_other_error_is_taken_for_a_full_disk() -> None:
    assert disk_full(None) is None
    assert disk_full(ValueError("No space left on device")) is None
    assert disk_full(PermissionError(errno.EACCES, "Permission denied")) is None


def test_a_database_that_was_away_for_a_moment_does_not_fail_the_job(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `Work.do` says of it: it is raised, the lease runs out, and the job is taken up again."""
    report = bench.table.report

    def away(*_: object) -> None:
        monkeypatch.setattr(bench.table, "report", report)
        raise DatabaseUnavailable("It is gone.", "Bring it back.")

    def work(_job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        monkeypatch.setattr(bench.table, "report", away)
        lease.note("Nobody hears this.")
        return {}

    with contextlib.suppress(DatabaseUnavailable):
        bench.do(work)
    [job] = bench.table.recent()
    assert job.state in ("running", "queued", "succeeded"), job.error


def test_what_cannot_be_tied_up_now_is_left_to_a_later_look(table: JobTable) -> None:
    def tie_up(_job: Job) -> None:
        raise DatabaseUnavailable("MLflow is gone.", "Bring it back.")

    table.submit("fetch", "tech", {})
    job = table.claim(ME)
    assert job is not None
    done = Work(table, {"fetch": lambda _job, _lease: {}}, tie_up).do(job, threading.Event(), print)
    assert (done.state, [each.id for each in table.loose()]) == ("succeeded", [job.id])


def test_a_job_that_was_cancelled_while_it_waited_is_not_begun_by_the_next_process(bench: Bench) -> None:
    def leave(job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        bench.leave.set()
        bench.table.cancel(job.id)
        lease.doing("Epoch 1 of 10", 0.1)
        raise AssertionError("it must not go on")

    left = bench.do(leave)
    assert (left.state, left.cancel_requested_at is None) == ("queued", False)
    again = bench.table.claim(ME)
    assert again is not None

    def work(_job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        for _ in range(200):
            lease.doing("Epoch 2 of 10", 0.2)
            time.sleep(0.02)
        raise AssertionError("it must not go on")

    done = Work(bench.table, {"train": work}, bench.table.tied_up).do(again, threading.Event(), print)
    assert done.state == "cancelled"


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
    assert time.monotonic() - started < 3


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


def test_epochs_that_an_earlier_attempt_wrote_down_are_not_written_again(bench: Bench) -> None:
    def first(_job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        lease.epoch(epoch(1))
        lease.epoch(epoch(2))
        bench.leave.set()
        lease.epoch(epoch(3))
        raise AssertionError("it must not go on")

    def second(_job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        for number in (2, 3):  # it goes on from a checkpoint
            lease.epoch(epoch(number, 2.5))
        return {}

    left = bench.do(first)
    again = bench.table.claim(ME)
    assert again is not None
    Work(bench.table, {"train": second}, bench.table.tied_up).do(again, threading.Event(), print)
    events = [event.payload for event in bench.table.events(left.id, kind="epoch")]
    assert [(event["number"], event["train_loss"]) for event in events] == [(1, 1.5), (2, 1.5), (3, 2.5)]


def test_a_note_is_kept_for_people_and_stands_in_the_log(bench: Bench) -> None:
    def work(_job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        lease.note("It goes on from epoch 3.")
        return {}

    done = bench.do(work)
    assert [event.payload for event in bench.table.events(done.id)] == [{"sentence": "It goes on from epoch 3."}]
    assert "It goes on from epoch 3." in bench.told


def test_a_lease_is_kept_while_the_work_says_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_room, "BEAT", 0.02)
    monkeypatch.setattr(lease_room, "RENEWAL", 0.1)
    leases: list[datetime] = []

    def work(job: Job, _lease: Lease) -> Mapping[str, JsonValue]:
        for _ in range(3):
            time.sleep(0.5)
            until = bench.table.get(job.id).lease_until
            assert until is not None
            leases.append(until)
        return {}

    assert bench.do(work).state == "succeeded"
    assert leases == sorted(set(leases))


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
    try:
        assert 0.5 <= loop(table, tmp_path, 0.5, lambda _job, _lease: {}, threading.Event()) < 10
        assert gc.get_freeze_count() > 1000, "what it has loaded is not searched for garbage any more"
    finally:
        gc.unfreeze()
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


def test_a_process_that_may_leave_goes_though_it_would_linger(table: JobTable, tmp_path: Path) -> None:
    leave = threading.Event()
    table.submit("fetch", "tech", {})
    timer = threading.Timer(1.0, leave.set)

    def work(_job: Job, _lease: Lease) -> Mapping[str, JsonValue]:
        timer.start()
        return {}

    assert loop(table, tmp_path, 60, work, leave) < 20
    timer.join()
    assert table.active() == []


def test_a_process_that_lingers_takes_what_is_asked_for_meanwhile(table: JobTable, tmp_path: Path) -> None:
    table.submit("fetch", "tech", {})
    timer = threading.Timer(1.0, lambda: table.submit("fetch", "energy", {}))
    timer.start()
    loop(table, tmp_path, 3, lambda _job, _lease: {}, threading.Event())
    timer.join()
    assert [job.state for job in table.recent()] == ["succeeded"] * 2


def test_a_process_whose_keeper_was_killed_leaves_by_itself(database: Database, tmp_path: Path) -> None:
    script = (
        "import pathlib, sys, threading\n"
        "from stockcast.database import Database\n"
        "from stockcast.jobs.job_table import JobTable\n"
        "from stockcast.jobs.work import Work\n"
        "table = JobTable(Database(sys.argv[1]))\n"
        "work = Work(table, {'fetch': lambda job, lease: {}}, table.tied_up)\n"
        "work.loop(pathlib.Path(sys.argv[2]), 600, threading.Event(), lambda text: None)\n"
    )
    keeper = (
        "import subprocess, sys, time\nprint(subprocess.Popen(sys.argv[1:]).pid, flush=True)\ntime.sleep(60)\n"
    )
    line = [sys.executable, "-c", keeper, sys.executable, "-c", script, database.url, str(tmp_path)]
    table = JobTable(database)
    job = table.submit("fetch", "tech", {})
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        give_up = time.monotonic() + 30
        while table.get(job.id).active and time.monotonic() < give_up:
            time.sleep(0.05)
        assert child.is_running(), "it lingers"
        parent.kill()
    try:
        assert table.get(job.id).state == "succeeded"
        psutil.wait_procs([child], timeout=20)
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def test_what_a_library_prints_stands_in_the_log_of_its_job(tmp_path: Path) -> None:
    """Python keeps what is printed to a file for a while; the job's log must get it before the next job begins."""
    script = (
        "import pathlib, sys\n"
        "from stockcast.jobs.work import log_to\n"
        "print('before')\n"
        "with log_to(pathlib.Path(sys.argv[1])):\n"
        "    print('a library prints')\n"
        "print('afterwards')\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    line = [sys.executable, "-c", script, str(tmp_path / "job.log")]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert (tmp_path / "job.log").read_text() == "a library prints\n"
    assert done.stdout == "before\nafterwards\n"


def test_a_log_is_let_go_of_when_its_job_fails(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    opened = len(os.listdir("/proc/self/fd"))
    with pytest.raises(ValueError, match="it failed"), log_to(tmp_path / "job.log"):
        raise ValueError("it failed")
    with pytest.raises(FileNotFoundError), log_to(tmp_path / "nowhere" / "job.log"):
        pass
    write_line("we speak")
    assert "we speak" in capfd.readouterr().out
    assert len(os.listdir("/proc/self/fd")) == opened


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
