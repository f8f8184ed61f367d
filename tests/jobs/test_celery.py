"""Jobs over real Redis and RabbitMQ: whatever happens to broker or worker, the ledger is whole at the end."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

import psutil
import pytest
from brokers import Broker, broker_of
from home_workers import kill_workers, workers_of

from stockcast.config import Config
from stockcast.jobs.celery_application import TASK, celery_application, queue_name
from stockcast.jobs.hands import COMMAND
from stockcast.jobs.job import Job
from stockcast.settings import Settings
from stockcast.workspace import Workspace

PATIENCE = 90  # seconds; the machine may be busy
AT_ONCE = 3.0  # seconds within which whoever asks is answered
SMALL = (
    "training.max_epochs=2", "training.patience=1", "network.hidden_size=4", "network.members=1",
    "training.accelerator=cpu",
)  # fmt: skip
WORKER = [sys.executable, "-m", "stockcast", "worker", "--celery"]

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def home_of_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's prices and a champion, as they are copied into each test's home."""
    home = tmp_path_factory.mktemp("celery") / "home"
    workspace = Workspace(Settings(home=home))
    workspace.ingest_sample()
    workspace.champion("default")
    workspace.database.close()
    return home


@pytest.fixture(scope="module", params=["redis", "rabbitmq"])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of this module's own."""
    made = broker_of(request.param, tmp_path_factory.mktemp("broker") / "state")
    yield made
    made.stop()


def opened(broker: Broker, home_of_sample: Path, home: Path) -> Workspace:
    """A Workspace over a copy of the home that rings over the broker, by queues of its own."""
    shutil.copytree(home_of_sample, home)
    prefix = f"t{time.monotonic_ns()}"
    return Workspace(Settings(home=home, threads=1, worker_linger=60, broker_url=broker.url, queue_prefix=prefix))


