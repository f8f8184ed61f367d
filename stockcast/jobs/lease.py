"""A job held by this process: its lease is kept, its progress told, and word comes back when it should stop.

A thread of its own does this, so that a training never waits for the database. The work hears of a cancel, a lost
lease or a process that is asked to leave at its next word to the observer.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import TracebackType

from pydantic import JsonValue

from stockcast.errors import (
    DatabaseUnavailable,
    JobCancelled,
    JobOverdue,
    JobPaused,
    JobSuperseded,
    StockcastError,
    UnknownJob,
)
from stockcast.forecasting.observer import Epoch
from stockcast.jobs.job import EPOCH, NOTE, Job
from stockcast.jobs.job_table import LEASE, JobTable

BEAT = 0.5  # seconds between two looks at the job
RENEWAL = 10.0  # seconds after which a lease is renewed though nothing has changed


class Lease:
    """The observer of a job's work, from `with` to its end."""

    def __init__(
        self,
        table: JobTable,
        job: Job,
        leave: threading.Event,
        tell: Callable[[str], None],
        under_way: Callable[[], None] = lambda: None,
        phase_began: Callable[[str], None] = lambda phase: None,
    ) -> None:
        self.job = job
        self._table = table
        self.leave = leave
        self.tell = tell
        self._under_way = under_way
        self._phase_began = phase_began
        self._phase = job.phase or ""
        self._progress = job.progress
        self._stop: StockcastError | None = None
        self._ended = threading.Event()
        told = table.events(job.id, kind=EPOCH)
        self._last_epoch = max((int(str(event.payload["number"])) for event in told), default=0)
        left = table.time_limit if job.deadline is None else job.deadline - table.now()
        self._deadline = time.monotonic() + left.total_seconds()
        self._thread = threading.Thread(target=self._keep, name=f"lease of {job.id}", daemon=True)

    def __enter__(self) -> Lease:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _problem: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    # What the work says

    def doing(self, phase: str, progress: float) -> None:
        """Raises JobCancelled, JobPaused, JobSuperseded or JobOverdue when the work is to stop."""
        if phase != self._phase and not phase.startswith("Epoch"):
            self.tell(phase)
            self._phase_began(phase)
        self._phase, self._progress = phase, max(self._progress, progress)
        self.check()

    def epoch(self, epoch: Epoch) -> None:
        """Writes an epoch down, once."""
        self.check()
        if epoch.number <= self._last_epoch:
            return
        self._last_epoch = epoch.number
        self._under_way()
        payload = {
            name: value if not isinstance(value, float) or math.isfinite(value) else None
            for name, value in (asdict(epoch) | {"ended_at": epoch.ended_at.isoformat()}).items()
        }
        self.report(EPOCH, payload)
        self.tell(
            f"Epoch {epoch.number} of {epoch.of}: training loss {epoch.train_loss:.4f}, validation loss "
            f"{epoch.validation_loss:.4f}, best {epoch.best_validation_loss:.4f}, {epoch.seconds:.2f} s"
        )

    def note(self, sentence: str) -> None:
        """Keeps a sentence for people among the job's events."""
        self.tell(sentence)
        self.report(NOTE, {"sentence": sentence})

    def report(self, kind: str, payload: Mapping[str, JsonValue]) -> None:
        """Adds an event, waiting for a database that is away for a moment.

        Raises JobSuperseded when the job belongs to another process by now, or may do so.
        """
        while True:
            try:
                return self._table.report(self.job, kind, payload)
            except DatabaseUnavailable:
                if self._stop is not None or self._ended.wait(BEAT):
                    raise _superseded(self.job) from None

    def check(self) -> None:
        """Raises what the work is to stop with, if anything."""
        if self._stop is not None:
            raise self._stop
        if self.leave.is_set():
            raise JobPaused(
                "The process was asked to leave; the job goes on from its last checkpoint.",
                "It is queued again: a worker takes it up.",
            )

    # The thread

    def _keep(self) -> None:
        told: tuple[str, float] = ("", -1.0)
        renewed = time.monotonic()
        while not self._ended.wait(BEAT) and self._stop is None:
            try:
                said = (self._phase, self._progress)
                if said != told or time.monotonic() - renewed > RENEWAL:
                    found = self._table.renew(self.job, *said)
                    told, renewed = said, time.monotonic()
                else:
                    found = self._table.get(self.job.id)
                self._stop = self._reason_to_stop(found)
            except DatabaseUnavailable:
                # It may come back. Until then the lease runs out, and somebody else may have the job.
                if time.monotonic() - renewed > LEASE.total_seconds():
                    self._stop = _superseded(self.job)
            except (JobSuperseded, UnknownJob):
                self._stop = _superseded(self.job)

    def _reason_to_stop(self, found: Job) -> StockcastError | None:
        if found.attempt != self.job.attempt or found.state != "running":
            return _superseded(self.job)
        if found.cancel_requested_at is not None:
            return JobCancelled("It was cancelled.", "Start it again whenever you like.")
        if time.monotonic() > self._deadline:
            hours = self._table.time_limit.total_seconds() / 3600
            return JobOverdue(
                f"It took longer than {hours:g} h.", "Give it less to do, or raise STOCKCAST_JOB_HOURS."
            )
        return None


def _superseded(job: Job) -> JobSuperseded:
    return JobSuperseded(
        f"Attempt {job.attempt} of job {job.id} lost it to another process.",
        "Look at it with: stockcast jobs show",
    )
