"""A job that gives its parts away: whoever is free does them, and its own process helps until all are done.

So nothing waits for a process that does not come: with one process the parts are done one after the other by the
very process that gave them away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from stockcast.errors import JobCancelled, JobError
from stockcast.jobs.job import ENDED_BADLY, Job
from stockcast.jobs.lease import Lease
from stockcast.jobs.part_table import Part, PartTable
from stockcast.jobs.process import Process

LOOK = 0.1  # seconds between two looks at parts that others do


class Parts:
    """The parts of one running job.

    `wake` calls for others, `do` does a part that this process has taken.
    """

    def __init__(
        self, table: PartTable, job: Job, lease: Lease, wake: Callable[[], None], do: Callable[[Job], object]
    ) -> None:
        self._table = table
        self._job = job
        self._lease = lease
        self._wake = wake
        self._do = do

    def give_away(self, parts: Sequence[Part]) -> list[Job]:
        """Queues parts and returns them; where an earlier attempt of the job has done so, those of then."""
        given = self._table.add(self._job, parts)
        self._wake()
        return given

    def gather(self, doing: str, *, tolerant: bool = False) -> list[Job]:
        """Helps until every part has ended, and returns them in order.

        `doing` names the work in words. Raises what the lease raises, and JobError with the
        words of a part that ended badly, unless one may (`tolerant`); other parts are not begun then.
        """
        me = Process.current()
        while True:
            parts = self._table.of(self._job.id)
            over = ("succeeded", *ENDED_BADLY) if tolerant else ("succeeded",)
            done, of = sum(part.state in over for part in parts), len(parts)
            self._lease.doing(f"{doing}: {done} of {of} done", 0.9 * done / of)
            if any(part.state == "cancelled" for part in parts):
                self._require_wanted()  # the parts may have heard of it before the lease has
            bad = None if tolerant else next((part for part in parts if part.state in ENDED_BADLY), None)
            if bad is not None:
                raise JobError(bad.error or "A part of it ended badly.", bad.hint or "Start it again.")
            if done == of:
                return parts
            if not self._help(me, parts):
                time.sleep(LOOK)

    def content(self, part: Job) -> bytes:
        """What a part has made."""
        return self._table.content(part)

    def _require_wanted(self) -> None:
        """Raises JobCancelled when somebody has cancelled the job."""
        if self._table.table.get(self._job.id).cancel_requested_at is not None:
            raise JobCancelled("It was cancelled.", "Start it again whenever you like.")

    def _help(self, me: Process, parts: Sequence[Job]) -> bool:
        """Does the first part that nobody has taken."""
        for part in parts:
            taken = self._table.table.claim(me, part.id) if part.state == "queued" else None
            if taken is not None:
                self._do(taken)
                return True
        return False
