"""Which queued jobs are rung for, and when again."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from stockcast.database import Database
from stockcast.jobs.bells import SELDOM, SOON, not_rung, patience, to_ring
from stockcast.jobs.job import INTERRUPTED, Job
from stockcast.jobs.job_table import JobTable
from stockcast.jobs.process import Process

THEN = datetime(2024, 1, 2, 12, tzinfo=UTC)
WORKER = Process("here", 1, 1.0)


class Clock:
    def __init__(self) -> None:
        self.now = THEN

    def __call__(self, _connection: object) -> datetime:
        return self.now


def rung(table: JobTable) -> list[str]:
    return [job.id for job in to_ring(table)]


def test_a_queued_job_is_rung_for_by_one_and_again_after_as_long_as_it_has_waited(database: Database) -> None:
    clock = Clock()
    table = JobTable(database, clock=clock)
    first, second = (table.submit("backtest", "tech", {}) for _ in range(2))
    assert sorted(rung(table)) == sorted([first.id, second.id])
    assert rung(table) == []
    moments = []
    for _ in range(3600):
        clock.now += timedelta(seconds=1)
        if rung(table):
            moments.append((clock.now - THEN).total_seconds())
    assert moments[:6] == [5, 10, 20, 40, 80, 160]
    assert {later - earlier for earlier, later in itertools.pairwise(moments[7:])} == {SELDOM.total_seconds()}


def test_whoever_comes_while_another_rings_takes_the_next_job(database: Database) -> None:
    table = JobTable(database, clock=Clock())
    jobs = {table.submit("backtest", "tech", {}).id for _ in range(4)}
    mine, yours = to_ring(table), to_ring(table)
    heard = [next(mine).id, next(yours).id, *(job.id for job in mine), *(job.id for job in yours)]
    assert len(heard) == 4
    assert set(heard) == jobs


def test_a_job_that_is_done_or_has_ended_is_not_rung_for(database: Database) -> None:
    table = JobTable(database, clock=Clock())
    running, cancelled = (table.submit("backtest", "tech", {}) for _ in range(2))
    assert table.claim(WORKER, running.id) is not None
    table.cancel(cancelled.id)
    assert rung(table) == []


def test_a_job_that_was_given_back_or_not_rung_or_tried_again_is_due_at_once(database: Database) -> None:
    table = JobTable(database, clock=Clock())
    job = table.submit("backtest", "tech", {})
    assert rung(table) == [job.id]
    not_rung(table, job)
    assert rung(table) == [job.id]
    taken = table.claim(WORKER, job.id)
    assert taken is not None
    table.give_back(taken, INTERRUPTED, {}, counts=True)
    assert rung(table) == [job.id]
    taken = table.claim(WORKER, job.id)
    assert taken is not None
    table.end(taken, "failed", error="It broke.", hint="Mend it.")
    table.retry(job.id)
    assert rung(table) == [job.id]


def test_a_name_claims_its_own_job_and_no_other(database: Database) -> None:
    table = JobTable(database)
    first, second = (table.submit("backtest", "tech", {}) for _ in range(2))
    taken = table.claim(WORKER, second.id)
    assert taken is not None
    assert taken.id == second.id
    assert table.claim(WORKER, second.id) is None
    assert table.claim(WORKER, "no such job") is None
    assert table.get(first.id).state == "queued"


@given(st.timedeltas(timedelta(0), timedelta(days=400)))
def test_patience_stays_within_its_bounds(waited: timedelta) -> None:
    job = replace(_JOB, rung_at=THEN + waited)
    assert SOON <= patience(job) <= SELDOM


_JOB = Job(
    id="job", kind="train", universe="tech", state="queued", request={}, created_at=THEN, started_at=None,
    finished_at=None, pid=None, progress=0.0, result=None, error=None, hint=None, key=None, attempt=0,
    attempts_allowed=3, lease_until=None, deadline=None, cancel_requested_at=None, host=None, pid_started=None,
    phase=None, loose_ends=False, rung_at=None, parent=None,
)  # fmt: skip