@pytest.fixture
def workspace(broker: Broker, home_of_sample: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A Workspace that nobody else works for."""
    broker.ensure()
    own = opened(broker, home_of_sample, tmp_path / "home")
    yield own
    kill_workers(own.settings.home)
    own.database.close()


class Office:
    """A Workspace and the two workers that its tests share: a cold one takes ten seconds to begin."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.started: list[subprocess.Popen[bytes]] = []

    def fill(self) -> None:
        """Starts another worker for each that a test has killed."""
        self.started = [each for each in self.started if each.poll() is None]
        while len(self.started) < 2:
            self.started.append(begin(self.workspace))

    @property
    def both(self) -> list[psutil.Process]:
        """Its two workers."""
        return [psutil.Process(each.pid) for each in self.started]


@pytest.fixture(scope="module")
def shared_office(
    broker: Broker, home_of_sample: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    broker.ensure()
    made = Office(opened(broker, home_of_sample, tmp_path_factory.mktemp("office") / "home"))
    yield made
    end(made.workspace, made.started)
    made.workspace.database.close()


@pytest.fixture
def office(shared_office: Office, broker: Broker) -> Office:
    """The shared one, with its broker running and both workers there."""
    broker.ensure()
    shared_office.fill()
    return shared_office


def begin(workspace: Workspace, command: Sequence[str] = WORKER) -> subprocess.Popen[bytes]:
    """Starts a Celery worker of a home."""
    environment = {**os.environ, **workspace.settings.environment}
    with open(workspace.settings.home / "worker.log", "ab") as log:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)


def end(workspace: Workspace, started: Sequence[subprocess.Popen[bytes]]) -> None:
    """Kills them, and what is left of them."""
    kill_workers(workspace.settings.home)
    for each in started:
        each.kill()
        each.wait()


@contextlib.contextmanager
def workers(
    workspace: Workspace, count: int = 1, command: Sequence[str] = WORKER
) -> Iterator[list[psutil.Process]]:
    """Celery workers of a home; what is left of them is killed."""
    started = [begin(workspace, command) for _ in range(count)]
    try:
        yield [psutil.Process(each.pid) for each in started]
    finally:
        end(workspace, started)


def submit(workspace: Workspace, model: str = "naive", start: date = date(2012, 6, 1)) -> Job:
    """Asks for a backtest, as a page does."""
    began = time.monotonic()
    job = workspace.desk.submit_backtest("default", (), model, start, date(2012, 12, 31), refit="never")
    assert time.monotonic() - began < AT_ONCE
    return job


def submit_long(workspace: Workspace) -> Job:
    """A backtest of some seconds."""
    return workspace.desk.submit_backtest(
        "default", (), "garch", date(2006, 1, 1), date(2012, 12, 31), refit="quarterly"
    )


def wait(workspace: Workspace, job: Job, until: Callable[[Job], bool], seconds: float = PATIENCE) -> Job:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        job = workspace.jobs.get(job.id)
        if until(job):
            return job
        time.sleep(0.05)
    raise AssertionError(f"{job}\n{(workspace.settings.home / 'worker.log').read_text()}")


def running(job: Job) -> bool:
    return job.state == "running" and job.phase != "Starting"


def assert_ledger(workspace: Workspace, jobs: Sequence[Job], attempts: int = 1) -> list[Job]:
    """Every job comes to its one end, after so many attempts; nothing is left over."""
    done = [wait(workspace, job, lambda job: not job.active and not job.loose_ends) for job in jobs]
    assert [job.state for job in done] == ["succeeded"] * len(jobs), [job.error for job in done]
    assert {job.attempt for job in done} == {attempts}
    assert workspace.jobs.active() == []
    return done


def test_jobs_are_shared_by_two_workers_and_each_is_done_once_however_often_it_is_rung_for(office: Office) -> None:
    workspace = office.workspace
    application, queue = celery_application(workspace.settings), queue_name(workspace.settings, "quick")

    def ring(name: str) -> None:
        for _ in range(3):
            application.send_task(TASK, args=[name], queue=queue)

    for name in ("no such job", "../../etc/passwd", "x" * 5000, "two\nlines", "0123456789ab"):
        application.send_task(TASK, args=[name], queue=queue)
    jobs = [submit(workspace, "ewma") for _ in range(10)]
    long = submit_long(workspace)
    ring(long.id)
    wait(workspace, long, running)
    ring(long.id)
    done = assert_ledger(workspace, [*jobs, long])
    assert len({job.pid for job in done}) == 2, "both had something to do"
    ring(long.id)
    assert_ledger(workspace, [submit(workspace), submit(workspace)])  # behind those messages
    for listener in office.both:
        [hand] = [each for each in listener.children() if "--told" in each.cmdline()]
        assert hand.cmdline()[1:] == list(COMMAND[1:])
        assert listener.memory_info().rss < hand.memory_info().rss / 1.5, "who listens stays light"
    assert workspace.jobs.get(long.id) == done[-1], "nobody touched it again"


@pytest.mark.parametrize("broker", ["redis"], indirect=True)
def test_a_backtest_is_done_in_parts_by_two_workers_and_says_what_one_says(office: Office) -> None:
    workspace = office.workspace
    asked = ("garch", date(2009, 1, 1), date(2012, 12, 31))
    wanted = workspace.backtests.backtest("default", (), *asked, refit="yearly").diagnosis.to_json()
    assert_ledger(workspace, [submit(workspace), submit(workspace)])  # both are warm
    job = workspace.desk.submit_backtest("default", (), *asked, refit="yearly")
    [done] = assert_ledger(workspace, [job])
    parts = workspace.desk.parts.of(job.id)
    assert len({part.pid for part in parts}) == 2, "both were at work"
    assert done.pid in {part.pid for part in parts}, "and who has the job is one of them"
    assert (done.result or {})["diagnosis"] == wanted


@pytest.mark.parametrize("broker", ["redis"], indirect=True)
def test_the_trials_of_a_search_are_made_by_two_workers(office: Office) -> None:
    workspace = office.workspace
    workspace.configs.save("default", Config().with_overrides(SMALL), "", workspace.clock())
    job = workspace.desk.submit_tuning("default", ("IBM",), trials=4, space=("training.learning_rate",))
    [done] = assert_ledger(workspace, [job])
    assert len({part.pid for part in workspace.desk.parts.of(job.id)}) == 2, "both were at work"
    assert [trial.number for trial in workspace.desk.search(done.id).found.trials] == [0, 1, 2, 3]


def test_a_broker_that_is_down_or_paused_costs_time_and_no_job(office: Office, broker: Broker) -> None:
    workspace = office.workspace
    assert_ledger(workspace, [submit(workspace)])  # they have heard the broker once
    broker.stop()
    jobs = [submit(workspace) for _ in range(3)]
    assert {job.state for job in jobs} == {"queued"}
    broker.start()
    assert_ledger(workspace, jobs)
    broker.pause()
    jobs = [submit(workspace) for _ in range(2)]
    time.sleep(3)
    broker.resume()
    assert_ledger(workspace, jobs)


def test_a_broker_that_comes_back_empty_has_forgotten_bells_and_no_jobs(
    workspace: Workspace, broker: Broker
) -> None:
    jobs = [submit(workspace) for _ in range(3)]
    assert all(workspace.jobs.get(job.id).rung_at for job in jobs)
    broker.forget()
    broker.start()
    with workers(workspace):
        assert_ledger(workspace, jobs)


def test_a_killed_process_and_a_killed_worker_have_their_jobs_taken_up(office: Office) -> None:
    workspace = office.workspace
    job = wait(workspace, submit_long(workspace), running)
    assert job.pid is not None
    os.kill(job.pid, signal.SIGKILL)
    assert_ledger(workspace, [job], attempts=2)
    job = wait(workspace, submit_long(workspace), running)
    [holder] = [each for each in office.both if job.pid in {child.pid for child in each.children()}]
    for each in [*holder.children(recursive=True), holder]:
        each.kill()
    [done] = assert_ledger(workspace, [job], attempts=2)
    assert done.pid != job.pid


@pytest.mark.parametrize("broker", ["redis"], indirect=True)
def test_a_worker_that_is_asked_to_leave_saves_its_training_and_hands_it_on(workspace: Workspace) -> None:
    quick = [
        "training.max_epochs=15",
        "training.patience=15",
        "training.accelerator=cpu",
        "network.members=1",
        "universe.tickers=[AAPL]",
    ]
    with workers(workspace, 1, [*WORKER, "--queues", "train"]) as [first]:
        other = submit(workspace)
        job = workspace.desk.submit_training("default", overrides=quick)
        wait(workspace, job, lambda job: bool(workspace.jobs.events(job.id, kind="epoch")))
        assert workspace.jobs.get(other.id).state == "queued", "nobody listens there"
        first.terminate()
        gone, _ = psutil.wait_procs([first], timeout=40)
        assert gone, "it left"
    left = workspace.jobs.get(job.id)
    assert (left.state, left.attempt, left.attempts_allowed) == ("queued", 1, 4), "leaving is no failure"
    assert workers_of(workspace.settings.home) == []
    with workers(workspace):
        assert wait(workspace, job, lambda job: not job.active).attempt == 2
        assert_ledger(workspace, [other])
    epochs = [event.payload["number"] for event in workspace.jobs.events(job.id, kind="epoch")]
    assert epochs == list(range(1, 16)), "it went on from its checkpoint"


@pytest.mark.parametrize("broker", ["redis"], indirect=True)
def test_a_visibility_timeout_shorter_than_the_job_does_it_once(workspace: Workspace) -> None:
    impatient = [
        sys.executable, "-c",
        "import sys; from stockcast.jobs import celery_application as module\n"
        "made = module.celery_application\n"
        "def impatient(settings):\n"
        "    application = made(settings)\n"
        "    application.conf.broker_transport_options['visibility_timeout'] = 1\n"
        "    return application\n"
        "module.celery_application = impatient\n"
        "sys.argv = ['stockcast', 'worker', '--celery']\n"
        "from stockcast.cli.application import main; main()",
        "worker",
    ]  # fmt: skip
    with workers(workspace, 2, impatient):
        assert_ledger(workspace, [submit_long(workspace) for _ in range(2)])
