"""`stockcast tune`: search for better settings, look at what was found, and save them as a configuration."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from stockcast.cli.config_commands import author
from stockcast.cli.follow import describe, ended_well, follow
from stockcast.cli.job_commands import print_job
from stockcast.cli.output import (
    UNIVERSE,
    AsJson,
    Tickers,
    Universe,
    open_workspace,
    parse_date,
    print_json,
    print_table,
    say,
)

if TYPE_CHECKING:
    from stockcast.jobs.tuning import Search
    from stockcast.workspace import Workspace

tune_app = typer.Typer(
    help="Search for better settings of the LSTM by many short trainings, scored on validation alone.",
    invoke_without_command=True,
)
JobId = Annotated[str, typer.Argument(help="The job of a search.")]
AsAdopted = Annotated[
    int | None, typer.Option("--trial", min=1, help="Take the settings of this trial; default: the best.")
]


@tune_app.callback()
def tune_command(
    context: typer.Context,
    tickers: Tickers = None,
    universe: Universe = UNIVERSE,
    trials: Annotated[
        int, typer.Option("--trials", help="Trainings to make, 2 to 200; the first is of the settings in force.")
    ] = 20,
    space: Annotated[
        list[str] | None,
        typer.Option("--space", help="Field to search, section.field; may be repeated. all: every one there is."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of what is proposed.")] = 7,
    until: Annotated[
        str | None, typer.Option("--until", help="Last session that the search may know of, YYYY-MM-DD.")
    ] = None,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Save the best settings as a configuration when it has ended.")
    ] = False,
    background: Annotated[
        bool, typer.Option("--background", help="Only queue it, and print the job's id.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Search for better settings, and tell each by its validation loss beside that of the settings in force."""
    if context.invoked_subcommand is not None:
        return
    workspace = open_workspace()
    job = workspace.desk.submit_tuning(
        universe, tickers or (), parse_date(until), trials=trials, space=space or (), seed=seed
    )
    if background:
        print_job(job, as_json)
        return
    job = follow(workspace, job, shown=not as_json)
    if job.state == "cancelled":
        typer.echo(f"stockcast: Cancelled. What was found stays: stockcast tune show {job.id}", err=True)
        raise typer.Exit(130)
    search = workspace.desk.search(ended_well(job).id)
    _print(search, as_json)
    best = search.found.best
    if adopt and best is not None and not best.present:
        _adopt(workspace, job.id, None, quiet=as_json)
    elif not as_json and best is not None and not best.present:
        say(f"Save these settings with: stockcast tune adopt {job.id}")


@tune_app.command("show")
def show_search(job_id: JobId, as_json: AsJson = False) -> None:
    """Show what a search has found so far, whatever became of it."""
    workspace = open_workspace()
    workspace.desk.look_after()
    _print(workspace.desk.search(job_id), as_json)


@tune_app.command("adopt")
def adopt_settings(job_id: JobId, trial: AsAdopted = None) -> None:
    """Save a configuration with the settings that were found; it trains and promotes nothing."""
    _adopt(open_workspace(), job_id, trial, quiet=False)


def _adopt(workspace: Workspace, job_id: str, trial: int | None, *, quiet: bool) -> None:
    saved = workspace.desk.adopt(job_id, trial, author=author())
    typer.echo(
        f"Configuration of {saved.universe} is at version {saved.version}. "
        f"See whether it holds on unseen sessions: stockcast train --universe {saved.universe}",
        err=quiet,
    )


def _print(search: Search, as_json: bool) -> None:
    if as_json:
        at_work = [{**asdict(each), "part": each.part.id} for each in search.at_work]
        print_json(
            {
                "job": search.job.id, "state": search.job.state, "of": search.asked.trials,
                "config_version": search.asked.config_version, "at_work": at_work, **search.found.to_json(),
            }
        )  # fmt: skip
        return
    found, names = search.found, [each.field for each in search.asked.space]
    best = found.best
    rows: list[tuple[object, ...]] = [
        (
            "in force" if trial.present else trial.number,
            "★" if best is trial else "",
            trial.state,
            "–" if trial.value is None else f"{trial.value:.4f}",
            *(trial.parameters.get(name) for name in names),
            trial.epochs,
            f"{trial.seconds:.1f}",
        )
        for trial in sorted(found.trials, key=lambda each: (each.value is None, each.value or 0.0))
    ]
    rows += [
        (each.number, "", describe(each.part), "", *(each.parameters.get(name) for name in names), "", "")
        for each in search.at_work
    ]
    title = f"{search.done} of {search.asked.trials} trials of {search.job.universe}, the best first"
    print_table(
        title, ("trial", "", "state", "loss", *(name.partition(".")[2] for name in names), "epochs", "s"), rows
    )
    for name, share in found.importances.items():
        say(f"  {share:>4.0%} of the difference between trials comes from {name}.")
    for sentence in _sentences(search):
        say(sentence)


def _sentences(search: Search) -> list[str]:
    """What came out, and how much to make of it."""
    found = search.found
    if found.best is None:
        return ["No trial has come to its end yet."]
    said = []
    if found.best.present:
        said.append("Nothing did better on validation than the settings in force.")
    elif found.gain is not None:
        said.append(
            f"Trial {found.best.number} has a validation loss {found.gain:.4f} lower than the settings in force. "
            f"It is the best of {len(found.trials)} on sessions that chose it, so expect less: "
            "the gate decides on unseen ones."
        )
    if not found.one_data:
        said.append("Prices changed while it ran, so trials before and after are not quite comparable.")
    return said
