"""The job table: one training per universe, states that only move forward, events without gaps."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from stockcast.database import Database
from stockcast.errors import TrainingActive, UnknownJob
from stockcast.jobs.job_table import ACTIVE, TRAIN, Job, JobTable

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def table(database: Database) -> JobTable:
    return JobTable(database)


def all_at_once(table: JobTable, count: int, work: Callable[[JobTable, int], object]) -> list[object]:
    """What `count` real processes return that begin `work` on the same database at the same moment."""
    barrier, answers = FORK.Barrier(count), FORK.Queue()

    def run(number: int) -> None:
        own = JobTable(Database(table.database.url))
        barrier.wait()
        try:
            answers.put(work(own, number))
        except BaseException as problem:
            answers.put(f"{type(problem).__name__}: {problem}")

    processes = [FORK.Process(target=run, args=(number,)) for number in range(count)]
    for process in processes:
        process.start()
    found = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(timeout=60)
    return found


def test_a_submitted_job_is_queued_as_it_was_asked_for(table: JobTable) -> None:
    request: dict[str, JsonValue] = {"tickers": ["AAPL", "MSFT"], "until": None, "overrides": []}
    job = table.submit(TRAIN, "tech", request, NOW)
    assert table.get(job.id) == job
    assert (job.kind, job.universe, job.state, job.active) == (TRAIN, "tech", "queued", True)
    assert (job.request, job.created_at, job.progress) == (request, NOW, 0.0)
    assert (job.started_at, job.finished_at, job.pid, job.result, job.error, job.hint) == (None,) * 6


def test_an_unknown_job_is_told_apart_and_cut_short(table: JobTable) -> None:
    with pytest.raises(UnknownJob, match="no job 'abc'") as refused:
        table.get("abc")
    assert "stockcast jobs list" in refused.value.hint
    with pytest.raises(UnknownJob) as refused:
        table.get("x" * 10_000)
    assert len(refused.value.message) < 100


def test_a_second_training_of_a_universe_is_refused_with_the_id_of_the_first(table: JobTable) -> None:
    first = table.submit(TRAIN, "tech", {}, NOW)
    for state in ACTIVE:
        assert table.get(first.id).state == state
        with pytest.raises(TrainingActive, match=f"tech is active already .job {first.id}") as refused:
            table.submit(TRAIN, "tech", {}, NOW)
        assert refused.value.job_id == first.id
        table.start(first.id, 1, NOW)
    assert table.submit(TRAIN, "energy", {}, NOW).active
    assert table.submit("ingest", "tech", {}, NOW).active
    assert len(table.recent(universe="tech", kind=TRAIN)) == 1


@pytest.mark.parametrize("end", ["succeeded", "failed", "cancelled", "interrupted"])
def test_once_a_training_has_ended_the_next_may_begin(table: JobTable, end: str) -> None:
    first = table.submit(TRAIN, "tech", {}, NOW)
    table.start(first.id, 1, NOW)
    if end == "succeeded":
        table.succeed(first.id, {}, NOW)
    else:
        table.fail(first.id, "It ended.", "Start it again.", NOW, state=end)  # type: ignore[arg-type]
    assert table.get(first.id).state == end
    assert table.submit(TRAIN, "tech", {}, NOW).id != first.id


def test_of_eight_processes_that_ask_at_once_exactly_one_gets_its_training(table: JobTable) -> None:
    def ask(own: JobTable, _number: int) -> object:
        try:
            return ("won", own.submit(TRAIN, "tech", {}, NOW).id)
        except TrainingActive as problem:
            return ("told", problem.job_id)

    answers = all_at_once(table, 8, ask)
    [job] = table.recent()
    assert sorted(answers) == [("told", job.id)] * 7 + [("won", job.id)]  # type: ignore[type-var]


def test_of_eight_workers_exactly_one_takes_a_job(table: JobTable) -> None:
    job = table.submit(TRAIN, "tech", {}, NOW)
    taken = all_at_once(table, 8, lambda own, number: own.start(job.id, 1000 + number, NOW) and number)
    [winner] = [number for number in taken if number is not False]
    assert table.get(job.id).pid == 1000 + winner  # type: ignore[operator]


def test_events_of_many_processes_are_numbered_without_gaps(table: JobTable) -> None:
    job, other = table.submit(TRAIN, "tech", {}, NOW), table.submit(TRAIN, "energy", {}, NOW)

    def report(own: JobTable, number: int) -> object:
        for step in range(10):
            own.report(job.id, "epoch", {"by": number, "step": step}, step / 10, NOW)
        return "done"

    assert all_at_once(table, 6, report) == ["done"] * 6
    events = table.events(job.id)
    assert [event.number for event in events] == list(range(1, 61))
    for number in range(6):
        assert [event.payload["step"] for event in events if event.payload["by"] == number] == list(range(10))
    assert table.events(other.id) == []


def test_a_page_asks_only_for_the_events_it_has_not_seen(table: JobTable) -> None:
    job = table.submit(TRAIN, "tech", {}, NOW)
    for number in range(1, 6):
        table.report(job.id, "epoch", {"number": number}, number / 10, NOW + timedelta(seconds=number))
    seen = table.events(job.id, after=3)
    assert [(event.number, event.kind, event.payload) for event in seen] == [
        (4, "epoch", {"number": 4}),
        (5, "epoch", {"number": 5}),
    ]
    assert seen[0].at == NOW + timedelta(seconds=4)
    assert table.get(job.id).progress == 0.5


# From each state, what each verb leads to; a verb that is not listed changes nothing.
MOVES = {
    ("queued", "start"): "running",
    ("running", "succeed"): "succeeded",
    ("queued", "fail"): "failed",
    ("running", "fail"): "failed",
    ("queued", "interrupt"): "interrupted",
    ("running", "interrupt"): "interrupted",
    ("queued", "cancel"): "cancelled",
    ("running", "cancel"): "cancelled",
}
VERBS: dict[str, Callable[[JobTable, str], bool]] = {
    "start": lambda table, job: table.start(job, 1, NOW),
    "succeed": lambda table, job: table.succeed(job, {"version": 1}, NOW),
    "fail": lambda table, job: table.fail(job, "Why.", "How.", NOW),
    "interrupt": lambda table, job: table.fail(job, "Why.", "How.", NOW, state="interrupted"),
    "cancel": lambda table, job: table.fail(job, "Why.", "How.", NOW, state="cancelled"),
}


@pytest.fixture(scope="module")
def shared_table(tmp_path_factory: pytest.TempPathFactory) -> JobTable:
    return JobTable(Database(f"sqlite:///{tmp_path_factory.mktemp('jobs') / 'stockcast.db'}"))


@given(verbs=st.lists(st.sampled_from(sorted(VERBS)), max_size=6))
def test_states_move_only_as_allowed(shared_table: JobTable, verbs: list[str]) -> None:
    job, state = shared_table.submit("other", "tech", {}, NOW), "queued"
    for verb in verbs:
        reached = MOVES.get((state, verb))
        assert VERBS[verb](shared_table, job.id) == (reached is not None), (state, verb)
        state = reached or state
        found = shared_table.get(job.id)
        assert found.state == state
        assert (found.finished_at is None) == found.active
        assert (found.result is not None) == (state == "succeeded")
        assert (found.error is not None) == (state in ("failed", "interrupted", "cancelled"))
    shared_table.launched(job.id, 77)
    assert (shared_table.get(job.id).pid == 77) == (state == "queued")


def test_recent_jobs_come_newest_first_and_can_be_chosen(table: JobTable) -> None:
    for number in range(5):
        kind, universe = ("train" if number % 2 else "ingest"), f"u{number}"
        table.submit(kind, universe, {"number": number}, NOW + timedelta(minutes=number))
    found = table.recent()
    assert [job.request["number"] for job in found] == [4, 3, 2, 1, 0]
    assert all(later.created_at > earlier.created_at for later, earlier in pairwise(found))
    assert [job.universe for job in table.recent(kind="train", limit=1)] == ["u3"]
    assert [job.universe for job in table.recent(universe="u0")] == ["u0"]


def test_active_jobs_are_found_however_many_came_after_them(table: JobTable) -> None:
    oldest = table.submit(TRAIN, "tech", {}, NOW)
    ended: list[Job] = []
    for number in range(30):
        ended.append(table.submit("ingest", "tech", {}, NOW + timedelta(minutes=number)))
        table.fail(ended[-1].id, "Why.", "How.", NOW)
    assert [job.id for job in table.active()] == [oldest.id]
