"""The worker's outer half: starts processes that do jobs, and looks after them.

It is light, as it never loads what the work needs. When a process dies, its job is queued again and another
process goes on with it within a second. There is one keeper for each home; a lock that dies with it says so.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import filelock

from stockcast.config_versions import ConfigVersions
from stockcast.database import Database
from stockcast.errors import StockcastError
from stockcast.home_files import make_folder
from stockcast.jobs.chores import chores_are_due
from stockcast.jobs.job_table import JobTable
from stockcast.jobs.process import this_host
from stockcast.jobs.sweep import GRACE, sweep
from stockcast.settings import Settings

BEAT = 0.2  # seconds
SELDOM = 15.0  # seconds between two looks at what need not be done at every beat


class Keeper:
    """Runs up to `most` processes over one job table.

    `command` starts a process that does jobs, and chores at its beginning; `chores` tells whether there are any.
    """

    def __init__(
        self,
        table: JobTable,
        command: Sequence[str],
        environment: Mapping[str, str],
        lock: Path,
        *,
        most: int,
        chores: Callable[[], bool],
        tell: Callable[[str], None],
    ) -> None:
        self.table = table
        self.most = most
        self._command = list(command)
        self._environment = dict(environment)
        self._lock = filelock.FileLock(lock, thread_local=False)
        self._chores = chores
        self._tell = tell
        self._processes: list[subprocess.Popen[bytes]] = []
        self._failures = 0  # processes in a row that ended badly
        self._not_before = 0.0

    def run(self, leave: threading.Event, until_idle: bool) -> None:
        """Works until `leave` is set, or, with `until_idle`, until nothing is left to do.

        While another keeper serves the same home it only waits.
        """
        try:
            while not leave.is_set():
                if not self._taken():
                    if until_idle and not self.table.active():
                        return
                    leave.wait(BEAT)
                    continue
                self._serve(leave, until_idle)
                self._lock.release()
                # Whoever asked for a job in this very moment saw the lock held and started nobody.
                if until_idle and not any(job.state == "queued" for job in self.table.active()):
                    return
        finally:
            self._lock.release(force=True)

    def _taken(self) -> bool:
        with contextlib.suppress(filelock.Timeout):
            self._lock.acquire(timeout=0)
        return self._lock.is_locked

    def _serve(self, leave: threading.Event, until_idle: bool) -> None:
        looked = -SELDOM
        try:
            while not leave.is_set():
                try:
                    if time.monotonic() - looked > SELDOM:
                        looked = time.monotonic()
                        if not self._processes and self._chores():
                            self._start()
                    if not self._beat() and until_idle:
                        return
                except StockcastError as problem:  # the database may come back
                    self._tell(str(problem))
                    leave.wait(2.0)
                leave.wait(BEAT)
        finally:
            self._stop()

    def _beat(self) -> bool:
        """Looks after everything once; True while there is something to do."""
        for process in self._processes:
            if process.poll() is not None:  # one that fails again and again is started ever more seldom
                self._failures = self._failures + 1 if process.returncode else 0
                self._not_before = time.monotonic() + (
                    min(60.0, 0.25 * 2**self._failures) if self._failures else 0
                )
        self._processes = [process for process in self._processes if process.returncode is None]
        for job in sweep(self.table):
            self._tell(f"{job.id}: {job.title} is {job.state} after attempt {job.attempt}")
        active = self.table.active()
        queued = sum(job.state == "queued" for job in active)
        # Also those that a keeper before this one has left behind.
        # One process may have a job and parts of it.
        running = (job for job in active if job.state == "running" and job.host == this_host())
        busy = len({(job.pid, job.pid_started) for job in running})
        idle = max(0, len(self._processes) - busy)
        free = len(self._processes) < self.most and busy < self.most
        if queued > idle and free and time.monotonic() >= self._not_before:
            self._start()
        return bool(self._processes or queued or busy)

    def _start(self) -> None:
        self._processes.append(
            subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, env=self._environment, start_new_session=True
            )
        )

    def _stop(self) -> None:
        """Asks all processes to leave, and ends those that have not after a while."""
        for process in self._processes:
            process.terminate()
        give_up = time.monotonic() + GRACE.total_seconds()
        for process in self._processes:
            try:
                process.wait(max(0.0, give_up - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes = []
        with contextlib.suppress(StockcastError):
            sweep(self.table)


def open_keeper(settings: Settings, linger: float, tell: Callable[[str], None]) -> Keeper:
    """The keeper of a home. It is wired here and not by a Workspace, which would make it four times as large."""
    database = Database(settings.database)
    table, configs = JobTable(database, time_limit=timedelta(hours=settings.job_hours)), ConfigVersions(database)

    return Keeper(
        table,
        [sys.executable, "-m", "stockcast", "worker", "--alone", "--linger", f"{linger:g}"],
        {**os.environ, **settings.job_environment},
        make_folder(settings.job_logs) / "worker.lock",
        most=settings.workers,
        chores=lambda: chores_are_due(table, configs),
        tell=tell,
    )
