"""`stockcast jobs` and `stockcast worker`: long work that was asked for on a page."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from stockcast.cli.output import AsJson, open_workspace, print_json, print_table, say

if TYPE_CHECKING:
    from stockcast.jobs.job_table import Job

jobs_app = typer.Typer(help="Trainings that run in the background.", no_args_is_help=True)


@jobs_app.command("list")
def list_jobs(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    workspace = open_workspace()
    workspace.runner.sweep(workspace.clock())
    found = workspace.jobs.recent(limit=limit)
    if as_json:
        print_json([asdict(job) for job in found])
        return
    print_table(
        "Jobs",
        ("job", "kind", "universe", "state", "progress", "created", "error"),
        [
            (
                job.id,
                job.kind,
                job.universe,
                job.state,
                f"{job.progress:.0%}",
                f"{job.created_at:%Y-%m-%d %H:%M}",
                job.error,
            )
            for job in found
        ],
    )


@jobs_app.command("show")
def show_job(job_id: Annotated[str, typer.Argument(help="A job's id.")], as_json: AsJson = False) -> None:
    """Show one job with its events."""
    workspace = open_workspace()
    workspace.runner.sweep(workspace.clock())
    job = workspace.jobs.get(job_id)
    events = workspace.jobs.events(job_id)
    if as_json:
        print_json({**asdict(job), "events": [asdict(event) for event in events]})
        return
    say(_line(job))
    for event in events:
        say(f"  {event.at:%H:%M:%S} {event.kind} {dict(event.payload)}")


def worker_command(
    job_id: Annotated[str, typer.Option("--job", help="The queued job to do.")],
) -> None:
    """Do the work of one queued job in this process; the dashboard starts this by itself."""
    if not open_workspace().run_job(job_id):
        sys.exit(1)


def _line(job: Job) -> str:
    ending = f": {job.error} {job.hint}" if job.error else ""
    return f"{job.kind} of {job.universe} is {job.state} ({job.progress:.0%}){ending}"
