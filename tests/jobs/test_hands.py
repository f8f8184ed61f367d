"""Processes that are told jobs by name over a pipe, without a broker."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from home_workers import kill_workers, workers_of

from stockcast.jobs.hands import Hands
from stockcast.jobs.job import Job
from stockcast.settings import Settings
from stockcast.workflows.job_requests import BacktestRequest
from stockcast.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """The sample in a home whose processes leave as soon as they are idle."""
    opened = Workspace(Settings(home=tmp_path / "home", worker_linger=0, threads=1))
    opened.ingest_sample()
    yield opened
    kill_workers(opened.settings.home)
    opened.database.close()


def queued(workspace: Workspace) -> Job:
    asked = BacktestRequest(model="naive", start=date(2012, 11, 1), end=date(2012, 12, 31))
    return workspace.jobs.submit("backtest", "default", asked.to_json())


def test_a_process_that_never_lingers_hears_every_name_it_is_told(workspace: Workspace) -> None:
    told: list[str] = []
    hands = Hands(workspace.settings.environment, told.append)
    jobs = [queued(workspace) for _ in range(3)]
    for job in jobs:
        hands.do(job.id)
        assert workspace.jobs.get(job.id).state == "succeeded", told
    hands.do("0123456789ab")  # nobody's name is no reason to wait
    hands.stop()
    assert workers_of(workspace.settings.home) == []


def test_what_is_asked_of_hands_that_leave_stays_queued(workspace: Workspace) -> None:
    hands = Hands(workspace.settings.environment, print)
    hands.stop()
    job = queued(workspace)
    asking = threading.Thread(target=hands.do, args=(job.id,))
    asking.start()
    asking.join(10)
    assert not asking.is_alive()
    assert workspace.jobs.get(job.id).state == "queued"
