"""Does jobs in this very process: takes one, holds it, and brings it to an end whatever happens."""

from __future__ import annotations

import contextlib
import errno
import gc
import math
import os
import select
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from pydantic import JsonValue

from stockcast.errors import (
    DatabaseUnavailable,
    DiskFull,
    JobCancelled,
    JobPaused,
    JobSuperseded,
    StockcastError,
)
from stockcast.jobs.hands import DONE
from stockcast.jobs.job import INTERRUPTED, Job, State
from stockcast.jobs.job_table import JobTable
from stockcast.jobs.lease import Lease
from stockcast.jobs.process import Process, give_way
from stockcast.logs import beside_a_file, get_logger, log_context
from stockcast.tracing import NO_SPAN, Span, Traces

# Does the work of one kind of job: takes what was asked for and who watches, returns the result.
Handler = Callable[[Job, Lease], Mapping[str, JsonValue]]
Tell = Callable[[str], None]
LOOK = 0.2  # seconds between two looks at an empty queue

_log = get_logger(__name__)


class Work:
    """What a process that does jobs needs: the table, a handler per kind, and how to tie up what a job leaves."""

    def __init__(
        self,
        table: JobTable,
        handlers: Mapping[str, Handler],
        tie_up: Callable[[Job], None],
        traces: Traces | None = None,
    ) -> None:
        self.table = table
        self.handlers = handlers
        self.tie_up = tie_up
        self.traces = traces
        self._polite = False
        self._settled = False

    def loop(self, logs: Path, linger: float, leave: threading.Event, say: Tell) -> None:
        """Takes job after job until the queue has been empty for `linger` seconds or `leave` is set.

        It lingers only after it has done something: one that came too late for the job goes at once. It also goes
        when the process that started it is gone, as nobody would watch over it.
        """
        self._polite = True
        parent, me, idle_since, done = os.getppid(), Process.current(), time.monotonic(), 0
        while not leave.is_set() and os.getppid() == parent:
            try:
                job = self.table.claim(me)
            except DatabaseUnavailable as problem:
                say(str(problem))
                leave.wait(2.0)
                continue
            if job is None:
                if time.monotonic() - idle_since >= (linger if done else 0):
                    return
                leave.wait(LOOK)
                continue
            self._take(job, logs, leave, say)
            idle_since, done = time.monotonic(), done + 1

    def told(self, names: Iterable[str], logs: Path, leave: threading.Event, say: Tell) -> None:
        """Sees to the jobs that are named; one that somebody else has, or that has ended, needs nothing."""
        self._polite = True
        me = Process.current()
        for name in names:
            try:
                job = self.table.claim(me, name)
                if job is not None:
                    self._take(job, logs, leave, say)
            except DatabaseUnavailable as problem:  # it is rung for again
                say(str(problem))
            say(f"{DONE} {name}")

    def do(self, job: Job, leave: threading.Event, tell: Tell) -> Job:
        """Does one job that this process has taken, and returns it as it is then; what goes wrong is kept with it.

        Raises KeyboardInterrupt, or DatabaseUnavailable: then the lease runs out, and the job is taken up again.
        """
        tell(f"Job {job.id}: {job.title}, attempt {job.attempt}")
        span, outcome = self._begin_span(job), "unknown"
        with log_context(job_id=job.id, job_kind=job.kind, attempt=job.attempt, **span.ids):
            _log.info("job_started", universe=job.universe)
            try:
                outcome = self._attempt(job, leave, tell, span)
            except KeyboardInterrupt:
                outcome = "cancelled"
                self._end(job, "cancelled", StockcastError("It was stopped by hand.", "Start it again."), tell)
                raise
            finally:
                span.end({"stockcast.job.outcome": outcome})
        ended = self.table.get(job.id)
        tell(f"Job {job.id} is {ended.state}")
        if not ended.active:
            # Whatever is left open now is tied up by a later sweep.
            with contextlib.suppress(StockcastError):
                self.tie_up(ended)
        return ended

    def help(self, part: Job, lease: Lease) -> Job:
        """Does a part of a job that this process does."""
        return self.do(part, lease.leave, lease.tell)

    def _take(self, job: Job, logs: Path, leave: threading.Event, say: Tell) -> None:
        say(f"{job.id}: {job.title}, attempt {job.attempt}")
        with log_to(logs / f"{job.id}.log") as tell:
            ended = self.do(job, leave, tell)
        say(f"{job.id}: {ended.state}")
        if not self._settled:
            settle()
            self._settled = True

    def _under_way(self) -> None:
        """A background process loads its libraries at full speed; from its first epoch on the pages come first."""
        if self._polite:
            give_way()
            self._polite = False

    def _begin_span(self, job: Job) -> Span:
        if self.traces is None:
            return NO_SPAN
        told: dict[str, str | int] = {
            "stockcast.job.id": job.id,
            "stockcast.job.kind": job.kind,
            "stockcast.job.attempt": job.attempt,
            "stockcast.universe": job.universe,
        }
        if job.parent is not None:
            told["stockcast.job.parent"] = job.parent
        return self.traces.begin("job", " ".join(("job", job.kind)), told)

    def _attempt(self, job: Job, leave: threading.Event, tell: Tell, span: Span) -> str:
        """Tells how it went, in a word for programs."""
        started = time.monotonic()
        try:
            with Lease(self.table, job, leave, tell, self._under_way, span.event) as lease:
                lease.check()
                result = self.handlers[job.kind](job, lease)
        except JobCancelled as problem:
            self._end(job, "cancelled", problem, tell)
            return "cancelled"
        except JobPaused as problem:
            payload: dict[str, JsonValue] = {"attempt": job.attempt, "reason": problem.message}
            if self.table.give_back(job, INTERRUPTED, payload, counts=False):
                _log.info("job_interrupted", universe=job.universe, reason=problem.message, resumes=True)
            return "paused"
        except JobSuperseded as problem:
            tell(problem.message)
            return "superseded"
        except StockcastError as problem:
            span.failed(type(problem).__name__)
            self._end(job, "failed", problem, tell)
            return "failed"
        except Exception as problem:
            span.failed(type(problem).__name__)
            tell(traceback.format_exc())
            told = disk_full(problem) or StockcastError(
                f"The job ended unexpectedly ({type(problem).__name__}).", "Its log has the details; try it again."
            )
            self._end(job, "failed", told, tell, problem)
            return "failed"
        else:
            if self.table.end(job, "succeeded", result=result):
                seconds = round(time.monotonic() - started, 2)
                _log.info("job_finished", universe=job.universe, seconds=seconds)
            return "succeeded"

    def _end(
        self, job: Job, state: State, why: StockcastError, tell: Tell, unforeseen: Exception | None = None
    ) -> None:
        """Ends a job badly, and tells so unless another process has it by now.

        The job's own log says why before the job has ended: whoever waits for the end reads it then.
        """
        tell(f"{why.message} {why.hint}")
        if not self.table.end(job, state, error=why.message, hint=why.hint):
            return
        if state == "cancelled":
            _log.info("job_cancelled", universe=job.universe, error=why.message)
        else:
            _log.error("job_failed", universe=job.universe, error=why.message, hint=why.hint, exc_info=unforeseen)


