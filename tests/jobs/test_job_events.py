"""What is told of jobs: each beginning and each end once, by whoever brought it about."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from stockcast.errors import JobCancelled, TooShortHistory
from stockcast.jobs.job import Job
from stockcast.jobs.job_table import JobTable
from stockcast.jobs.lease import Lease
from stockcast.jobs.process import Process
from stockcast.jobs.sweep import sweep
from stockcast.jobs.work import Handler, Work, log_to
from stockcast.logs import configure_logs, get_logger
from stockcast.settings import Settings

ME = Process.current()
Events = list[dict[str, Any]]


@pytest.fixture
def events() -> Iterator[Events]:
    """The events of the package, as they are told."""
    told: Events = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            assert isinstance(record.msg, dict)
            told.append(record.msg)

    ours, listener = logging.getLogger("stockcast"), Listener()
    level = ours.level
    ours.addHandler(listener)
    ours.setLevel(logging.INFO)
    yield told
    ours.removeHandler(listener)
    ours.setLevel(level)


def do(table: JobTable, handler: Handler) -> Job:
    table.submit("train", "tech", {})
    job = table.claim(ME)
    assert job is not None
    return Work(table, {"train": handler}, lambda _job: None).do(job, threading.Event(), lambda _line: None)


def fail(problem: BaseException) -> Handler:
    def work(_job: Job, _lease: Lease) -> Mapping[str, JsonValue]:
        raise problem

    return work


def test_a_job_tells_its_beginning_and_its_end_with_all_that_names_it(table: JobTable, events: Events) -> None:
    job = do(table, lambda _job, _lease: {})
    assert [event["event"] for event in events] == ["job_started", "job_finished"]
    named = {"job_id": job.id, "job_kind": "train", "attempt": 1, "universe": "tech", "level": "info"}
    for event in events:
        assert named.items() <= event.items()
    assert 0 <= events[1]["seconds"] < 60
    get_logger("stockcast.tests").info("tested")
    assert "job_id" not in events[-1], "what comes after a job does not belong to it"


def test_a_failed_job_tells_why_and_only_a_surprise_brings_its_traceback(table: JobTable, events: Events) -> None:
    do(table, fail(TooShortHistory("FB has 196 sessions.", "Download a longer history.")))
    do(table, fail(ValueError("a detail")))
    foreseen, surprise = (event for event in events if event["event"] == "job_failed")
    assert (foreseen["level"], foreseen["error"]) == ("error", "FB has 196 sessions.")
    assert foreseen["hint"] == "Download a longer history."
    assert "exception" not in foreseen
    assert surprise["exception"].startswith("Traceback")
    assert surprise["exception"].endswith("ValueError: a detail")


def test_a_cancelled_job_is_no_failure(table: JobTable, events: Events) -> None:
    do(table, fail(JobCancelled("It was cancelled.", "Start it again.")))
    assert [(event["event"], event["level"]) for event in events[1:]] == [("job_cancelled", "info")]


def test_a_job_that_another_process_has_by_now_tells_no_end(table: JobTable, events: Events) -> None:
    def work(job: Job, _lease: Lease) -> Mapping[str, JsonValue]:
        assert table.give_back(job, "interrupted", {}, counts=True)
        return {}

    do(table, work)
    assert [event["event"] for event in events] == ["job_started"]


def test_who_finds_a_job_without_its_process_tells_so_once(table: JobTable, events: Events) -> None:
    gone = replace(ME, pid=2**22 + 1)
    for outcome in ("job_interrupted", "job_interrupted", "job_failed"):
        events.clear()
        if outcome == "job_interrupted" and not table.active():
            table.submit("train", "tech", {})
        job = table.claim(gone)
        assert job is not None
        sweep(table)
        sweep(table)
        [event] = events
        assert event["event"] == outcome
        assert (event["job_id"], event["attempt"], event["universe"]) == (job.id, job.attempt, "tech")
        assert event["reason"] == "its process was killed"
        assert event.get("resumes") is (True if outcome == "job_interrupted" else None)


def test_a_job_is_told_to_the_worker_s_stderr_and_for_people_in_its_own_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root, ours = logging.getLogger(), logging.getLogger("stockcast")
    kept = list(root.handlers), root.level, ours.level
    try:
        configure_logs(Settings(log_format="json"), "INFO")
        log = get_logger("stockcast.tests")
        with log_to(tmp_path / "job.log"):
            log.info("inside", ticker="KO")
            get_logger("stockcast.jobs.work").info("job_finished")
            logging.getLogger("vendor").warning("of a library")
        log.info("outside")
        told = [json.loads(line)["event"] for line in capfd.readouterr().err.splitlines()]
    finally:
        logging.captureWarnings(False)
        root.handlers[:], root.level, ours.level = kept
    assert told == ["inside", "job_finished", "of a library", "outside"]
    inside, library = (tmp_path / "job.log").read_text().splitlines()
    assert inside.endswith("INFO    inside ticker=KO")
    assert library.endswith("WARNING vendor: of a library")
