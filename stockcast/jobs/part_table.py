"""Parts: jobs of which another job consists, and what they have made for it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import JsonValue
from sqlalchemy import Select, delete, insert, select

from stockcast.errors import JobError
from stockcast.jobs.job import ENDED_BADLY, Job
from stockcast.jobs.job_table import ATTEMPTS, JobTable
from stockcast.tables import job_contents, jobs

KEPT = timedelta(days=1)  # for which a job that failed can go on with the parts that are done


@dataclass(frozen=True)
class Part:
    """A piece of a job, as it is asked for."""

    kind: str
    request: Mapping[str, JsonValue]


class PartTable:
    """The parts of jobs, in the job table."""

    def __init__(self, table: JobTable) -> None:
        self.table = table

    def add(self, job: Job, parts: Sequence[Part]) -> list[Job]:
        """Queues the parts of a running job and returns them in this order.

        A job that goes on after it lost its process has them already; those that ended badly are queued again.
        Raises JobSuperseded when another process has taken the job.
        """
        with self.table.database.write() as connection:
            now = self.table.hold(connection, job)
            there = connection.execute(select(jobs.c.id).where(jobs.c.parent == job.id).limit(1)).first()
            if there is None:
                connection.execute(
                    insert(jobs),
                    [
                        {
                            "id": uuid.uuid4().hex[:12], "kind": part.kind, "universe": job.universe,
                            "state": "queued", "request": {**part.request, "part": number},
                            # The oldest is taken first.
                            "created_at": now + timedelta(microseconds=number),
                            "progress": 0.0, "attempt": 0, "attempts_allowed": ATTEMPTS, "loose_ends": False,
                            "parent": job.id,
                        }
                        for number, part in enumerate(parts, 1)
                    ],
                )  # fmt: skip
        found = self.of(job.id)
        for part in found:
            if part.state in ENDED_BADLY:
                self.table.retry(part.id)
        return self.of(job.id) if there is not None else found

    def of(self, job_id: str) -> list[Job]:
        """The parts of a job, in order."""
        found = self.table.select(select(jobs).where(jobs.c.parent == job_id))
        return sorted(found, key=lambda part: int(str(part.request["part"])))

    def keep(self, part: Job, content: bytes) -> None:
        """Keeps what a running part has made. Raises JobSuperseded when another process has taken it."""
        with self.table.database.write() as connection:
            self.table.hold(connection, part)
            connection.execute(delete(job_contents).where(job_contents.c.job_id == part.id))
            connection.execute(insert(job_contents).values(job_id=part.id, content=content))

    def content(self, part: Job) -> bytes:
        """What a part has made. Raises JobError when it is not kept any more."""
        wanted = select(job_contents.c.content).where(job_contents.c.job_id == part.id)
        with self.table.database.read() as connection:
            found = connection.execute(wanted).scalar_one_or_none()
        if found is None:
            raise JobError(
                f"What the part {part.id} of a job has made is not kept any more.", "Start the job again."
            )
        return bytes(found)

    def forget(self, job_id: str) -> None:
        """Drops what the parts of a job have made, when nobody will ask for it again."""
        self._drop(select(jobs.c.id).where(jobs.c.parent == job_id))

    def forget_old(self) -> None:
        """Drops what nobody has gathered for KEPT, as its job ended badly."""
        self._drop(select(jobs.c.id).where(jobs.c.finished_at < self.table.now() - KEPT))

    def _drop(self, of: Select[tuple[str]]) -> None:
        with self.table.database.write() as connection:
            connection.execute(delete(job_contents).where(job_contents.c.job_id.in_(of)))
