"""The job table on both databases: one training per universe, states that only move forward, fenced attempts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import at_once
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from stockcast import tables
from stockcast.database import Database
from stockcast.errors import JobSuperseded, TrainingActive, UnknownJob
from stockcast.jobs.job import ACTIVE, TRAIN, Job
from stockcast.jobs.job_table import ATTEMPTS, LEASE, JobTable
from stockcast.jobs.process import Process

ME = Process.current()


def all_at_once(table: JobTable, count: int, work: Callable[[JobTable, int], object]) -> list[object]:
    """What `count` processes return that begin `work` on the same database at the same moment."""
    url = table.database.url

    def run(number: int) -> object:
        own = JobTable(Database(url))
        found = work(own, number)
        own.database.close()
        return found

    return at_once.all_at_once(count, run)


def taken(table: JobTable, kind: str = TRAIN, universe: str = "tech") -> Job:
    """A job that this process has taken."""
    table.submit(kind, universe, {})
    job = table.claim(ME)
    assert job is not None
    return job


def test_a_submitted_job_is_queued_as_it_was_asked_for(table: JobTable) -> None:
    request: dict[str, JsonValue] = {"tickers": ["AAPL", "MSFT"], "until": None}
    job = table.submit(TRAIN, "tech", request)
    assert table.get(job.id) == job
    assert (job.kind, job.universe, job.state, job.active) == (TRAIN, "tech", "queued", True)
    assert (job.request, job.progress, job.attempt, job.attempts_allowed) == (request, 0.0, 0, ATTEMPTS)
    assert (job.started_at, job.finished_at, job.process, job.result, job.error, job.lease_until) == (None,) * 6
    assert abs(datetime.now(UTC) - job.created_at) < timedelta(minutes=1)
    assert not job.resuming


def test_a_job_has_the_columns_of_its_table() -> None:
    assert {field.name for field in fields(Job)} == {column.name for column in tables.jobs.columns}


def test_an_unknown_job_is_told_apart_and_cut_short(table: JobTable) -> None:
    with pytest.raises(UnknownJob, match="no job 'abc'") as refused:
        table.get("abc")
    assert "stockcast jobs list" in refused.value.hint
    with pytest.raises(UnknownJob) as refused:
        table.get("x" * 10_000)
    assert len(refused.value.message) < 100


def test_a_second_training_of_a_universe_is_refused_with_the_id_of_the_first(table: JobTable) -> None:
    first = table.submit(TRAIN, "tech", {})
    for state in ACTIVE:
        assert table.get(first.id).state == state
        with pytest.raises(TrainingActive, match=f"tech is active already .job {first.id}") as refused:
            table.submit(TRAIN, "tech", {})
        assert refused.value.job_id == first.id
        assert f"jobs cancel {first.id}" in refused.value.hint
        table.claim(ME)
    assert table.submit(TRAIN, "energy", {}).active
    assert table.submit("fetch", "tech", {}).active
    assert len(table.recent(universe="tech", kind=TRAIN)) == 1


def test_the_database_itself_refuses_a_second_active_training(table: JobTable, database: Database) -> None:
    job = table.submit(TRAIN, "tech", {})
    with database.read() as connection:
        row = dict(connection.execute(select(tables.jobs)).one()._mapping)
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(insert(tables.jobs).values(row | {"id": "other"}))
    with database.write() as connection:
        connection.execute(insert(tables.jobs).values(row | {"id": "other", "kind": "backtest"}))
        connection.execute(insert(tables.jobs).values(row | {"id": "ended", "state": "failed"}))
    assert [each.id for each in table.active(TRAIN)] == [job.id]


@pytest.mark.parametrize("end", ["succeeded", "failed", "cancelled", "interrupted"])
def test_once_a_training_has_ended_the_next_may_begin(table: JobTable, end: str) -> None:
    first = taken(table)
    assert table.end(first, end, error="Why.", hint="How.")  # type: ignore[arg-type]
    assert table.get(first.id).state == end
    assert table.submit(TRAIN, "tech", {}).id != first.id


def test_fifty_submits_at_once_make_one_job_and_fifty_answers_with_its_id(table: JobTable) -> None:
    def ask(own: JobTable, _number: int) -> object:
        found = []
        for _ in range(5):
            try:
                found.append(own.submit(TRAIN, "tech", {}).id)
            except TrainingActive as problem:
                found.append(problem.job_id)
        return found

    answers = all_at_once(table, 10, ask)
    [job] = table.recent()
    assert [each for answer in answers for each in answer] == [job.id] * 50  # type: ignore[attr-defined]


def test_fifty_threads_of_one_server_get_fifty_answers_with_the_same_id(table: JobTable) -> None:
    barrier = threading.Barrier(50)

    def ask(number: int) -> str:
        barrier.wait()
        try:
            return table.submit(TRAIN, "tech", {"number": number}).id
        except TrainingActive as problem:
            return problem.job_id

    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(ask, range(50)))
    [job] = table.recent()
    assert answers == [job.id] * 50


def test_a_key_is_found_before_the_training_that_is_active(table: JobTable) -> None:
    keyed = table.submit(TRAIN, "tech", {}, key="night 1")
    table.cancel(keyed.id)
    rival = table.submit(TRAIN, "tech", {})
    assert table.submit(TRAIN, "tech", {}, key="night 1").state == "cancelled", "asked for once is once"
    with pytest.raises(TrainingActive) as refused:
        table.submit(TRAIN, "tech", {}, key="night 2")
    assert refused.value.job_id == rival.id
    assert table.by_key("night 2") is None, "it may be asked for again later"


def test_the_same_key_asks_for_the_same_job_however_often(table: JobTable) -> None:
    answers = all_at_once(table, 8, lambda own, _number: own.submit(TRAIN, "tech", {}, key="night 1").id)
    [job] = table.recent()
    assert answers == [job.id] * 8
    table.cancel(job.id)
    assert table.submit(TRAIN, "tech", {}, key="night 1").id == job.id, "also when it has ended"
    assert table.by_key("night 1") == table.get(job.id)
    assert table.by_key("night 2") is None


def test_of_eight_workers_exactly_one_takes_a_job(table: JobTable) -> None:
    job = table.submit(TRAIN, "tech", {})
    found = all_at_once(
        table, 8, lambda own, number: (won := own.claim(Process("h", number + 1, 1.0))) and (won.id, number + 1)
    )
    [(won, pid)] = [answer for answer in found if answer is not None]  # type: ignore[misc]
    claimed = table.get(job.id)
    assert (won, claimed.pid, claimed.state, claimed.attempt) == (job.id, pid, "running", 1)


def test_jobs_are_taken_in_the_order_of_asking(table: JobTable) -> None:
    asked = [table.submit("fetch", "tech", {"number": number}).id for number in range(4)]
    found = [table.claim(ME) for _ in range(5)]
    assert [job.id for job in found if job] == asked
    assert found[-1] is None


def test_a_taken_job_knows_its_process_its_lease_and_its_deadline(table: JobTable) -> None:
    job = taken(table)
    assert (job.state, job.process, job.attempt) == ("running", ME, 1)
    assert job.lease_until is not None
    assert job.started_at is not None
    assert job.deadline == job.started_at + table.time_limit
    assert timedelta(seconds=25) < job.lease_until - datetime.now(UTC) <= LEASE


def test_a_job_may_be_taken_as_it_is_asked_for(table: JobTable) -> None:
    job = table.submit(TRAIN, "tech", {}, taken_by=ME)
    assert (job.state, job.process, job.attempt, job.attempts_allowed) == ("running", ME, 1, 1)
    assert table.claim(ME) is None


def test_what_an_attempt_without_its_lease_writes_touches_no_row(table: JobTable) -> None:
    first = taken(table)
    assert table.give_back(first, "interrupted", {"attempt": 1}, counts=True)
    second = table.claim(ME)
    assert second is not None
    before = table.get(first.id), table.events(first.id)
    with pytest.raises(JobSuperseded):
        table.report(first, "epoch", {"number": 1})
    with pytest.raises(JobSuperseded):
        table.renew(first, "Epoch 1", 0.5)
    assert not table.end(first, "succeeded", result={})
    assert not table.give_back(first, "interrupted", {}, counts=True)
    assert (table.get(first.id), table.events(first.id)) == before
    table.report(second, "epoch", {"number": 1})
    assert table.renew(second, "Epoch 1", 0.5).progress == 0.5
    assert table.end(second, "succeeded", result={"version": 3})
    assert not table.end(second, "failed", error="Why.", hint="How."), "it ends once"
    done = table.get(first.id)
    assert (done.state, done.result, done.progress, done.loose_ends) == ("succeeded", {"version": 3}, 1.0, True)
    table.tied_up(done)
    assert table.loose() == []


def test_an_attempt_that_has_ended_or_was_given_back_may_write_no_more(table: JobTable) -> None:
    job = taken(table)
    assert table.give_back(job, "interrupted", {"attempt": 1}, counts=True)
    queued = table.get(job.id), table.events(job.id)
    with pytest.raises(JobSuperseded, match=f"Attempt 1 of job {job.id}"):
        table.report(job, "epoch", {"number": 1})
    with pytest.raises(JobSuperseded):
        table.renew(job, "Epoch 1", 0.5)
    assert not table.end(job, "failed", error="Why.", hint="How.")
    assert (table.get(job.id), table.events(job.id)) == queued
    again = table.claim(ME)
    assert again is not None
    assert table.end(again, "failed", error="Why.", hint="How.")
    ended = table.get(job.id)
    with pytest.raises(JobSuperseded):
        table.renew(again, "Epoch 2", 0.9)
    table.retry(job.id)
    assert not table.end(again, "succeeded", result={}), "nor once somebody has asked for it anew"
    assert (ended.state, table.get(job.id).state) == ("failed", "queued")


def test_events_of_many_processes_are_numbered_without_gaps_and_none_is_lost(table: JobTable) -> None:
    job = taken(table)
    other = taken(table, universe="energy")

    def report(own: JobTable, number: int) -> object:
        for step in range(10):
            own.report(job, "epoch", {"by": number, "step": step})
        return "done"

    assert all_at_once(table, 8, report) == ["done"] * 8
    events = table.events(job.id)
    assert [event.number for event in events] == list(range(1, 81))
    for number in range(8):
        assert [event.payload["step"] for event in events if event.payload["by"] == number] == list(range(10))
    assert table.events(other.id) == []


def test_a_page_asks_only_for_the_events_it_has_not_seen(table: JobTable) -> None:
    job = taken(table)
    for number in range(1, 6):
        table.report(job, "epoch" if number % 2 else "note", {"number": number})
    seen = table.events(job.id, after=3)
    assert [(event.number, event.kind) for event in seen] == [(4, "note"), (5, "epoch")]
    assert [event.number for event in table.events(job.id, kind="epoch")] == [1, 3, 5]
    assert all(event.at.tzinfo is not None for event in seen)


def test_a_queued_job_is_cancelled_at_once_and_a_running_one_is_asked(table: JobTable) -> None:
    queued = table.submit(TRAIN, "tech", {})
    cancelled = table.cancel(queued.id)
    assert (cancelled.state, cancelled.active) == ("cancelled", False)
    assert cancelled.error
    running = taken(table)
    asked = table.cancel(running.id)
    assert (asked.state, asked.cancel_requested_at is not None) == ("running", True)
    assert table.cancel(running.id) == asked, "asking twice changes nothing"
    table.end(running, "succeeded", result={})
    assert table.cancel(running.id).state == "succeeded"
    with pytest.raises(UnknownJob):
        table.cancel("nope")


def test_a_job_that_ended_badly_may_be_tried_again(table: JobTable) -> None:
    job = taken(table)
    assert table.retry(job.id).state == "running", "it is active already"
    table.end(job, "failed", error="Why.", hint="How.")
    again = table.retry(job.id)
    assert (again.state, again.attempt, again.attempts_allowed) == ("queued", 1, 1 + ATTEMPTS)
    assert (again.error, again.hint, again.finished_at, again.deadline, again.loose_ends) == (None,) * 4 + (False,)
    assert again.resuming
    table.cancel(job.id)
    rival = table.submit(TRAIN, "tech", {})
    with pytest.raises(TrainingActive) as refused:
        table.retry(job.id)
    assert refused.value.job_id == rival.id


def test_a_job_given_back_counts_as_a_failure_or_not(table: JobTable) -> None:
    job = taken(table)
    table.give_back(job, "interrupted", {"attempt": 1, "reason": "killed"}, counts=True)
    assert (table.get(job.id).state, table.get(job.id).attempts_allowed) == ("queued", ATTEMPTS)
    again = table.claim(ME)
    assert again is not None
    table.give_back(again, "interrupted", {"attempt": 2}, counts=False)
    assert table.get(job.id).attempts_allowed == ATTEMPTS + 1
    assert [event.kind for event in table.events(job.id)] == ["interrupted", "attempt", "interrupted"]


# From each state, what each verb leads to; a verb that is not listed changes nothing.
MOVES = {
    ("queued", "claim"): "running",
    ("running", "succeed"): "succeeded",
    ("running", "fail"): "failed",
    ("running", "stop"): "cancelled",
    ("running", "interrupt"): "interrupted",
    ("running", "give back"): "queued",
    ("queued", "cancel"): "cancelled",
    ("failed", "retry"): "queued",
    ("cancelled", "retry"): "queued",
    ("interrupted", "retry"): "queued",
}


@pytest.fixture(scope="module")
def shared_table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobTable]:
    table = JobTable(Database(f"sqlite:///{tmp_path_factory.mktemp('jobs') / 'stockcast.db'}"))
    yield table
    table.database.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(verbs=st.lists(st.sampled_from(sorted({verb for _, verb in MOVES})), max_size=8))
def test_states_move_only_as_allowed(shared_table: JobTable, verbs: list[str]) -> None:
    table = shared_table
    for left in table.active():
        table.cancel(left.id)
        table.end(left, "cancelled")
    job, state = table.submit("other", "tech", {}), "queued"
    for verb in verbs:
        held = table.get(job.id)
        if verb == "claim":
            table.claim(ME)
        elif verb == "succeed":
            table.end(held, "succeeded", result={})
        elif verb == "fail":
            table.end(held, "failed", error="Why.", hint="How.")
        elif verb == "stop":
            table.end(held, "cancelled", error="Why.", hint="How.")
        elif verb == "interrupt":
            table.end(held, "interrupted", error="Why.", hint="How.")
        elif verb == "give back":
            table.give_back(held, "interrupted", {}, counts=True)
        elif verb == "cancel":  # a running one is only asked
            table.cancel(job.id)
        elif verb == "retry":
            table.retry(job.id)
        state = MOVES.get((state, verb), state)
        found = table.get(job.id)
        assert found.state == state, verb
        assert (found.finished_at is None) == found.active
        assert (found.error is not None) == (state in ("failed", "cancelled", "interrupted"))
        assert (found.lease_until is not None) == (state == "running")
        assert held.attempt <= found.attempt <= held.attempt + (verb == "claim")
        assert found.started_at is None or found.started_at >= found.created_at


def test_recent_jobs_come_newest_first_and_can_be_chosen(table: JobTable) -> None:
    for number in range(5):
        table.submit("train" if number % 2 else "fetch", f"u{number}", {"number": number})
    found = table.recent()
    assert [job.request["number"] for job in found] == [4, 3, 2, 1, 0]
    assert all(later.created_at >= earlier.created_at for later, earlier in pairwise(found))
    assert [job.universe for job in table.recent(kind="train", limit=1)] == ["u3"]
    assert [job.universe for job in table.recent(universe="u0")] == ["u0"]
    assert table.recent(state="running") == []


def test_active_and_loose_jobs_are_told_apart(table: JobTable) -> None:
    ended = taken(table)
    table.end(ended, "failed", error="Why.", hint="How.")
    running = taken(table)
    queued = table.submit("fetch", "tech", {})
    assert [job.id for job in table.active()] == [running.id, queued.id]
    assert [job.id for job in table.active("fetch")] == [queued.id]
    assert [job.id for job in table.loose()] == [ended.id]
    assert {job.id for job in table.recent(state="running")} == {running.id}
    assert {job.id for job in table.recent("tech", "train", state="failed")} == {ended.id}
    table.tied_up(running)
    table.tied_up(ended)
    assert table.loose() == []
    table.end(running, "succeeded", result={})
    assert [job.id for job in table.loose()] == [running.id], "tying up what still ran said nothing"


def test_nothing_of_a_job_that_never_ran_is_loose(table: JobTable) -> None:
    table.cancel(table.submit(TRAIN, "tech", {}).id)
    assert table.loose() == []


def moments(job: Job) -> list[datetime]:
    return [value for field in fields(job) if isinstance(value := getattr(job, field.name), datetime)]


def test_all_times_are_aware_and_in_utc_wherever_the_server_stands(
    table: JobTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGTZ", "America/Sao_Paulo")  # what a server may have been set up with
    abroad = JobTable(Database(table.database.url))
    job = taken(abroad)
    abroad.cancel(job.id)
    abroad.report(job, "note", {})
    abroad.end(job, "cancelled", error="Why.", hint="How.")
    found, [event] = abroad.get(job.id), abroad.events(job.id)
    times = [*moments(job), *moments(found), event.at, abroad.now()]
    abroad.database.close()
    assert len(times) >= 10
    assert {moment.utcoffset() for moment in times} == {timedelta(0)}
    assert all(abs(moment - datetime.now(UTC)) < table.time_limit + timedelta(minutes=1) for moment in times)


def test_times_are_the_databases_own(database: Database, tmp_path: Path) -> None:
    noon = datetime(2024, 3, 1, 12, tzinfo=UTC)
    table = JobTable(database, clock=lambda _connection: noon)
    assert table.submit("fetch", "tech", {}).created_at == noon
    job = table.claim(ME)
    assert job is not None
    assert (job.started_at, job.lease_until, job.deadline) == (noon, noon + LEASE, noon + table.time_limit)
    with database.read() as connection:
        assert abs(Database.now(connection) - datetime.now(UTC)) < timedelta(seconds=5)
