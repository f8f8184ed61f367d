"""`stockcast config`: what an analyst edits, version by version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stockcast.cli.output import UNIVERSE, AsJson, Universe, open_workspace, print_json, print_table, say

if TYPE_CHECKING:
    from stockcast.config import Config
    from stockcast.config_versions import ConfigVersion

config_app = typer.Typer(help="Show and change the configuration of a universe.", no_args_is_help=True)
Note = Annotated[str, typer.Option("--note", help="Why it was changed.")]


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
    note: Note = "",
    universe: Universe = UNIVERSE,
) -> None:
    """Change fields; validated whole and saved as a new version."""
    workspace = open_workspace()
    workspace.universe_desk.require(universe)
    current = workspace.configs.current(universe)
    _save(current, current.config.with_overrides(assignments), note)


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
                    "author": saved.author,
                    "note": saved.note,
                    "config": saved.config.model_dump(mode="json"),
                }
                for saved in history
            ]
        )
        return
    print_table(
        f"Configuration of {universe}",
        ("version", "saved", "by", "note"),
        [(saved.version, f"{saved.created_at:%Y-%m-%d %H:%M}", saved.author, saved.note) for saved in history],
    )


@config_app.command("diff")
def diff_config(
    older: Annotated[int, typer.Argument(help="A version; 0 for the defaults.")],
    newer: Annotated[int | None, typer.Argument(help="Another one; left out: the version in force.")] = None,
    universe: Universe = UNIVERSE,
    as_json: AsJson = False,
) -> None:
    """Show the fields that differ between two versions."""
    configs = open_workspace().configs
    before = configs.find(universe, older)
    after = configs.current(universe) if newer is None else configs.find(universe, newer)
    title = f"Version {before.version} and {after.version} of {universe}"
    _tell_changes(title, before.config, after.config, as_json)


@config_app.command("restore")
def restore_config(
    version: Annotated[int, typer.Argument(help="The version to go back to; 0 for the defaults.")],
    universe: Universe = UNIVERSE,
) -> None:
    """Save what an older version says as a new one; no version is ever changed."""
    workspace = open_workspace()
    saved = workspace.configs.restore(universe, version, workspace.clock(), author=author())
    say(f"Configuration of {universe} is at version {saved.version}.")


@config_app.command("export")
def export_config_command(
    out: Annotated[Path | None, typer.Option("--out", help="File to write; left out: stdout.")] = None,
    universe: Universe = UNIVERSE,
) -> None:
    """Write the configuration in force as YAML, each field with its meaning."""
    from stockcast.workflows.export_config import export_config
    from stockcast.workflows.write_file import write_whole

    text = export_config(open_workspace().configs.current(universe))
    if out is None:
        typer.echo(text, nl=False)
    else:
        write_whole(out, text.encode())
        say(f"Written to {out}.")


@config_app.command("import")
def import_config_command(
    file: Annotated[Path, typer.Argument(help="A file as `config export` writes it, or of some fields only.")],
    note: Note = "",
    preview: Annotated[bool, typer.Option("--preview", help="Only show what it would change.")] = False,
    universe: Universe = UNIVERSE,
    as_json: AsJson = False,
) -> None:
    """Read a configuration from YAML, show what it changes, and save it as a new version."""
    from stockcast.workflows.import_config import import_config

    workspace = open_workspace()
    workspace.universe_desk.require(universe)
    current = workspace.configs.current(universe)
    config = import_config(_content(file), current.config).required()
    if not as_json:
        _tell_changes(f"{file.name} beside version {current.version} of {universe}", current.config, config, False)
        if not preview:
            _save(current, config, note or f"Imported from {file.name}")
        return
    saved = current if preview else _saved(current, config, note or f"Imported from {file.name}")
    print_json({"universe": universe, "version": saved.version, "changes": _changes(current.config, config)})


def _content(file: Path) -> bytes:
    from stockcast.errors import UnreadableFile
    from stockcast.workflows.import_config import MOST_BYTES

    try:
        with file.open("rb") as opened:
            return opened.read(MOST_BYTES + 1)  # one more tells that it is too large
    except OSError as problem:
        raise UnreadableFile(f"{file} cannot be read: {problem.strerror}.", "Check the path.") from problem


def _save(current: ConfigVersion, config: Config, note: str) -> None:
    say(f"Configuration of {current.universe} is at version {_saved(current, config, note).version}.")


def _saved(current: ConfigVersion, config: Config, note: str) -> ConfigVersion:
    """Raises ConfigMoved when somebody saved another version since `current` was read."""
    from stockcast.workflows.compare_configs import compare_configs

    workspace = open_workspace()
    said = note or "; ".join(change.sentence for change in compare_configs(current.config, config))
    return workspace.configs.save(
        current.universe, config, said, workspace.clock(), author=author(), expected=current.version
    )


def _tell_changes(title: str, before: Config, after: Config, as_json: bool) -> None:
    changes = _changes(before, after)
    if as_json:
        print_json({"changes": changes})
    elif changes:
        rows = [(change["field"], change["before"], change["after"]) for change in changes]
        print_table(title, ("field", "before", "after"), rows)
    else:
        say("Nothing differs.")


def _changes(before: Config, after: Config) -> list[dict[str, str]]:
    from dataclasses import asdict

    from stockcast.workflows.compare_configs import compare_configs

    return [asdict(change) for change in compare_configs(before, after)]


def author() -> str:
    """Who works at this terminal."""
    import getpass

    try:
        return f"{getpass.getuser()} (command line)"
    except (OSError, KeyError):  # a container may run as a user without a name
        return "command line"


def _meaning(section: object, field: str) -> str:
    return getattr(type(section), "model_fields")[field].description or ""  # noqa: B009
