"""Searches by several processes, and under kill -9: no trial is lost, and none is made twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from at_once import all_at_once
from home_workers import kill_workers

from stockcast.config import DEFAULT_UNIVERSE, Config
from stockcast.errors import JobError
from stockcast.forecasting.observer import UNWATCHED
from stockcast.home_files import make_folder
from stockcast.jobs.celery_application import queue_for
from stockcast.jobs.job import EPOCH, TRIES, Job
from stockcast.jobs.part_table import Part
from stockcast.jobs.process import Process
from stockcast.jobs.sweep import sweep
from stockcast.jobs.tuning import Search
from stockcast.prices.frame import PriceFrame
from stockcast.prices.source import FetchedPrices, PriceReport
from stockcast.settings import Settings
from stockcast.workflows.tune_study import PART, open_storage
from stockcast.workspace import Workspace

PATIENCE = 90  # seconds; the machine may be busy
QUICK = (
    "training.max_epochs=2", "training.patience=1", "network.hidden_size=4", "network.members=1",
    "training.accelerator=cpu",
)  # fmt: skip
# Takes a second in a warm process, and none is called hopeless before its end.
LONG = ("training.max_epochs=12", "training.patience=12")


@pytest.fixture(params=["sqlite", "postgresql"])
def workspace(
    request: pytest.FixtureRequest, tmp_path: Path, make_frame: Callable[..., PriceFrame]
) -> Iterator[Workspace]:
    """A Workspace over one of both databases, with one synthetic history."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    opened = Workspace(Settings(home=tmp_path / "home", threads=1, database_url=url))
    frame = make_frame("AAPL", 320, seed=1)
    opened.prices.save(FetchedPrices(frame, PriceReport(len(frame))))
    yield opened
    kill_workers(opened.settings.home)
    opened.database.close()


def submit(workspace: Workspace, trials: int, *overrides: str) -> Job:
    """Queues a search and calls nobody for it."""
    config = Config().with_overrides([*QUICK, *overrides])
    workspace.configs.save(DEFAULT_UNIVERSE, config, "", workspace.clock())
    asked = workspace.tuning.request(DEFAULT_UNIVERSE, trials=trials, space=("training.learning_rate",))
    return workspace.jobs.submit("tune", DEFAULT_UNIVERSE, asked.to_json())


def work(workspace: Workspace) -> None:
    """Does whatever is queued in this process, without giving way to others for good."""
    while (job := workspace.jobs.claim(Process.current())) is not None:
        workspace.desk.work.do(job, threading.Event(), lambda _text: None)


def begin_worker(workspace: Workspace) -> subprocess.Popen[bytes]:
    """A process that does what is queued, and that nobody starts again."""
    line = [sys.executable, "-m", "stockcast", "worker", "--alone", "--until-idle"]
    with open(make_folder(workspace.settings.home) / "worker.log", "ab") as log:
        return subprocess.Popen(line, env={**os.environ, **workspace.settings.environment}, stdout=log, stderr=log)


def wait(workspace: Workspace, job: Job, until: Callable[[Search], bool]) -> Search:
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        search = workspace.desk.search(job.id)
        if until(search):
            return search
        time.sleep(0.02)
    raise AssertionError(f"{search}\n{(workspace.settings.home / 'worker.log').read_text()}")


def learning(workspace: Workspace, search: Search) -> bool:
    """Whether a trial that was proposed is in the first half of its training."""
    told = [len(workspace.jobs.events(each.part.id, kind=EPOCH)) for each in search.at_work if each.number]
    return any(1 <= epochs <= 6 for epochs in told)


def assert_whole(workspace: Workspace, job: Job, trials: int) -> Search:
    """Every trial that was asked for stands once in the job and once in the study, and nothing is left open."""
    search = workspace.desk.search(job.id)
    assert (search.job.state, search.job.error) == ("succeeded", None)
    assert [trial.number for trial in search.found.trials] == list(range(trials))
    assert [trial.state for trial in search.found.trials] == ["complete"] * trials
    assert search.job.result is not None
    assert search.job.result["trials"] == [trial.to_json() for trial in search.found.trials]
    with open_storage(workspace.database) as storage:
        kept = storage.get_all_trials(storage.get_study_id_from_name(job.id))
    parts = {part.id for part in workspace.desk.parts.of(job.id)}
    assert sorted(trial.user_attrs[PART] for trial in kept) == sorted(parts)
    assert {trial.state.name for trial in kept} == {"COMPLETE"}
    assert not list(workspace.settings.job_logs.glob("*.ckpt"))
    return search


