"""A job held by a process: its work never waits for the database, and hears of everything that ends it."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy
from pydantic import JsonValue
from sqlalchemy import update

from stockcast.database import Database
from stockcast.errors import (
    DatabaseUnavailable,
    JobCancelled,
    JobOverdue,
    JobPaused,
    JobSuperseded,
    TooShortHistory,
)
from stockcast.forecasting.observer import Epoch
from stockcast.jobs import lease as lease_room
from stockcast.jobs.job import EPOCH, Job
from stockcast.jobs.job_table import JobTable
from stockcast.jobs.lease import Lease
from stockcast.jobs.process import Process
from stockcast.jobs.work import Work
from stockcast.tables import jobs

ME = Process.current()
PATIENCE = 20  # seconds; the machine may be busy


def epoch(number: int) -> Epoch:
    return Epoch(number, 10, 1.5, 1.4, 1.3, 1e-3, 0.1, datetime.now(UTC))


def take(table: JobTable) -> Job:
    """A training that this process has taken."""
    if not table.active():
        table.submit("train", "tech", {})
    job = table.claim(ME)
    assert job is not None
    return job


def hold(
    table: JobTable,
    job: Job,
    leave: threading.Event | None = None,
    tell: Callable[[str], None] = print,
    under_way: Callable[[], None] = lambda: None,
) -> Lease:
    return Lease(table, job, leave or threading.Event(), tell, under_way)


def work_until_stopped(held: Lease) -> None:
    """Raises what the work is stopped with."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        held.doing("Epoch 1 of 10", 0.1)
        time.sleep(0.02)
    raise AssertionError("it was never stopped")


