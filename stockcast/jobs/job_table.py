"""The job table: what was asked for, how far it is, how it ended. A page or a terminal only looks at it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import sqlalchemy
from pydantic import JsonValue
from sqlalchemy import Row, func, insert, select, update

from stockcast.database import Database
from stockcast.errors import TrainingActive, UnknownJob
from stockcast.tables import job_events, jobs

State = Literal["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]
ACTIVE: tuple[State, ...] = ("queued", "running")
TRAIN = "train"


@dataclass(frozen=True)
class Job:
    """One piece of long work. `request` and `result` are plain data that the kind of job understands."""

    id: str
    kind: str
    universe: str
    state: State
    request: Mapping[str, JsonValue]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    pid: int | None
    progress: float  # 0 to 1
    result: Mapping[str, JsonValue] | None
    error: str | None
    hint: str | None

    @property
    def active(self) -> bool:
        """Whether it still has something to do."""
        return self.state in ACTIVE


@dataclass(frozen=True)
class JobEvent:
    """Something that happened in a job, numbered from 1."""

    number: int
    at: datetime
    kind: str
    payload: Mapping[str, JsonValue]


class JobTable:
    """Jobs and their events. Every change is one transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def submit(self, kind: str, universe: str, request: Mapping[str, JsonValue], now: datetime) -> Job:
        """Queues a job. Raises TrainingActive when the universe has an active training already."""
        job_id = uuid.uuid4().hex[:12]
        with self.database.write() as connection:
            if kind == TRAIN:
                active = connection.execute(
                    select(jobs.c.id).where(
                        jobs.c.kind == TRAIN, jobs.c.universe == universe, jobs.c.state.in_(ACTIVE)
                    )
                ).scalar()
                if active is not None:
                    raise TrainingActive(
                        f"A training of {universe} is active already (job {active}).",
                        "Wait for it, or open it on the Train page.",
                        active,
                    )
            connection.execute(
                insert(jobs).values(
                    id=job_id,
                    kind=kind,
                    universe=universe,
                    state="queued",
                    request=dict(request),
                    created_at=now,
                    progress=0.0,
                )
            )
        return self.get(job_id)

    def launched(self, job_id: str, pid: int) -> None:
        """Notes the process that was started for a queued job."""
        self._change(job_id, ("queued",), pid=pid)

    def start(self, job_id: str, pid: int, now: datetime) -> bool:
        """Takes a queued job; False when another process was faster."""
        return self._change(job_id, ("queued",), state="running", pid=pid, started_at=now)

    def report(
        self, job_id: str, kind: str, payload: Mapping[str, JsonValue], progress: float, now: datetime
    ) -> None:
        """Adds an event and moves the progress."""
        with self.database.write() as connection:
            newest = select(func.coalesce(func.max(job_events.c.number), 0)).where(job_events.c.job_id == job_id)
            number = int(connection.execute(newest).scalar_one()) + 1
            connection.execute(
                insert(job_events).values(job_id=job_id, number=number, at=now, kind=kind, payload=dict(payload))
            )
            connection.execute(update(jobs).where(jobs.c.id == job_id).values(progress=progress))

    def succeed(self, job_id: str, result: Mapping[str, JsonValue], now: datetime) -> bool:
        """Ends a running job well."""
        return self._change(
            job_id, ("running",), state="succeeded", result=dict(result), progress=1.0, finished_at=now
        )

    def fail(self, job_id: str, error: str, hint: str, now: datetime, state: State = "failed") -> bool:
        """Ends an active job badly, with what went wrong and what to do."""
        return self._change(job_id, ACTIVE, state=state, error=error, hint=hint, finished_at=now)

    def get(self, job_id: str) -> Job:
        """One job. Raises UnknownJob."""
        with self.database.read() as connection:
            row = connection.execute(select(jobs).where(jobs.c.id == job_id)).first()
        if row is None:
            raise UnknownJob(f"There is no job {job_id[:40]!r}.", "List them with: stockcast jobs list")
        return _job(row)

    def active(self) -> list[Job]:
        """Every job that is queued or running, the oldest first."""
        wanted = select(jobs).where(jobs.c.state.in_(ACTIVE)).order_by(jobs.c.created_at)
        with self.database.read() as connection:
            return [_job(row) for row in connection.execute(wanted)]

    def recent(self, universe: str | None = None, kind: str | None = None, limit: int = 20) -> list[Job]:
        """The newest jobs first."""
        wanted = select(jobs).order_by(jobs.c.created_at.desc()).limit(limit)
        if universe is not None:
            wanted = wanted.where(jobs.c.universe == universe)
        if kind is not None:
            wanted = wanted.where(jobs.c.kind == kind)
        with self.database.read() as connection:
            return [_job(row) for row in connection.execute(wanted)]

    def events(self, job_id: str, after: int = 0) -> list[JobEvent]:
        """Events of a job in order, those after a number already seen."""
        wanted = (
            select(job_events)
            .where(job_events.c.job_id == job_id, job_events.c.number > after)
            .order_by(job_events.c.number)
        )
        with self.database.read() as connection:
            return [
                JobEvent(row.number, _aware(row.at), row.kind, row.payload) for row in connection.execute(wanted)
            ]

    def _change(self, job_id: str, states: tuple[State, ...], **values: object) -> bool:
        with self.database.write() as connection:
            changed: sqlalchemy.CursorResult[tuple[object, ...]] = connection.execute(
                update(jobs).where(jobs.c.id == job_id, jobs.c.state.in_(states)).values(**values)
            )
            return changed.rowcount == 1


def _job(row: Row[tuple[object, ...]]) -> Job:
    return Job(
        id=row.id,
        kind=row.kind,
        universe=row.universe,
        state=row.state,
        request=row.request,
        created_at=_aware(row.created_at),
        started_at=row.started_at and _aware(row.started_at),
        finished_at=row.finished_at and _aware(row.finished_at),
        pid=row.pid,
        progress=row.progress,
        result=row.result,
        error=row.error,
        hint=row.hint,
    )


def _aware(moment: datetime) -> datetime:
    """SQLite forgets time zones; everything is stored as UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
