"""`stockcast config`: what an analyst edits, version by version."""

from __future__ import annotations

from typing import Annotated

import typer

from stockcast.cli.output import UNIVERSE, AsJson, Universe, open_workspace, print_json, print_table, say

config_app = typer.Typer(help="Show and change the configuration of a universe.", no_args_is_help=True)


@config_app.command("show")
def show_config(universe: Universe = UNIVERSE, as_json: AsJson = False) -> None:
    """Show the configuration in force, with what each field means."""
    current = open_workspace().configs.current(universe)
    data = current.config.model_dump(mode="json")
    if as_json:
        print_json({"universe": universe, "version": current.version, "config": data})
        return
    rows = [
        (f"{section}.{field}", value, _meaning(getattr(current.config, section), field))
        for section, fields in data.items()
        for field, value in fields.items()
    ]
    print_table(f"Configuration of {universe}, version {current.version}", ("field", "value", "meaning"), rows)


@config_app.command("set")
def set_config(
    assignments: Annotated[list[str], typer.Argument(help="section.field=value, one or more.")],
    note: Annotated[str, typer.Option("--note", help="Why it was changed.")] = "",
    universe: Universe = UNIVERSE,
) -> None:
    """Change fields; validated whole and saved as a new version."""
    workspace = open_workspace()
    config = workspace.config(universe).with_overrides(assignments)
    saved = workspace.configs.save(universe, config, note, workspace.clock())
    say(f"Configuration of {universe} is at version {saved.version}.")


@config_app.command("history")
def config_history(universe: Universe = UNIVERSE, as_json: AsJson = False) -> None:
    """List the saved versions, newest first."""
    history = open_workspace().configs.history(universe)
    if as_json:
        print_json(
            [
                {
                    "version": saved.version,
                    "created_at": saved.created_at,
                    "note": saved.note,
                    "config": saved.config.model_dump(mode="json"),
                }
                for saved in history
            ]
        )
        return
    print_table(
        f"Configuration of {universe}",
        ("version", "saved", "note"),
        [(saved.version, f"{saved.created_at:%Y-%m-%d %H:%M}", saved.note) for saved in history],
    )


def _meaning(section: object, field: str) -> str:
    return getattr(type(section), "model_fields")[field].description or ""  # noqa: B009