def names_told(linger: float, leave: threading.Event) -> Iterator[str]:
    """Lines of standard input, until it is closed, `linger` seconds have passed since the last, or `leave` is set.

    The first is waited for however long it takes: who starts a process to tell it something does so.
    """
    heard, idle_since = b"", math.inf
    while not leave.is_set() and time.monotonic() - idle_since <= linger:
        if not select.select([0], [], [], LOOK)[0]:
            continue
        more = os.read(0, 4096)
        if not more:  # whoever told us is gone
            return
        *names, heard = (heard + more).split(b"\n")
        yield from (name.decode() for name in names if name)
        idle_since = time.monotonic()


def disk_full(problem: BaseException | None) -> DiskFull | None:
    """The same in a sentence, when a full disk is behind an error."""
    while problem is not None:
        if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT):
            where = f" at {problem.filename}" if problem.filename else ""
            return DiskFull(
                f"The disk is full{where}.",
                "Free some space, a few hundred megabytes for a training; then try again.",
            )
        problem = problem.__cause__ or problem.__context__
    return None


@contextlib.contextmanager
def log_to(file: Path) -> Iterator[Tell]:
    """Sends all that this process writes, its libraries included, to a file; and a way to write a line there."""
    _flush()
    kept = os.dup(1), os.dup(2)
    try:
        with open(file, "ab", buffering=0) as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        with beside_a_file(kept[1]):
            yield write_line
    finally:
        _flush()
        for number, before in zip((1, 2), kept, strict=True):
            os.dup2(before, number)
            os.close(before)


def settle() -> None:
    """What is loaded by now stays: no later search for garbage goes through it, half a second each time."""
    gc.collect()
    gc.freeze()


def _flush() -> None:
    """What was printed belongs to where it was meant to go."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


def write_line(text: str) -> None:
    """A line with the time before it on stdout; a full disk does not stop the work."""
    with contextlib.suppress(OSError):
        os.write(1, f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {text}\n".encode(errors="replace"))
