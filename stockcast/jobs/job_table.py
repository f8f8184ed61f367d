"""The job table: what was asked for, who does it, how far it is, how it ended.

It is the truth, whatever runs the jobs. Every change is one transaction; what a process writes about a job that it
took names the attempt (a fencing token), so that a process which lost its lease touches no row. Times are the
database's own, since clocks of several machines disagree.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy
from pydantic import JsonValue
from sqlalchemy import Connection, Row, case, func, insert, select, true, update
from sqlalchemy.exc import IntegrityError

from stockcast.database import Database, utc
from stockcast.errors import JobSuperseded, TrainingActive, UnknownJob
from stockcast.jobs.job import ACTIVE, ATTEMPT, ENDED_BADLY, TRAIN, TRIAL, Job, JobEvent, State
from stockcast.jobs.process import Process
from stockcast.tables import job_events, jobs

ATTEMPTS = 3
LEASE = timedelta(seconds=30)
TIME_LIMIT = timedelta(hours=12)

Clock = Callable[[Connection], datetime]


class JobTable:
    """Jobs and their events."""

    def __init__(
        self, database: Database, *, time_limit: timedelta = TIME_LIMIT, clock: Clock = Database.now
    ) -> None:
        self.database = database
        self.time_limit = time_limit
        self.clock = clock

    # Asking

    def submit(
        self,
        kind: str,
        universe: str,
        request: Mapping[str, JsonValue],
        *,
        key: str | None = None,
        taken_by: Process | None = None,
    ) -> Job:
        """Queues a job; the same key again gives the same job. With `taken_by` that process does it at once, and
        nobody goes on with it when that process ends.

        Raises TrainingActive, which names the job, when the universe has an active training already.
        """
        job_id = uuid.uuid4().hex[:12]
        for chance in range(10):
            try:
                with self.database.write() as connection:
                    found = self._in_the_way(connection, kind, universe, key)
                    if found is None:
                        row = self._new_row(self.clock(connection), taken_by)
                        row |= {
                            "id": job_id,
                            "kind": kind,
                            "universe": universe,
                            "request": dict(request),
                            "key": key,
                        }
                        connection.execute(insert(jobs).values(row))
            except IntegrityError:  # on PostgreSQL two may look at once; the index lets one of them in
                if chance == 9:
                    raise
                continue
            if found is None:
                break
            if key is not None and found.key == key:
                return found
            raise _active(found)
        return self.get(job_id)

    def cancel(self, job_id: str) -> Job:
        """Cancels a queued job at once and asks a running one to stop; an ended one stays as it is."""
        with self.database.write() as connection:
            now = self.clock(connection)
            queued: dict[str, object] = {
                "state": "cancelled",
                "finished_at": now,
                "error": "It was cancelled while it waited.",
                "hint": "Start it again whenever you like.",
                "loose_ends": jobs.c.attempt > 0,  # an earlier attempt may have left a run open
            }
            _change(connection, job_id, jobs.c.state == "queued", **queued)
            waiting = (jobs.c.state == "running") & jobs.c.cancel_requested_at.is_(None)
            _change(connection, job_id, waiting, cancel_requested_at=now)
            _stop_parts(connection, job_id, now)
        return self.get(job_id)

    def retry(self, job_id: str) -> Job:
        """Queues an ended job anew with fresh attempts; it goes on from what is left of it.

        A job that is active or has succeeded stays as it is. Raises TrainingActive like `submit`.
        """
        job = self.get(job_id)
        values: dict[str, object] = {
            "state": "queued", "attempts_allowed": job.attempt + ATTEMPTS, "deadline": None, "error": None,
            "hint": None, "finished_at": None, "cancel_requested_at": None, "phase": None, "loose_ends": False,
            "rung_at": None,
        }  # fmt: skip
        try:
            with self.database.write() as connection:
                _change(connection, job_id, jobs.c.state.in_(ENDED_BADLY), **values)
        except IntegrityError:
            with self.database.read() as connection:
                active = self._in_the_way(connection, TRAIN, job.universe, None)
            raise _active(active or job) from None
        return self.get(job_id)

    # Doing

    def claim(self, process: Process, job_id: str | None = None) -> Job | None:
        """The oldest queued job, or the one that is named, taken by a process; None when it is not to be had."""
        named = jobs.c.id == job_id if job_id is not None else true()
        wanted = (
            select(jobs.c.id, jobs.c.attempt, jobs.c.started_at, jobs.c.deadline)
            .where(jobs.c.state == "queued", named)
            # Nobody waits for one trial of many: whatever else is asked for meanwhile comes first.
            .order_by(case((jobs.c.kind == TRIAL, 1), else_=0), jobs.c.created_at, jobs.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        with self.database.write() as connection:
            row = connection.execute(wanted).first()
            if row is None:
                return None
            now = self.clock(connection)
            values = self._taken(process, now) | {
                "attempt": row.attempt + 1,
                "started_at": row.started_at or now,
                "deadline": row.deadline or now + self.time_limit,
            }
            _change(connection, row.id, jobs.c.state == "queued", **values)
            if row.attempt:
                _add_event(connection, row.id, now, ATTEMPT, {"number": row.attempt + 1})
        return self.get(row.id)

    def renew(self, job: Job, phase: str | None, progress: float) -> Job:
        """Keeps the lease and tells how far the job is. Raises JobSuperseded when another process has taken it."""
        with self.database.write() as connection:
            self.hold(connection, job, phase=phase and phase[:200], progress=progress)
        return self.get(job.id)

    def report(self, job: Job, kind: str, payload: Mapping[str, JsonValue]) -> None:
        """Adds an event. Raises JobSuperseded when another process has taken the job."""
        with self.database.write() as connection:
            _add_event(connection, job.id, self.hold(connection, job), kind, payload)

    def hold(self, connection: Connection, job: Job, **values: object) -> datetime:
        """Keeps the lease in a transaction that writes something for a job; the database's time.

        Raises JobSuperseded when another process has taken the job.
        """
        now = self.clock(connection)
        if not _change(connection, job.id, _held(job), lease_until=now + LEASE, **values):
            raise JobSuperseded(
                f"Attempt {job.attempt} of job {job.id} no longer holds it.",
                "Another process has taken it, or it ended.",
            )
        return now

    def end(
        self,
        job: Job,
        state: State,
        *,
        result: Mapping[str, JsonValue] | None = None,
        error: str | None = None,
        hint: str | None = None,
    ) -> bool:
        """Ends a running job; False when another process has taken it, or it has ended."""
        with self.database.write() as connection:
            values: dict[str, object] = {
                "state": state, "error": _storable(error), "hint": _storable(hint), "lease_until": None,
                "loose_ends": True, "finished_at": self.clock(connection), "phase": None,
            }  # fmt: skip
            if result is not None:
                values |= {"result": _storable(dict(result)), "progress": 1.0}
            ended = _change(connection, job.id, _held(job), **values)
            if ended and state != "succeeded":
                _stop_parts(connection, job.id, self.clock(connection))
            return ended

    def give_back(self, job: Job, kind: str, payload: Mapping[str, JsonValue], *, counts: bool) -> bool:
        """Queues a running job again; with `counts` the attempt counts against those allowed."""
        with self.database.write() as connection:
            # The time limit counts anew: a machine may be off between two attempts.
            values: dict[str, object] = {
                "state": "queued", "lease_until": None, "phase": None, "deadline": None, "rung_at": None,
            }  # fmt: skip
            if not counts:
                values["attempts_allowed"] = job.attempts_allowed + 1
            if not _change(connection, job.id, _held(job), **values):
                return False
            _add_event(connection, job.id, self.clock(connection), kind, payload)
            return True

    def tied_up(self, job: Job) -> None:
        """Notes that nothing of an ended job is left open outside the database."""
        with self.database.write() as connection:
            _change(connection, job.id, jobs.c.state.notin_(ACTIVE), loose_ends=False)

    # Looking

    def get(self, job_id: str) -> Job:
        """One job. Raises UnknownJob."""
        found = self.select(select(jobs).where(jobs.c.id == job_id))
        if not found:
            raise UnknownJob(f"There is no job {job_id[:40]!r}.", "List them with: stockcast jobs list")
        return found[0]

    def active(self, kind: str | None = None, *, parts: bool = True) -> list[Job]:
        """Every job that is queued or running, the oldest first; with or without the parts of others."""
        wanted = select(jobs).where(jobs.c.state.in_(ACTIVE)).order_by(jobs.c.created_at, jobs.c.id)
        wanted = wanted if kind is None else wanted.where(jobs.c.kind == kind)
        return self.select(wanted if parts else wanted.where(jobs.c.parent.is_(None)))

    def loose(self) -> list[Job]:
        """Ended jobs of which something may still be open outside the database."""
        return self.select(select(jobs).where(jobs.c.loose_ends, jobs.c.state.notin_(ACTIVE)))

    def recent(
        self, universe: str | None = None, kind: str | None = None, limit: int = 20, state: str | None = None
    ) -> list[Job]:
        """The newest jobs first, without the parts of others."""
        wanted = (
            select(jobs).where(jobs.c.parent.is_(None)).order_by(jobs.c.created_at.desc(), jobs.c.id).limit(limit)
        )
        for column, value in ((jobs.c.universe, universe), (jobs.c.kind, kind), (jobs.c.state, state)):
            wanted = wanted if value is None else wanted.where(column == value)
        return self.select(wanted)

    def by_key(self, key: str) -> Job | None:
        """The job that was asked for under a key."""
        found = self.select(select(jobs).where(jobs.c.key == key))
        return found[0] if found else None

    def events(self, job_id: str, after: int = 0, kind: str | None = None) -> list[JobEvent]:
        """Events of a job in order, those after a number already seen."""
        wanted = (
            select(job_events)
            .where(job_events.c.job_id == job_id, job_events.c.number > after)
            .order_by(job_events.c.number)
        )
        wanted = wanted if kind is None else wanted.where(job_events.c.kind == kind)
        with self.database.read() as connection:
            return [JobEvent(row.number, utc(row.at), row.kind, row.payload) for row in connection.execute(wanted)]

    def now(self) -> datetime:
        """The database's time."""
        with self.database.read() as connection:
            return self.clock(connection)

    def select(self, wanted: sqlalchemy.Select[tuple[object, ...]]) -> list[Job]:
        """Whatever rows of jobs are wanted."""
        with self.database.read() as connection:
            return [_job(row) for row in connection.execute(wanted)]

    # Inside

    def _in_the_way(self, connection: Connection, kind: str, universe: str, key: str | None) -> Job | None:
        """The job that was asked for under the same key, or else the active training of the universe."""
        same = select(jobs).where(jobs.c.key == key) if key is not None else None
        rivals = select(jobs).where(jobs.c.kind == TRAIN, jobs.c.universe == universe, jobs.c.state.in_(ACTIVE))
        for wanted in (same, rivals if kind == TRAIN else None):
            row = None if wanted is None else connection.execute(wanted).first()
            if row is not None:
                return _job(row)
        return None

    def _new_row(self, now: datetime, taken_by: Process | None) -> dict[str, object]:
        row: dict[str, object] = {
            "state": "queued",
            "created_at": now,
            "progress": 0.0,
            "attempt": 0,
            "attempts_allowed": ATTEMPTS,
            "loose_ends": False,
        }
        if taken_by is not None:
            row |= self._taken(taken_by, now)
            row |= {"attempt": 1, "attempts_allowed": 1, "started_at": now, "deadline": now + self.time_limit}
        return row

    def _taken(self, process: Process, now: datetime) -> dict[str, object]:
        return {
            "state": "running",
            "lease_until": now + LEASE,
            "host": process.host,
            "pid": process.pid,
            "pid_started": process.started,
            "phase": "Starting",
        }


