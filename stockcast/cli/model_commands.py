"""`stockcast runs` and `stockcast models`: what was trained, and which version speaks."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from stockcast.cli.output import UNIVERSE, AsJson, Universe, open_workspace, print_json, print_table, say

runs_app = typer.Typer(help="The history of trainings in MLflow.", no_args_is_help=True)
models_app = typer.Typer(help="Model versions: champion and challenger.", no_args_is_help=True)

RunId = Annotated[str, typer.Argument(help="Id of the run, or its first 6 letters or more.")]
AnyUniverse = Annotated[str | None, typer.Option("--universe", help="Only this universe; default: all.")]


@runs_app.command("list")
def list_runs(
    universe: AnyUniverse = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many, newest first.")] = 20,
    deleted: Annotated[bool, typer.Option("--deleted", help="List those too that were deleted.")] = False,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first."""
    found = open_workspace().runs.recent(universe, limit, deleted=deleted)
    if as_json:
        print_json([asdict(run) for run in found])
        return
    print_table(
        "Runs",
        (
            "run",
            "started",
            "universe",
            "name",
            "status",
            "MAPE / naive",
            "skill",
            "forecasts",
            "version",
            "promoted",
        ),
        [
            (
                run.run_id[:8],
                f"{run.started_at:%Y-%m-%d %H:%M}",
                run.universe,
                run.name,
                "DELETED" if run.deleted else run.status,
                f"{run.scores['mape_ratio']:.4f}" if "mape_ratio" in run.scores else "",
                f"{run.scores['skill']:+.2%}" if "skill" in run.scores else "",
                f"{run.scores['count']:,.0f}" if "count" in run.scores else "",
                run.version,
                {True: "yes", False: "no", None: ""}[run.promoted],
            )
            for run in found
        ],
    )


@runs_app.command("annotate")
def annotate_run(
    run_id: RunId,
    note: Annotated[str | None, typer.Option("--note", help="Replaces the note; empty takes it away.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="name or name=value to add; may be repeated.")
    ] = None,
    untag: Annotated[list[str] | None, typer.Option("--untag", help="Name of a tag to take away.")] = None,
) -> None:
    """Say something about a run: a note, and tags to find it by."""
    from stockcast.registry.run_summary import tags_of

    runs = open_workspace().runs
    run = runs.find(run_id)
    kept = {name: value for name, value in run.tags.items() if name not in (untag or [])}
    made = runs.annotate(run.run_id, run.note if note is None else note, kept | tags_of(tag or []))
    say(f"{made.name} ({made.run_id[:8]}). Note: {made.note or 'none'}. Tags: {', '.join(made.labels) or 'none'}.")


@runs_app.command("delete")
def delete_one_run(run_id: RunId) -> None:
    """Put a run out of sight; one whose version speaks, or would after a rollback, stays."""
    from stockcast.workflows.delete_run import delete_run

    workspace = open_workspace()
    gone = delete_run(workspace.runs, workspace.versions, run_id)
    say(
        f"{gone.name} ({gone.run_id[:8]}) is deleted. Bring it back with: stockcast runs restore {gone.run_id[:8]}"
    )


@runs_app.command("restore")
def restore_one_run(run_id: RunId) -> None:
    """Bring a deleted run back."""
    from stockcast.workflows.delete_run import restore_run

    back = restore_run(open_workspace().runs, run_id)
    say(f"{back.name} ({back.run_id[:8]}) is there.")


@models_app.command("list")
def list_models(universe: AnyUniverse = None, as_json: AsJson = False) -> None:
    """List model versions, newest first."""
    found = open_workspace().versions.all(universe)
    if as_json:
        print_json([asdict(version) for version in found])
        return
    print_table(
        "Model versions",
        ("model", "version", "kind", "aliases", "trained until", "tickers", "made"),
        [
            (
                version.name,
                version.version,
                version.kind,
                ", ".join(version.aliases),
                version.trained_until,
                ", ".join(version.tickers[:5]),
                f"{version.created_at:%Y-%m-%d %H:%M}",
            )
            for version in found
        ],
    )


@models_app.command("promote")
def promote_model(
    version: Annotated[str, typer.Argument(help="challenger, a version number, or a kind such as lstm.")],
    note: Annotated[str, typer.Option("--note", help="Why; stays visible wherever this champion speaks.")],
    universe: Universe = UNIVERSE,
) -> None:
    """Make a version the champion by your own decision, whatever the gate said."""
    made = open_workspace().promote(universe, version, note)
    say(f"{made.label} of {made.name} speaks now. Note: {made.note}")


@models_app.command("rollback")
def rollback_model(universe: Universe = UNIVERSE) -> None:
    """Make the previous champion speak again."""
    made = open_workspace().rollback(universe)
    say(f"{made.label} of {made.name} speaks again.")
