"""`stockcast db`: the one database."""

from __future__ import annotations

import typer

from stockcast.cli.output import open_workspace, say

database_app = typer.Typer(help="The one database.", no_args_is_help=True)


@database_app.callback()
def database() -> None:
    """The one database."""


@database_app.command("upgrade")
def upgrade_database() -> None:
    """Bring the database up to date; a copy of a SQLite database is kept. Every other command does it, too."""
    from stockcast.database import HEAD

    _ = open_workspace().database
    say(f"The database is at version {HEAD}.")
