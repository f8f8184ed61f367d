"""`stockcast universes`: the lists of tickers that share one model."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from stockcast.cli.config_commands import author
from stockcast.cli.output import AsJson, open_workspace, print_json, print_table, say

if TYPE_CHECKING:
    from stockcast.workspace import Workspace

universes_app = typer.Typer(help="List, create and rename universes.", no_args_is_help=True)


@universes_app.command("list")
def list_universes(as_json: AsJson = False) -> None:
    """List all universes with their tickers, exchanges and schedules."""
    workspace = open_workspace()
    found = [_told(workspace, name) for name in workspace.universes()]
    if as_json:
        print_json(found)
        return
    print_table(
        "Universes",
        ("universe", "tickers", "exchanges", "configuration", "next by itself"),
        [
            (
                each["universe"],
                ", ".join(each["tickers"]) or "all stored",
                ", ".join(each["exchanges"]),
                f"version {each['version']}" if each["version"] else "the defaults",
                ", ".join(f"{time:%Y-%m-%d %H:%M} UTC" for time in each["next"][:1]) or "never",
            )
            for each in found
        ],
    )


@universes_app.command("create")
def create_universe_command(
    name: Annotated[str, typer.Argument(help="Its name: letters, digits, '-', '_' and '.'.")],
    tickers: Annotated[
        str, typer.Option("--tickers", help="Its tickers, separated by commas; left out: every stored one.")
    ] = "",
    like: Annotated[
        str | None,
        typer.Option("--like", help="Universe whose configuration it copies; left out: the defaults."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Create a universe with a configuration, a model and a track record of its own."""
    workspace = open_workspace()
    if like is not None:
        workspace.universe_desk.require(like)
    named = [ticker for ticker in tickers.replace(",", " ").split() if ticker]
    base = None if like is None else workspace.config(like)
    made = workspace.universe_desk.create(name, named, based_on=base, author=author())
    if as_json:
        print_json(_told(workspace, made.universe))
        return
    say(f"{made.universe} is created: {', '.join(made.config.universe.tickers) or 'every stored ticker'}.")
    say(f"  Train its model with: stockcast train --universe {made.universe}")


@universes_app.command("rename")
def rename_universe_command(
    old: Annotated[str, typer.Argument(help="Its name now.")],
    new: Annotated[str, typer.Argument(help="Its name from now on.")],
) -> None:
    """Rename a universe with its model, runs, jobs, configurations, journal and alerts."""
    open_workspace().universe_desk.rename(old, new)
    say(f"{old} is now called {new}. Programs that ask for {old} must ask for {new}.")


class _Told(TypedDict):
    universe: str
    tickers: list[str]
    exchanges: list[str]
    version: int
    cron: str
    timezone: str
    next: list[datetime]


def _told(workspace: Workspace, name: str) -> _Told:
    from stockcast.jobs.schedule import plan
    from stockcast.prices.tickers import exchange_of

    current = workspace.configs.current(name)
    config, stored = current.config, [history.ticker for history in workspace.prices.list()]
    planned = plan(name, config.schedule, current.created_at)
    return {
        "universe": name,
        "tickers": list(config.universe.tickers),
        "exchanges": sorted({exchange_of(ticker).code for ticker in config.universe.tickers or stored}),
        "version": current.version,
        "cron": config.schedule.cron,
        "timezone": config.schedule.timezone,
        "next": [] if planned is None else planned.coming(workspace.clock(), 3),
    }
