"""Follows a job from the terminal: a progress bar for a person, and a question when that one presses Ctrl-C."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import typer

from stockcast.errors import JobCancelled, TrainingFailed

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from stockcast.jobs.job import Job
    from stockcast.workspace import Workspace

LOOK = 0.2  # seconds
CARE = 2.0  # seconds between two looks after its process


def follow(workspace: Workspace, job: Job, shown: bool) -> Job:
    """Waits until a job has ended and returns it; Ctrl-C asks whether to detach or to cancel."""
    while True:
        try:  # also while what follows is loaded
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            console = Console(stderr=True)
            percent = TextColumn("{task.percentage:3.0f} %")
            columns = (TextColumn("{task.description}"), BarColumn(), percent, TimeElapsedColumn())
            with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as progress:
                return _watch(workspace, job.id, progress, progress.add_task("Queued", total=1.0))
        except KeyboardInterrupt:
            _ask(workspace, job)


def ended_well(job: Job) -> Job:
    """The job if it succeeded. Raises JobCancelled, or TrainingFailed with what was left as the reason."""
    if job.state == "succeeded":
        return job
    message, hint = job.error or f"The job is {job.state}.", job.hint or f"See: stockcast jobs show {job.id}"
    raise (JobCancelled if job.state == "cancelled" else TrainingFailed)(message, hint)


def _watch(workspace: Workspace, job_id: str, progress: Progress, task: TaskID) -> Job:
    cared = 0.0
    while True:
        if time.monotonic() - cared > CARE:
            workspace.desk.look_after()
            cared = time.monotonic()
        job = workspace.jobs.get(job_id)
        progress.update(task, completed=job.progress, description=describe(job))
        if not job.active:
            return job
        time.sleep(LOOK)


def describe(job: Job) -> str:
    """What a job does just now, in a few words."""
    again = f" ({job.attempt}/{job.attempts_allowed})" if job.attempt > 1 else ""
    if job.resuming:
        return f"Interrupted, resuming ({job.attempt + 1}/{job.attempts_allowed})"
    if job.cancel_requested_at is not None and job.active:
        return "Cancelling"
    return f"{job.phase}{again}" if job.phase else job.state.capitalize()


def _ask(workspace: Workspace, job: Job) -> None:
    """Detaching ends the command; after cancelling it waits for the end. Without a person it cancels."""
    answer = "c"
    if sys.stdin.isatty():
        typer.echo(err=True)
        answer = (
            typer.prompt("Detach and let it go on (d), or cancel it (c)?", default="d", err=True).strip().lower()
        )
    if answer.startswith("c"):
        workspace.jobs.cancel(job.id)
        return
    typer.echo(f"It goes on as job {job.id}. See: stockcast jobs show {job.id}", err=True)
    raise typer.Exit(0)
