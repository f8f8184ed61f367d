"""Jobs in parts: whoever is free does them, once each, and the job's own process helps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest
from pydantic import JsonValue
from sqlalchemy import update

from stockcast.errors import JobCancelled, JobError, JobSuperseded, TooShortHistory
from stockcast.jobs.job import Job
from stockcast.jobs.job_table import JobTable
from stockcast.jobs.lease import Lease
from stockcast.jobs.part_table import Part, PartTable
from stockcast.jobs.parts import Parts
from stockcast.jobs.process import Process
from stockcast.jobs.work import Work
from stockcast.tables import jobs

ME = Process.current()
Do = Callable[[Job, Lease], Mapping[str, JsonValue]]
PIECES = [Part("piece", {"number": number}) for number in range(1, 7)]


def piece(job: Job, _lease: Lease) -> Mapping[str, JsonValue]:
    return {"square": int(str(job.request["number"])) ** 2}


class Bench:
    """Does jobs of two kinds in this process: wholes, which give six pieces away, and pieces."""

    def __init__(self, table: JobTable, do_piece: Do = piece) -> None:
        self.table, self.parts = table, PartTable(table)
        self.leave = threading.Event()
        self.work = Work(table, {"whole": self.whole, "piece": do_piece}, self.tie_up)
        self.begun: list[str] = []  # ids of pieces, as often as they were begun
        self.woken = 0
        self.before_gathering: Callable[[], None] = lambda: None

    def whole(self, job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        parts = Parts(self.parts, job, lease, self.wake, lambda part: self.help(part, lease))
        parts.give_away(PIECES)
        self.before_gathering()
        squares: list[JsonValue] = [(part.result or {})["square"] for part in parts.gather("Squaring")]
        return {"squares": squares}

    def wake(self) -> None:
        self.woken += 1

    def help(self, part: Job, lease: Lease) -> None:
        self.begun.append(part.id)
        self.work.help(part, lease)

    def tie_up(self, job: Job) -> None:
        self.table.tied_up(job)

    def submit(self) -> Job:
        return self.table.submit("whole", "tech", {})

    def do(self, job: Job) -> Job:
        taken = self.table.claim(ME, job.id)
        assert taken is not None
        return self.work.do(taken, self.leave, lambda _line: None)

    def do_others(self, stop: threading.Event) -> None:
        """Somebody else, who takes whatever is queued."""
        while not stop.is_set():
            taken = self.table.claim(ME)
            if taken is None:
                time.sleep(0.01)
                continue
            self.begun.append(taken.id)
            self.work.do(taken, self.leave, lambda _line: None)


SQUARES = [1, 4, 9, 16, 25, 36]


def test_a_process_alone_does_all_parts_of_its_job(table: JobTable) -> None:
    bench = Bench(table)
    done = bench.do(bench.submit())
    assert (done.state, done.result) == ("succeeded", {"squares": SQUARES})
    assert bench.begun == [part.id for part in bench.parts.of(done.id)]
    assert bench.woken == 1
    assert all(part.parent == done.id and part.universe == "tech" for part in bench.parts.of(done.id))
    assert [job.id for job in table.recent()] == [done.id], "the parts stand in no list of jobs"


def test_whoever_is_free_helps_and_every_part_is_done_once(table: JobTable) -> None:
    def slow(job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        time.sleep(0.1)
        return piece(job, lease)

    bench, stop = Bench(table, slow), threading.Event()
    job = bench.submit()
    other = threading.Thread(target=bench.do_others, args=(stop,))
    bench.before_gathering = other.start
    done = bench.do(job)
    stop.set()
    other.join()
    assert done.result == {"squares": SQUARES}
    assert sorted(bench.begun) == sorted(part.id for part in bench.parts.of(done.id))


def test_others_take_parts_in_the_order_in_which_they_were_given_away(table: JobTable) -> None:
    job = table.claim(ME, table.submit("whole", "tech", {}).id)
    assert job is not None
    PartTable(table).add(job, PIECES)
    taken = [part.request["number"] for part in iter(lambda: table.claim(ME), None)]
    assert taken == [part.request["number"] for part in PIECES]


def test_a_part_that_fails_ends_the_job_with_its_words_and_no_other_is_begun(table: JobTable) -> None:
    def fails(job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        if job.request["number"] == 3:
            raise TooShortHistory("FB has 196 sessions.", "Download a longer history.")
        return piece(job, lease)

    bench = Bench(table, fails)
    done = bench.do(bench.submit())
    assert (done.state, done.error, done.hint) == ("failed", "FB has 196 sessions.", "Download a longer history.")
    states = [part.state for part in bench.parts.of(done.id)]
    assert states == ["succeeded"] * 2 + ["failed"] + ["cancelled"] * 3
    assert [job.state for job in table.active()] == []


def test_a_job_that_is_tried_again_goes_on_with_the_parts_that_are_missing(table: JobTable) -> None:
    broken = threading.Event()
    broken.set()

    def fails(job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        if job.request["number"] == 3 and broken.is_set():
            raise TooShortHistory("FB has 196 sessions.", "Download a longer history.")
        return piece(job, lease)

    bench = Bench(table, fails)
    job = bench.do(bench.submit())
    before = list(bench.begun)
    broken.clear()
    done = bench.do(table.retry(job.id))
    assert done.result == {"squares": SQUARES}
    assert len(bench.begun) - len(before) == 4, "the failed one and the three that were not begun"


def test_a_job_that_lost_its_process_finds_its_parts_again(table: JobTable) -> None:
    bench = Bench(table)
    job = table.claim(ME, bench.submit().id)
    assert job is not None
    first = bench.parts.add(job, PIECES)
    taken = table.claim(ME, first[0].id)
    assert taken is not None
    bench.work.do(taken, bench.leave, lambda _line: None)
    assert table.give_back(job, "interrupted", {}, counts=True)
    done = bench.do(job)
    assert done.result == {"squares": SQUARES}
    assert [part.id for part in bench.parts.of(done.id)] == [part.id for part in first]
    assert first[0].id not in bench.begun, "it was done before"


def test_cancelling_a_job_ends_its_parts_also_those_under_way(table: JobTable) -> None:
    def patient(_job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        for _ in range(400):
            lease.doing("Waiting", 0.5)
            time.sleep(0.05)
        return {"square": 0}

    bench = Bench(table, patient)
    job = bench.submit()
    cancel = threading.Timer(0.5, table.cancel, args=(job.id,))
    cancel.start()
    done = bench.do(job)
    cancel.join()
    assert done.state == "cancelled"
    assert [part.state for part in bench.parts.of(done.id)] == ["cancelled"] * 6


def test_parts_that_hear_of_a_cancel_first_do_not_end_their_job_otherwise(table: JobTable) -> None:
    job = table.claim(ME, table.submit("whole", "tech", {}).id)
    assert job is not None
    lease = Lease(
        table, job, threading.Event(), lambda _line: None
    )  # its thread, which would hear of it, is not begun
    parts = Parts(PartTable(table), job, lease, lambda: None, lambda _part: None)
    parts.give_away(PIECES)
    table.cancel(job.id)
    for tolerant in (False, True):
        with pytest.raises(JobCancelled):
            parts.gather("Squaring", tolerant=tolerant)


def test_a_process_that_is_asked_to_leave_gives_job_and_part_back(table: JobTable) -> None:
    bench = Bench(table)

    def leaves(_job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        bench.leave.set()
        lease.check()
        raise AssertionError

    bench.work.handlers = {**bench.work.handlers, "piece": leaves}
    left = bench.do(bench.submit())
    assert left.state == "queued"
    assert {part.state for part in bench.parts.of(left.id)} == {"queued"}
    bench.leave.clear()
    bench.work.handlers = {**bench.work.handlers, "piece": piece}
    assert bench.do(left).result == {"squares": SQUARES}


def test_what_a_part_has_made_is_kept_until_nobody_asks_for_it(table: JobTable) -> None:
    parts = PartTable(table)
    job = table.claim(ME, table.submit("whole", "tech", {}).id)
    assert job is not None
    part = table.claim(ME, parts.add(job, PIECES)[0].id)
    assert part is not None
    parts.keep(part, b"first")
    parts.keep(part, bytes(range(256)) * 5000)
    assert parts.content(part) == bytes(range(256)) * 5000
    table.end(part, "succeeded", result={})
    parts.forget_old()
    assert parts.content(part)
    with table.database.write() as connection:
        long_ago = table.now() - timedelta(days=2)
        connection.execute(update(jobs).where(jobs.c.id == part.id).values(finished_at=long_ago))
    parts.forget_old()
    with pytest.raises(JobError, match="not kept any more"):
        parts.content(part)


def test_a_process_that_lost_a_part_can_keep_nothing_for_it(table: JobTable) -> None:
    parts = PartTable(table)
    job = table.claim(ME, table.submit("whole", "tech", {}).id)
    assert job is not None
    part = table.claim(ME, parts.add(job, PIECES)[0].id)
    assert part is not None
    table.give_back(part, "interrupted", {}, counts=True)
    with pytest.raises(JobSuperseded):
        parts.keep(part, b"late")
    table.give_back(job, "interrupted", {}, counts=True)
    with pytest.raises(JobSuperseded):
        parts.add(job, PIECES)
