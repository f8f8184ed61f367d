"""Trainings under kill -9: whatever is killed, the ledger is whole at the end.

Real workers, real trainings, a real MLflow. STOCKCAST_KILLS says how many random moments are tried on each
database (`make chaos` tries 20); a seed makes them the same at every run.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from home_workers import kill_workers

from stockcast.config import Config
from stockcast.forecasting.bundle import read_bundle
from stockcast.jobs.job import Job
from stockcast.settings import Settings
from stockcast.workspace import Workspace

KILLS = int(os.environ.get("STOCKCAST_KILLS", "1"))
PATIENCE = 120  # seconds; the machine may be busy
UNIVERSE = "chaos"
# Some seconds in a warm process, so that a kill may come in every part of it.
EPOCHS = 25
QUICK = [
    f"training.max_epochs={EPOCHS}", f"training.patience={EPOCHS}", "training.accelerator=cpu",
    "network.members=1", "network.hidden_size=16",
]  # fmt: skip


# What happens to processes does not depend on the database; what kills leave behind is looked at on both.
WHATEVER_DATABASE = pytest.mark.parametrize("workspace", ["sqlite"], indirect=True)
# A single kill at random is made on one of them; `make chaos` makes many, on both.
BOTH = ["sqlite", "postgresql"] if KILLS > 1 else ["postgresql"]


@pytest.fixture(scope="session")
def chaos_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's prices, as they are copied into each test's home."""
    home = tmp_path_factory.mktemp("chaos") / "home"
    workspace = Workspace(Settings(home=home))
    workspace.ingest_sample()
    workspace.database.close()
    return home


