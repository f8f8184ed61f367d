"""Looks after running jobs whose process may be gone: they are queued again, or ended when that was too often."""

from __future__ import annotations

from datetime import datetime, timedelta

from stockcast.jobs.job import INTERRUPTED, Job, State
from stockcast.jobs.job_table import JobTable
from stockcast.logs import get_logger

# A process that was asked to stop has this long for its checkpoint before it is killed.
GRACE = timedelta(seconds=20)
DEAF = "its process did not stop when it was asked to"

_log = get_logger(__name__)


def sweep(table: JobTable) -> list[Job]:
    """Puts right what lost its process, and returns those jobs as they are now.

    A job of this machine is looked after at once, by its process; one of another machine when its lease runs out.
    A process that holds on after its lease, or does not stop when asked, is killed first.
    """
    swept = []
    for job in table.active():
        if job.state == "running":
            reason = _lost(job, table.now())
            if reason is not None and _settle(table, job, reason):
                swept.append(table.get(job.id))
                _tell(swept[-1], reason)
    return swept


def _tell(job: Job, reason: str) -> None:
    """Logs what became of a job that its process could not tell of."""
    tell = _log.bind(job_id=job.id, job_kind=job.kind, attempt=job.attempt, universe=job.universe, reason=reason)
    if job.state in ("queued", "running", "interrupted"):  # running: another process was quick
        tell.warning("job_interrupted", resumes=job.active)
    elif job.state == "failed":
        tell.error("job_failed", error=job.error, hint=job.hint)
    else:
        tell.info("job_cancelled", error=job.error)


def _lost(job: Job, now: datetime) -> str | None:
    """Why a running job has no process any more; None when it is in good hands."""
    process = job.process
    expired = job.lease_until is None or job.lease_until < now
    if process is None:
        return "its process is unknown"
    if not process.here:
        return f"its machine {process.host} was not heard of again" if expired else None
    if not process.alive():
        return "its process was killed"
    if expired:
        process.kill()
        return "its process stood still"
    if _overdue(job, now):
        process.kill()
        return DEAF
    return None


def _overdue(job: Job, now: datetime) -> bool:
    asked = [moment for moment in (job.cancel_requested_at, job.deadline) if moment is not None]
    return any(moment + GRACE < now for moment in asked)


def _settle(table: JobTable, job: Job, reason: str) -> bool:
    if job.cancel_requested_at is not None:
        return table.end(job, "cancelled", error="It was cancelled.", hint="Start it again whenever you like.")
    if reason == DEAF:  # a machine that was off for so long is no reason to give up
        return table.end(
            job, "failed", error="It took longer than a job may take.", hint="Raise STOCKCAST_JOB_HOURS."
        )
    if job.attempt < job.attempts_allowed:
        return table.give_back(job, INTERRUPTED, {"attempt": job.attempt, "reason": reason}, counts=True)
    state: State = "failed" if job.attempt > 1 else "interrupted"
    gave_up = f"It gave up after {job.attempt} attempts" if job.attempt > 1 else "It was interrupted"
    return table.end(
        job,
        state,
        error=f"{gave_up}: {reason}.",
        hint=f"Its log may say why. Try again with: stockcast jobs retry {job.id}",
    )
