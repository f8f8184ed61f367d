"""`stockcast jobs` and `stockcast worker`: long work, who asked for it, and the process that does it."""

from __future__ import annotations

import contextlib
import signal
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from stockcast.cli.follow import describe, ended_well, follow
from stockcast.cli.metrics_server import metrics_server
from stockcast.cli.output import AsJson, open_settings, open_workspace, print_json, print_table, say
from stockcast.errors import InvalidConfig, InvalidRequest

if TYPE_CHECKING:
    from stockcast.jobs.job import Job
    from stockcast.settings import Settings

jobs_app = typer.Typer(help="Long work: trainings, downloads, backtests.", no_args_is_help=True)
JobId = Annotated[str, typer.Argument(help="A job's id.")]


@jobs_app.command("list")
def list_jobs(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many, newest first.")] = 20,
    state: Annotated[
        Literal["queued", "running", "succeeded", "failed", "cancelled", "interrupted"] | None,
        typer.Option("--state", help="Only those in this state."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    workspace = open_workspace()
    workspace.desk.look_after()
    found = workspace.jobs.recent(limit=limit, state=state)
    if as_json:
        print_json([asdict(job) for job in found])
        return
    print_table(
        "Jobs",
        ("job", "kind", "universe", "state", "attempt", "progress", "doing", "created", "error"),
        [
            (
                job.id,
                job.kind,
                job.universe,
                job.state,
                job.attempt,
                f"{job.progress:.0%}",
                describe(job) if job.active else "",
                f"{job.created_at:%Y-%m-%d %H:%M}",
                job.error,
            )
            for job in found
        ],
    )


@jobs_app.command("show")
def show_job(job_id: JobId, as_json: AsJson = False) -> None:
    """Show one job with its parts and its events."""
    workspace = open_workspace()
    workspace.desk.look_after()
    job = workspace.jobs.get(job_id)
    events, parts = workspace.jobs.events(job_id), workspace.desk.parts.of(job_id)
    if as_json:
        print_json({**asdict(job), "events": list(map(asdict, events)), "parts": list(map(asdict, parts))})
        return
    say(_line(job))
    for part in parts:
        say(f"  {_line(part)}")
    for event in events:
        say(f"  {event.at:%H:%M:%S} {event.kind} {dict(event.payload)}")
    log = workspace.desk.runner.log_file(job_id)
    if log.is_file():
        say(f"Log: {log}")


@jobs_app.command("follow")
def follow_job(job_id: JobId, as_json: AsJson = False) -> None:
    """Follow a job until it ends. Ctrl-C asks whether to detach or to cancel."""
    workspace = open_workspace()
    job = follow(workspace, workspace.jobs.get(job_id), shown=not as_json)
    print_job(job, as_json)
    ended_well(job)


@jobs_app.command("cancel")
def cancel_job(job_id: JobId, as_json: AsJson = False) -> None:
    """Cancel a job: a queued one at once, a running one within 25 seconds."""
    workspace = open_workspace()
    job = workspace.jobs.cancel(job_id)
    if job.state == "running":
        job = follow(workspace, job, shown=not as_json)
    print_job(job, as_json)


@jobs_app.command("retry")
def retry_job(job_id: JobId, as_json: AsJson = False) -> None:
    """Queue a job again that failed, was cancelled or was interrupted; it goes on from its checkpoint."""
    print_job(open_workspace().desk.retry(job_id), as_json)


def print_job(job: Job, as_json: bool) -> None:
    """One job as it is now."""
    if as_json:
        print_json(asdict(job))
    else:
        say(_line(job))


def worker_command(
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="Leave when nothing is left to do; otherwise stay.")
    ] = False,
    linger: Annotated[
        float | None,
        typer.Option("--linger", min=0, help="Seconds for which an idle process stays warm for the next job."),
    ] = None,
    alone: Annotated[
        bool, typer.Option("--alone", help="Do the jobs in this very process; nobody looks after it.")
    ] = False,
    told: Annotated[
        bool, typer.Option("--told", help="With --alone: do the jobs that standard input names, one a line.")
    ] = False,
    celery: Annotated[
        bool, typer.Option("--celery", help="Hear of jobs from the broker of STOCKCAST_BROKER_URL.")
    ] = False,
    queues: Annotated[
        str, typer.Option("--queues", help="With --celery: which queues to listen at, separated by commas.")
    ] = "train,quick",
    metrics_port: Annotated[
        int,
        typer.Option("--metrics-port", min=0, max=65535, help="Serve metrics for Prometheus there; 0: do not."),
    ] = 0,
    metrics_host: Annotated[
        str, typer.Option("--metrics-host", help="Address to listen at for that; there is no login.")
    ] = "127.0.0.1",
) -> None:
    """Do queued jobs in processes of their own, look after them, and start what is scheduled."""
    leave = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: leave.set())
    settings = open_settings("INFO")
    patience = _linger(linger, until_idle, settings)
    with metrics_server(settings, metrics_host, metrics_port) if metrics_port else contextlib.nullcontext():
        if alone:
            from stockcast.jobs.work import write_line

            desk = open_workspace("INFO").desk
            (desk.serve_told if told else desk.serve)(patience, leave, write_line)
        elif celery:
            wanted = _queues(settings, queues, until_idle)
            from stockcast.jobs.celery_worker import run_celery_worker

            run_celery_worker(settings, wanted, patience, say)
        else:
            from stockcast.jobs.keeper import open_keeper

            open_keeper(settings, patience, say).run(leave, until_idle)


def _queues(settings: Settings, asked: str, until_idle: bool) -> list[str]:
    from stockcast.jobs.celery_application import QUEUES

    if not settings.broker_name:
        raise InvalidConfig(
            "No broker is set.",
            "Set STOCKCAST_BROKER_URL, such as redis://localhost:6379/0, or leave --celery out.",
        )
    if until_idle:
        raise InvalidRequest(
            "A worker cannot tell when a broker has nothing more to say.", "Leave --until-idle or --celery out."
        )
    wanted = [each.strip() for each in asked.split(",")]
    for each in wanted:
        if each not in QUEUES:
            raise InvalidRequest(f"There is no queue {each!r}.", f"Choose of {', '.join(QUEUES)} with --queues.")
    return wanted


def _linger(asked: float | None, until_idle: bool, settings: Settings) -> float:
    if asked is not None:
        return asked
    return 0.0 if until_idle else settings.worker_linger


def _line(job: Job) -> str:
    ending = f": {job.error} {job.hint}" if job.error else ""
    doing = f", {describe(job)}" if job.active else ""
    return f"Job {job.id}: {job.title} is {job.state} ({job.progress:.0%}{doing}){ending}"
