"""Which queued jobs a broker has to ring for.

A message is only a bell: it wakes somebody who then looks at the job table. So a bell may be lost with its broker,
or come twice. What nobody has come for is rung for again, ever more seldom, as a queue may be long.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, update

from stockcast.jobs.job import Job
from stockcast.jobs.job_table import JobTable
from stockcast.tables import jobs

SOON, SELDOM = timedelta(seconds=5), timedelta(minutes=5)


def to_ring(table: JobTable) -> Iterator[Job]:
    """Queued jobs that are due a bell, oldest first. Each is given to one caller, who rings before the next."""
    now = table.now()
    return (job for job in table.active() if _due(job, now) and _take(table, job, now))


def not_rung(table: JobTable, job: Job) -> None:
    """The bell could not be rung: whoever looks next tries again."""
    with table.database.write() as connection:
        connection.execute(update(jobs).where(jobs.c.id == job.id).values(rung_at=None))


def patience(job: Job) -> timedelta:
    """How long after a bell the next one comes: as long as it had waited by then, within bounds."""
    assert job.rung_at is not None
    return min(SELDOM, max(SOON, job.rung_at - job.created_at))


def _due(job: Job, now: datetime) -> bool:
    return job.state == "queued" and (job.rung_at is None or now - job.rung_at >= patience(job))


def _take(table: JobTable, job: Job, now: datetime) -> bool:
    quiet: ColumnElement[bool] = jobs.c.rung_at.is_(None)
    if job.rung_at is not None:
        quiet = or_(quiet, jobs.c.rung_at <= now - patience(job))
    with table.database.write() as connection:
        taken = update(jobs).where(jobs.c.id == job.id, jobs.c.state == "queued", quiet).values(rung_at=now)
        return connection.execute(taken).rowcount == 1