def _active(job: Job) -> TrainingActive:
    return TrainingActive(
        f"A training of {job.universe} is active already (job {job.id}).",
        f"Wait for it, watch it on the Train page, or cancel it with: stockcast jobs cancel {job.id}",
        job.id,
    )


def _held(job: Job) -> sqlalchemy.ColumnElement[bool]:
    """The row as long as it belongs to this attempt."""
    return (jobs.c.attempt == job.attempt) & (jobs.c.state == "running")


def _change(
    connection: Connection, job_id: str, condition: sqlalchemy.ColumnElement[bool], **values: object
) -> bool:
    changed = connection.execute(update(jobs).where(jobs.c.id == job_id, condition).values(**values))
    return changed.rowcount == 1


def _stop_parts(connection: Connection, job_id: str, now: datetime) -> None:
    """Lets nobody begin another part of a job, and asks for an end of those that are under way."""
    parts = jobs.c.parent == job_id
    queued, told = parts & (jobs.c.state == "queued"), "The job that it is a part of has ended."
    connection.execute(
        update(jobs).where(queued).values(state="cancelled", finished_at=now, error=told, hint="Start that again.")
    )
    running = parts & (jobs.c.state == "running") & jobs.c.cancel_requested_at.is_(None)
    connection.execute(update(jobs).where(running).values(cancel_requested_at=now))


def _storable(value: JsonValue) -> JsonValue:
    """The same without what no database keeps, so that every job can be ended: NUL, half letters, no numbers."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode().replace("\x00", "")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_storable(each) for each in value]
    if isinstance(value, dict):
        return {str(_storable(name)): _storable(each) for name, each in value.items()}
    return value


def _add_event(
    connection: Connection, job_id: str, now: datetime, kind: str, payload: Mapping[str, JsonValue]
) -> None:
    """The job's row was changed in the same transaction, so that its lock keeps the numbers without gaps."""
    newest = select(func.coalesce(func.max(job_events.c.number), 0)).where(job_events.c.job_id == job_id)
    number = int(connection.execute(newest).scalar_one()) + 1
    connection.execute(
        insert(job_events).values(job_id=job_id, number=number, at=now, kind=kind, payload=dict(payload))
    )


def _job(row: Row[tuple[object, ...]]) -> Job:
    values: dict[str, Any] = {  # the columns are the fields; a test holds both against one another
        name: utc(value) if isinstance(value, datetime) else value for name, value in row._mapping.items()
    }
    return Job(**values)
