"""What a job is doing, in words and figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from stockcast.jobs.job import EPOCH, Job, JobEvent
from stockcast.ui.domain_words import told
from stockcast.ui.format import seconds
from stockcast.ui.language import _, ngettext

_LOG_BYTES = 6000
_RECENT = 5  # epochs whose pace is taken for the rest
_AFTERWARDS = 5.0  # seconds that judging and registering take, about


def headline(job: Job, before: int) -> str:
    """Its state for a person; `before` jobs are queued or running ahead of it."""
    if job.cancel_requested_at is not None and job.active:
        return _("Cancelling: it ends within 25 seconds")
    if job.resuming:
        return _("Interrupted, resuming ({attempt}/{attempts_allowed})").format(
            attempt=job.attempt + 1, attempts_allowed=job.attempts_allowed
        )
    if job.state == "queued":
        waiting = ngettext("Waiting for {before} other job", "Waiting for {before} other jobs", before)
        return waiting.format(before=before) if before else _("Starting a worker")
    doing = told(job.phase) if job.phase else _("Running")
    if job.attempt <= 1:
        return doing
    return _("{doing} (attempt {attempt} of {attempts_allowed})").format(
        doing=doing, attempt=job.attempt, attempts_allowed=job.attempts_allowed
    )


def time_left(events: Sequence[JobEvent]) -> float | None:
    """Most seconds that a training still takes, at the pace of its last epochs; None before there is one."""
    epochs = [event.payload for event in events if event.kind == EPOCH]
    if not epochs:
        return None
    recent = [float(str(epoch["seconds"])) for epoch in epochs[-_RECENT:]]
    left = int(str(epochs[-1]["of"])) - int(str(epochs[-1]["number"]))
    return left * sum(recent) / len(recent) + _AFTERWARDS


def elapsed(job: Job, now: datetime) -> str:
    """How long ago it was asked for."""
    return seconds(max(0.0, (now - job.created_at).total_seconds()))


def log_tail(file: Path, lines: int = 30) -> str | None:
    """The last lines of a job's log; None when it has none on this machine."""
    if not file.is_file():
        return None
    with open(file, "rb") as log:
        log.seek(max(0, file.stat().st_size - _LOG_BYTES))
        text = log.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:])
