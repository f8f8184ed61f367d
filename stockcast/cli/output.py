"""What the commands print: JSON for programs on stdout, tables for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

# A terminal should answer at once: what takes long to import is imported where it is used.
if TYPE_CHECKING:
    from stockcast.settings import LogLevel, Settings
    from stockcast.workspace import Workspace

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Universe = Annotated[str, typer.Option("--universe", help="Universe whose model and configuration are used.")]
Tickers = Annotated[
    list[str] | None, typer.Option("--ticker", help="Ticker; may be repeated. Default: those of the universe.")
]
UNIVERSE = "default"


def open_settings(log_level: LogLevel = "WARNING") -> Settings:
    """The environment's settings; from here on this process logs, at that level where they name none."""
    from stockcast.logs import configure_logs
    from stockcast.settings import read_settings

    settings = read_settings()
    configure_logs(settings, log_level)
    return settings


def open_workspace(log_level: LogLevel = "WARNING") -> Workspace:
    """The workspace over the environment's settings."""
    from stockcast.workspace import Workspace

    return Workspace(open_settings(log_level))


def print_json(data: object) -> None:
    """One JSON document on stdout; dates as ISO text."""
    json.dump(data, sys.stdout, indent=2, default=_plain, allow_nan=False)
    sys.stdout.write("\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table for people."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    Console().print(table)


def say(sentence: str) -> None:
    """A sentence for people."""
    typer.echo(sentence)


def parse_date(text: str | None) -> date | None:
    """A date as YYYY-MM-DD. Raises InvalidRequest."""
    from stockcast.errors import InvalidRequest

    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as problem:
        raise InvalidRequest(f"'{text[:20]}' is not a date.", "Write it as YYYY-MM-DD.") from problem


def _plain(value: object) -> object:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be printed as JSON")