def test_two_processes_share_a_study(workspace: Workspace) -> None:
    job = submit(workspace, 4)
    settings = workspace.settings

    def help_out(_number: int) -> None:
        mine = Workspace(settings)
        give_up = time.monotonic() + PATIENCE
        while mine.jobs.get(job.id).active and time.monotonic() < give_up:
            work(mine)
        mine.database.close()

    assert all_at_once(2, help_out) == [None, None]
    search = assert_whole(workspace, job, 4)
    assert len({part.pid for part in workspace.desk.parts.of(job.id)}) == 2, "both have helped"
    assert len({tuple(trial.parameters.values()) for trial in search.found.trials}) == 4, "no trial is made twice"


@pytest.mark.parametrize("workspace", ["postgresql"], indirect=True)
def test_a_trial_whose_process_is_killed_goes_on_from_its_last_epoch(workspace: Workspace) -> None:
    job = submit(workspace, 3, *LONG)
    process = begin_worker(workspace)
    wait(workspace, job, lambda search: learning(workspace, search))
    process.send_signal(signal.SIGKILL)
    process.wait()
    [left] = workspace.desk.search(job.id).at_work
    tried = workspace.jobs.events(left.part.id, kind=TRIES)
    assert {swept.id for swept in sweep(workspace.jobs)} == {job.id, left.part.id}
    work(workspace)
    search = assert_whole(workspace, job, 3)
    again = next(trial for trial in search.found.trials if trial.number == left.number)
    assert again.parameters == dict(tried[0].payload), "it tries the same again"
    part = workspace.jobs.get(left.part.id)
    assert part.attempt == 2
    epochs = [event.payload["number"] for event in workspace.jobs.events(part.id, kind=EPOCH)]
    assert epochs == list(range(1, again.epochs + 1)), "no epoch is told twice"


def test_a_trial_that_kills_its_process_again_and_again_is_given_up(workspace: Workspace) -> None:
    job = submit(workspace, 2)
    work(workspace)
    asked = workspace.desk.search(job.id).asked
    trial = workspace.tuning.trial(job.id, asked, "a part", 2, UNWATCHED, lambda _parameters: None, killed=2)
    assert (trial.state, trial.value) == ("failed", None)
    assert trial.reason == "The process that trained it was killed 2 times."


@pytest.mark.parametrize("workspace", ["sqlite"], indirect=True)
def test_a_cancelled_search_keeps_what_it_has_found_and_can_go_on(workspace: Workspace) -> None:
    job = submit(workspace, 3, "training.max_epochs=30", "training.patience=30")
    at_work = threading.Thread(target=work, args=(workspace,))
    at_work.start()
    wait(workspace, job, lambda search: learning(workspace, search))
    workspace.jobs.cancel(job.id)
    at_work.join(PATIENCE)
    stopped = workspace.desk.search(job.id)
    assert stopped.job.state == "cancelled"
    assert stopped.at_work == ()
    present, *others = stopped.found.trials
    assert (present.state, others) == ("complete", [])
    workspace.jobs.retry(job.id)
    work(workspace)
    assert assert_whole(workspace, job, 3).found.trials[0] == present


def test_whatever_else_is_asked_for_comes_before_the_trials(workspace: Workspace) -> None:
    job = submit(workspace, 2)
    me = Process.current()
    assert workspace.jobs.claim(me, job.id) is not None
    workspace.desk.parts.add(workspace.jobs.get(job.id), [Part("trial", {})] * 2)
    later = workspace.jobs.submit("fetch", DEFAULT_UNIVERSE, {"tickers": ["AAPL"]})
    claimed = workspace.jobs.claim(me)
    assert claimed is not None
    assert claimed.id == later.id


def test_who_listens_for_trainings_hears_of_searches_too() -> None:
    assert [queue_for(kind) for kind in ("train", "tune", "trial", "fetch")] == ["train"] * 3 + ["quick"]


def test_only_a_search_is_read_as_one(workspace: Workspace) -> None:
    job = workspace.jobs.submit("fetch", DEFAULT_UNIVERSE, {"tickers": ["AAPL"]})
    with pytest.raises(JobError, match="is no search"):
        workspace.desk.search(job.id)
