"""Runs jobs on this machine: one process per job, in a session of its own, with its own log file."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import JsonValue

from stockcast.database import make_folder
from stockcast.errors import StockcastError
from stockcast.jobs.job_table import Job, JobTable

# Does the work of one kind of job: takes the job, returns its result.
Handler = Callable[[Job], Mapping[str, JsonValue]]
# A queued job has its process within milliseconds; after this long, whoever should have started it is gone.
LAUNCHING = timedelta(minutes=1)


class LocalRunner:
    """Starts a process per job that outlives the page and the server which asked for it."""

    def __init__(self, table: JobTable, logs: Path, environment: Mapping[str, str]) -> None:
        self.table = table
        self.logs = logs
        self.environment = environment

    def launch(self, job: Job) -> None:
        """Starts the process of a queued job and returns at once; a job that cannot be started has failed."""
        try:
            with open(self.log_file(job.id), "ab") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", "stockcast", "worker", "--job", job.id],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **self.environment},
                    start_new_session=True,
                )
        except BaseException as problem:
            self.table.fail(
                job.id, f"Its process could not be started: {problem}", "Start it again.", job.created_at
            )
            raise
        self.table.launched(job.id, process.pid)

    def log_file(self, job_id: str) -> Path:
        """Where the process of a job writes."""
        return make_folder(self.logs) / f"{job_id}.log"

    def sweep(self, now: datetime) -> None:
        """Marks active jobs whose process is gone, or was never started, as interrupted."""
        for job in self.table.active():
            launching = job.pid is None and now - job.created_at < LAUNCHING
            if not launching and (job.pid is None or not _alive(job.pid, job.id)):
                self.table.fail(
                    job.id,
                    "The training process ended without a word.",
                    "Start it again; the last champion still speaks.",
                    now,
                    state="interrupted",
                )


def run_job(table: JobTable, job_id: str, handlers: Mapping[str, Handler], clock: Callable[[], datetime]) -> bool:
    """Does the work of one queued job in this process; True when it succeeded.

    Errors of the tree end the job with their message; any other error does too, and is raised again.
    """
    job = table.get(job_id)
    if not table.start(job_id, os.getpid(), clock()):
        return False
    try:
        result = handlers[job.kind](job)
    except StockcastError as problem:
        table.fail(job_id, problem.message, problem.hint, clock())
        return False
    except BaseException as problem:
        table.fail(
            job_id,
            f"The job ended unexpectedly ({type(problem).__name__}).",
            "Its log file has the details; start it again.",
            clock(),
        )
        raise
    return table.succeed(job_id, result, clock())


def _alive(pid: int, job_id: str) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it exists, and belongs to somebody else
        pass
    return pid == os.getpid() or (not _zombie(pid) and _works_on(pid, job_id))


def _works_on(pid: int, job_id: str) -> bool:
    """Numbers of processes are given out anew, soonest in a restarted container: does this one name the job?"""
    try:
        return job_id.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # no /proc on this system
        return True


def _zombie(pid: int) -> bool:
    """A child that has ended but was never waited for still answers to signal 0."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False
