"""`stockcast db`: the one database."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from stockcast.cli.output import open_settings, say

database_app = typer.Typer(help="The one database.", no_args_is_help=True)


@database_app.callback()
def database() -> None:
    """The one database."""


@database_app.command("upgrade")
def upgrade_command(
    no_backup: Annotated[
        bool, typer.Option("--no-backup", help="Make no backup first, as there is one elsewhere.")
    ] = False,
) -> None:
    """Bring the database up to date; of an older one a backup is made first."""
    from stockcast.database import HEAD, upgrade_database

    settings = open_settings()
    done = upgrade_database(settings.database, None if no_backup else settings.backups)
    if done.backup is not None:
        say(f"The database as it was is kept: {done.backup}")
    moved = "" if done.before in (None, HEAD) else f"; it was at {done.before}"
    say(f"The database is at version {HEAD}{moved}.")


@database_app.command("backup")
def backup_command(
    file: Annotated[
        Path | None, typer.Argument(help="File to write; without one it is named by the time, inside the home.")
    ] = None,
) -> None:
    """Copy the database as it is at this moment, while others use it."""
    from stockcast.backups import back_up, backup_name
    from stockcast.database import version_of

    settings = open_settings()
    name = backup_name(settings.database, version_of(settings.database), datetime.now(UTC))
    say(f"The database is kept: {back_up(settings.database, (file or settings.backups / name).absolute())}")


@database_app.command("restore")
def restore_command(file: Annotated[Path, typer.Argument(help="A backup of a SQLite database.")]) -> None:
    """Make a SQLite database what it was in a backup, with everything stopped; what is there now is kept first."""
    from stockcast.backups import backup_name, restore
    from stockcast.database import HEAD

    settings = open_settings()
    kept = settings.backups / backup_name(settings.database, "replaced", datetime.now(UTC))
    before = restore(file.absolute(), settings.database, kept, HEAD)
    if before is not None:
        say(f"What was there is kept: {before}")
    say(f"The database is what it was in {file}. Whatever opens it next brings it up to date.")