@pytest.fixture(params=["sqlite", "postgresql"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path, chaos_home: Path) -> Iterator[Workspace]:
    """A Workspace over one of both databases, whose configuration trains quickly."""
    home = tmp_path / "home"
    if request.param == "sqlite":
        shutil.copytree(chaos_home, home)
        settings = Settings(home=home, threads=1)
    else:
        settings = Settings(home=home, threads=1, database_url=request.getfixturevalue("postgres_url"))
    opened = Workspace(settings)
    if request.param == "postgresql":
        opened.ingest_sample()
    quick = Config().with_overrides([*QUICK, "universe.tickers=[AAPL]"])
    opened.configs.save(UNIVERSE, quick, "Trains in seconds", opened.clock())
    opened.champion(UNIVERSE)
    yield opened
    kill_workers(home)
    opened.database.close()


@contextlib.contextmanager
def worker(workspace: Workspace, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A standing worker that stays warm; what is left of it is killed."""
    line = [sys.executable, "-m", "stockcast", "worker", "--linger", "60", *options]
    environment = {**os.environ, **workspace.settings.environment}
    log = workspace.settings.home / "worker.log"
    with open(log, "ab") as file, subprocess.Popen(line, env=environment, stdout=file, stderr=file) as process:
        try:
            yield process
        finally:
            kill_workers(workspace.settings.home)


def wait(workspace: Workspace, job: Job, until: Callable[[Job], bool], seconds: float = PATIENCE) -> Job:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        job = workspace.jobs.get(job.id)
        if until(job):
            return job
        time.sleep(0.02)
    log = workspace.desk.runner.log_file(job.id)
    raise AssertionError(f"{job}\n{log.read_text() if log.exists() else 'no log'}")


def submit(workspace: Workspace) -> Job:
    """Queues a training and starts nobody: the tests run workers of their own."""
    asked = workspace.train_request(UNIVERSE)
    return workspace.jobs.submit("train", UNIVERSE, asked.to_json())


def ended(job: Job) -> bool:
    return not job.active


def assert_ledger(workspace: Workspace, jobs: list[Job]) -> None:
    """Every job has one end; every one that succeeded has one version that verifies and one closed run."""
    jobs = [workspace.jobs.get(job.id) for job in jobs]
    assert [job.state for job in jobs] == ["succeeded"] * len(jobs), [job.error for job in jobs]
    versions = [version for version in workspace.versions.all(UNIVERSE) if version.kind == "lstm"]
    made = [job.result["run_id"] for job in jobs if job.result is not None]
    assert sorted(version.run_id for version in versions) == sorted(made), "exactly one version for each job"  # type: ignore[type-var]
    runs = [run for run in workspace.runs.recent(UNIVERSE) if run.name.startswith("LSTM")]
    assert {run.run_id: run.status for run in runs} == dict.fromkeys(made, "FINISHED")
    for version in versions:
        assert workspace.bundles.load(version).manifest.kind == "lstm"
        assert read_bundle(workspace.bundles.cache / version.name / version.run_id)
    epochs = {run: [step for step, _ in workspace.runs.curve(run, "validation_loss")] for run in map(str, made)}
    assert all(steps == list(range(1, EPOCHS + 1)) for steps in epochs.values()), (
        "each epoch stands in MLflow once"
    )
    for job in jobs:
        numbers = [event.payload["number"] for event in workspace.jobs.events(job.id, kind="epoch")]
        assert numbers == list(range(1, EPOCHS + 1)), "each epoch was told once"
    assert workspace.jobs.active() == []
    champion = workspace.versions.champion(UNIVERSE)
    assert champion is not None
    promoted = [version.version for version in versions if version.promoted]
    assert champion.version == (max(promoted, key=int) if promoted else "1")


@pytest.mark.timeout(120 + 60 * KILLS)
@pytest.mark.parametrize("workspace", BOTH, indirect=True)
def test_a_trainer_killed_at_random_moments_ends_with_one_version_and_a_closed_run(workspace: Workspace) -> None:
    moments = random.Random(20)
    jobs: list[Job] = []
    interrupted = 0
    with worker(workspace):
        for _ in range(2):  # the first warms up, the second tells how long one takes
            jobs.append(wait(workspace, submit(workspace), ended))
        took = (jobs[1].finished_at - jobs[1].started_at).total_seconds()  # type: ignore[operator]
        for _ in range(KILLS):
            job = wait(workspace, submit(workspace), lambda job: job.state == "running")
            time.sleep(moments.uniform(0, 0.95 * took))
            job = workspace.jobs.get(job.id)
            if job.state == "running" and job.pid is not None:
                os.kill(job.pid, signal.SIGKILL)
            job = wait(workspace, job, ended)
            interrupted += job.attempt > 1
            jobs.append(job)
        deadline = time.monotonic() + 60
        while workspace.jobs.loose() and time.monotonic() < deadline:
            time.sleep(0.2)
    assert workspace.jobs.loose() == []
    assert interrupted >= KILLS // 2, "most kills hit a job"
    assert_ledger(workspace, jobs)
    assert not list(workspace.settings.job_logs.glob("*.ckpt"))


@WHATEVER_DATABASE
def test_after_a_kill_of_everything_the_next_look_brings_the_training_to_its_end(workspace: Workspace) -> None:
    with worker(workspace):
        job = submit(workspace)
        wait(workspace, job, lambda job: bool(workspace.jobs.events(job.id, kind="epoch")))
        kill_workers(workspace.settings.home)
    assert workspace.jobs.get(job.id).state == "running", "nobody was left to say otherwise"
    restarted = Workspace(workspace.settings)

    def looked_after(job: Job) -> bool:
        restarted.desk.look_after()  # what every face does: it starts a worker where there is none
        return ended(job)

    done = wait(restarted, job, looked_after)
    assert done.attempt == 2
    log = workspace.desk.runner.log_file(job.id).read_text()
    assert log.count(f"Epoch 1 of {EPOCHS}:") == 1, "it went on from its checkpoint"
    assert_ledger(restarted, [done])
    restarted.database.close()


@WHATEVER_DATABASE
def test_a_trainer_asked_to_leave_leaves_its_job_to_the_next_one(workspace: Workspace) -> None:
    job = submit(workspace)
    with worker(workspace) as process:
        wait(workspace, job, lambda job: bool(workspace.jobs.events(job.id, kind="epoch")))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    left = workspace.jobs.get(job.id)
    assert (left.state, left.attempt, left.attempts_allowed) == ("queued", 1, 4), "leaving is no failure"
    with worker(workspace, "--until-idle"):
        done = wait(workspace, job, ended)
    assert_ledger(workspace, [done])
