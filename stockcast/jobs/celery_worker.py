"""`stockcast worker --celery`: hears the bells of a broker, has processes do the jobs, and looks after the table.

The process that talks to the broker never does the work, so that it answers the broker's heartbeat, and that of
whoever asks whether it is there, in the middle of a training. It is light and never forks.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from celery import Celery
from celery.exceptions import Reject
from celery.signals import setup_logging, worker_shutting_down

from stockcast.config_versions import ConfigVersions
from stockcast.database import Database
from stockcast.errors import StockcastError
from stockcast.jobs.celery_application import TASK, celery_application, queue_name
from stockcast.jobs.celery_runner import CeleryRunner
from stockcast.jobs.chores import chores_are_due
from stockcast.jobs.hands import Hands
from stockcast.jobs.job_table import JobTable
from stockcast.jobs.process import this_host
from stockcast.jobs.sweep import sweep
from stockcast.settings import Settings

_NAME = re.compile(r"[0-9a-z]{1,32}")
LOOK = 2.0  # seconds between two looks at the job table
SELDOM = 15.0  # seconds between two looks at what need not be done at each of them


def run_celery_worker(
    settings: Settings, queues: Sequence[str], linger: float, tell: Callable[[str], None]
) -> None:
    """Works until SIGTERM or Ctrl-C; jobs that are under way save themselves and are queued again.

    `linger`: seconds for which an idle process stays warm for the next job.
    """
    database = Database(settings.database)
    table = JobTable(database, time_limit=timedelta(hours=settings.job_hours))
    configs, runner = ConfigVersions(database), CeleryRunner(table, settings)
    hands = Hands(settings.job_environment | {"STOCKCAST_WORKER_LINGER": f"{linger:g}"}, tell)
    leave = threading.Event()

    def stop(**_more: object) -> None:
        leave.set()
        threading.Thread(target=hands.stop, name="asks the hands to leave").start()

    worker_shutting_down.connect(stop, weak=False)
    setup_logging.connect(_as_it_is, weak=False)  # the house has its own logs
    clock = threading.Thread(target=_look_after, args=(table, configs, runner, hands, leave, tell), daemon=True)
    clock.start()
    tell(f"Listens for {', '.join(queues)} at {settings.broker_name}.")
    worker_main(celery_application(settings), hands, settings, queues)
    leave.set()
    hands.stop()


def worker_main(application: Celery, hands: Hands, settings: Settings, queues: Sequence[str]) -> None:
    """Celery's own worker: a thread for each job that is done at a time, which waits for the process doing it."""

    @application.task(name=TASK)  # type: ignore[untyped-decorator]
    def do(job_id: str) -> None:
        if not _NAME.fullmatch(job_id):
            return  # it is no message of ours
        hands.do(job_id)
        if hands.leaving:  # somebody else shall hear it
            raise Reject(requeue=True)

    application.worker_main(
        [
            "--quiet", "worker", "--pool", "threads", "--concurrency", str(settings.workers), "--without-gossip",
            "--without-mingle", "--queues", ",".join(queue_name(settings, queue) for queue in queues),
            "--hostname", f"{settings.queue_prefix}-{os.getpid()}@{this_host()}", "--loglevel", "WARNING",
        ]
    )  # fmt: skip


def _look_after(
    table: JobTable,
    configs: ConfigVersions,
    runner: CeleryRunner,
    hands: Hands,
    leave: threading.Event,
    tell: Callable[[str], None],
) -> None:
    """Takes up what has lost its process, rings for what nobody came for, and starts what is scheduled."""
    looked = -SELDOM
    while not leave.is_set():
        try:
            for job in sweep(table):
                tell(f"{job.id}: {job.title} is {job.state} after attempt {job.attempt}")
            runner.wake()
            if time.monotonic() - looked > SELDOM:
                looked = time.monotonic()
                if chores_are_due(table, configs):
                    hands.chores()
        except StockcastError as problem:  # the database may come back
            tell(str(problem))
        leave.wait(LOOK)


def _as_it_is(**_more: object) -> None:
    pass