def wait(until: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_the_work_does_not_wait_for_a_database_that_is_locked(
    table: JobTable, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_room, "BEAT", 0.02)
    job = take(table)
    with hold(table, job) as held:
        with database.write() as connection:  # on SQLite the whole database, on PostgreSQL this row
            connection.execute(update(jobs).where(jobs.c.id == job.id).values(phase="locked"))
            time.sleep(0.2)
            started = time.monotonic()
            for step in range(1000):
                held.doing(f"Epoch {step}", step / 1000)
            took = time.monotonic() - started
        wait(lambda: table.get(job.id).phase == "Epoch 999")
        assert table.get(job.id).progress == 0.999
    assert took < 1.0


@pytest.mark.parametrize("problem", [None, ValueError("x"), KeyboardInterrupt()])
def test_nobody_keeps_a_lease_that_was_let_go(
    table: JobTable, monkeypatch: pytest.MonkeyPatch, problem: BaseException | None
) -> None:
    monkeypatch.setattr(lease_room, "BEAT", 0.02)
    monkeypatch.setattr(lease_room, "RENEWAL", 0.05)
    job = take(table)
    with contextlib.suppress(ValueError, KeyboardInterrupt), hold(table, job) as held:
        held.doing("Reading prices", 0.1)
        wait(lambda: table.get(job.id).phase == "Reading prices")
        if problem is not None:
            raise problem
    left = table.get(job.id).lease_until
    assert not [thread for thread in threading.enumerate() if thread.name == f"lease of {job.id}"]
    time.sleep(0.3)
    assert table.get(job.id).lease_until == left


def test_a_cancel_weighs_more_than_a_wish_to_leave(table: JobTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_room, "BEAT", 0.02)
    job, leave = take(table), threading.Event()
    with hold(table, job, leave) as held:
        table.cancel(job.id)
        with pytest.raises(JobCancelled):
            work_until_stopped(held)
        leave.set()
        with pytest.raises(JobCancelled):
            held.doing("Epoch 1 of 10", 0.1)
        with pytest.raises(JobCancelled):
            held.epoch(epoch(1))
    assert table.events(job.id) == []


def test_a_wish_to_leave_is_heard_at_the_next_word(table: JobTable) -> None:
    job, leave = take(table), threading.Event()
    with hold(table, job, leave) as held:
        held.doing("Epoch 1 of 10", 0.1)
        leave.set()
        for say in (lambda: held.doing("Epoch 1 of 10", 0.2), lambda: held.epoch(epoch(1)), held.check):
            with pytest.raises(JobPaused):
                say()


def test_every_attempt_has_the_whole_time_and_no_more(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine may be off between two of them."""
    monkeypatch.setattr(lease_room, "BEAT", 0.02)
    table = JobTable(database, time_limit=timedelta(seconds=1.5))
    first = take(table)
    assert table.give_back(first, "interrupted", {"attempt": 1}, counts=True)
    time.sleep(1.6)
    started = time.monotonic()
    second = take(table)
    assert first.deadline is not None
    assert second.deadline is not None
    assert second.deadline - first.deadline > timedelta(seconds=1.5)
    with hold(table, second) as held, pytest.raises(JobOverdue, match="longer than"):
        work_until_stopped(held)
    assert 1.4 < time.monotonic() - started < 5


def test_the_time_limit_follows_the_clock_of_the_database(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of this machine is two hours ahead of that of the database."""
    monkeypatch.setattr(lease_room, "BEAT", 0.02)
    behind = JobTable(
        database,
        time_limit=timedelta(hours=1),
        clock=lambda connection: Database.now(connection) - timedelta(hours=2),
    )
    with hold(behind, take(behind)) as held:
        for _ in range(20):
            held.doing("Epoch 1 of 10", 0.1)
            time.sleep(0.02)


def test_a_process_gives_way_at_its_first_new_epoch_and_not_at_those_told_again(table: JobTable) -> None:
    job = take(table)
    for number in (1, 2):
        table.report(job, EPOCH, {"number": number})
    given: list[int] = []
    told: list[str] = []
    with hold(table, job, tell=told.append, under_way=lambda: given.append(1)) as held:
        for number in (1, 2):
            held.epoch(epoch(number))
        assert (given, told) == ([], [])
        held.epoch(epoch(3))
        assert len(given) == 1
        assert [line.partition(":")[0] for line in told] == ["Epoch 3 of 10"]
    assert [event.payload["number"] for event in table.events(job.id, kind=EPOCH)] == [1, 2, 3]


def test_each_phase_is_told_once_and_the_steps_of_an_epoch_are_not(table: JobTable) -> None:
    told: list[str] = []
    with hold(table, take(table), tell=told.append) as held:
        for phase in ("Reading prices", "Reading prices", "Epoch 1 of 2", "Epoch 2 of 2", "Drawing"):
            held.doing(phase, 0.1)
    assert told == ["Reading prices", "Drawing"]


def test_progress_does_not_go_back_when_another_process_goes_on(
    table: JobTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_room, "BEAT", 0.02)
    first = take(table)
    table.renew(first, "Epoch 6 of 10", 0.6)
    table.give_back(first, "interrupted", {"attempt": 1}, counts=True)
    second = take(table)
    assert second.progress == 0.6
    with hold(table, second) as held:
        held.doing("Loading", 0.0)
        wait(lambda: table.get(second.id).phase == "Loading")
        assert table.get(second.id).progress == 0.6
        held.doing("Epoch 7 of 10", 0.7)
        wait(lambda: table.get(second.id).progress == 0.7)


def test_a_phase_of_any_length_can_be_told(table: JobTable, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a person typed may stand in it, such as the name of a model to backtest."""
    monkeypatch.setattr(lease_room, "BEAT", 0.02)
    job = take(table)
    with hold(table, job) as held:
        held.doing("Backtesting " + "x" * 1000, 0.5)
        wait(lambda: table.get(job.id).progress == 0.5)
        assert (table.get(job.id).phase or "").startswith("Backtesting xxx")


class Cable:
    """The way to PostgreSQL, which a test may cut and mend."""

    def __init__(self, host: str, port: int) -> None:
        self._behind = host, port
        self._listener: socket.socket | None = None
        self._open: list[socket.socket] = []
        self.port = 0
        self.mend()

    def mend(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes whoever accepts
            self._listener.close()
            self._listener = None
        for end in self._open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._behind)
                self._open += [near, far]
                threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    @staticmethod
    def _carry(near: socket.socket, far: socket.socket) -> None:
        with contextlib.suppress(OSError), near, far:
            while True:
                ready, _, _ = select.select([near, far], [], [])
                for end in ready:
                    data = end.recv(65536)
                    if not data:
                        return
                    (far if end is near else near).sendall(data)


@contextmanager
def far_table(url: str) -> Iterator[tuple[JobTable, Cable]]:
    """A job table on PostgreSQL at the other end of a cable."""
    parsed = sqlalchemy.make_url(url)
    cable = Cable(parsed.host or "127.0.0.1", parsed.port or 5432)
    through = parsed.set(host="127.0.0.1", port=cable.port)
    database = Database(through.render_as_string(hide_password=False))
    try:
        yield JobTable(database), cable
    finally:
        database.close()
        cable.cut()


def test_a_short_absence_of_the_database_is_not_noticed_by_the_work(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_room, "BEAT", 0.05)
    with far_table(postgres_url) as (table, cable):
        job = take(table)
        with hold(table, job) as held:
            held.doing("Reading prices", 0.0)
            wait(lambda: table.get(job.id).phase == "Reading prices")
            cable.cut()
            with pytest.raises(DatabaseUnavailable):
                table.get(job.id)
            for step in range(50):
                held.doing("Epoch 1 of 10", step / 50)
                time.sleep(0.02)
            cable.mend()
            wait(lambda: table.get(job.id).phase == "Epoch 1 of 10")
            held.check()
        assert table.end(job, "succeeded", result={})


def test_when_the_database_is_gone_for_longer_than_the_lease_the_work_stops_and_is_taken_up_again(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_room, "BEAT", 0.05)
    monkeypatch.setattr(lease_room, "LEASE", timedelta(seconds=1))
    with far_table(postgres_url) as (table, cable):
        heard: list[JobSuperseded] = []

        def work(_job: Job, lease: Lease) -> Mapping[str, JsonValue]:
            cable.cut()
            for say in (lambda: work_until_stopped(lease), lease.check):
                try:
                    say()
                except JobSuperseded as problem:
                    heard.append(problem)
            raise heard[-1]

        job = take(table)
        with pytest.raises(DatabaseUnavailable):
            Work(table, {"train": work}, table.tied_up).do(job, threading.Event(), print)
        assert len(heard) == 2, "at the next word, and again for whoever swallowed it"
        cable.mend()
        left = table.get(job.id)
        assert (left.state, left.attempt, left.error) == ("running", 1, None), "its lease runs out"


def test_an_epoch_that_ends_while_the_database_is_away_does_not_fail_the_job(postgres_url: str) -> None:
    with far_table(postgres_url) as (table, cable):

        def work(_job: Job, lease: Lease) -> Mapping[str, JsonValue]:
            lease.epoch(epoch(1))
            cable.cut()
            threading.Timer(0.5, cable.mend).start()
            try:
                lease.epoch(epoch(2))
            finally:
                wait(lambda: answers(table))
            return {}

        job = take(table)
        with contextlib.suppress(DatabaseUnavailable):
            Work(table, {"train": work}, table.tied_up).do(job, threading.Event(), print)
        found = table.get(job.id)
        assert found.state in ("running", "queued", "succeeded"), found.error


def answers(table: JobTable) -> bool:
    with contextlib.suppress(DatabaseUnavailable):
        return table.now() is not None
    return False


ODD: dict[str, JsonValue] = {
    "not a number": float("nan"),
    "infinity": float("inf"),
    "nul": "a\x00b",
    "half a letter": "caf\udce9",  # how Python reads a file name that is no UTF-8
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_what_the_database_refuses_to_keep_ends_the_job_and_is_not_tried_for_ever(
    table: JobTable, odd: JsonValue
) -> None:
    job = take(table)

    def work(_job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        lease.report("note", {"sentence": odd})
        return {}

    line = (job, threading.Event(), print)
    thread = threading.Thread(target=Work(table, {"train": work}, table.tied_up).do, args=line, daemon=True)
    thread.start()
    thread.join(timeout=5)
    found = table.get(job.id)
    table.cancel(job.id)  # or it would go on after the test
    thread.join(timeout=PATIENCE)
    assert not found.active


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_a_job_ends_whatever_its_result_or_its_error_says(table: JobTable, odd: JsonValue) -> None:
    def succeed(_job: Job, _lease: Lease) -> Mapping[str, JsonValue]:
        return {"odd": odd}

    def fail(_job: Job, _lease: Lease) -> Mapping[str, JsonValue]:
        raise TooShortHistory(f"It says {odd}.", f"Mend {odd}.")

    for handler in (succeed, fail):
        job = take(table)
        done = Work(table, {"train": handler}, table.tied_up).do(job, threading.Event(), print)
        assert not done.active
