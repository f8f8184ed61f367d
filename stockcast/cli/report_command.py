"""`stockcast report`: a forecast or a run as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stockcast.cli.output import UNIVERSE, AsJson, Universe, open_workspace, print_json, say
from stockcast.errors import InvalidRequest


def report_command(
    out: Annotated[Path, typer.Option("--out", help="The file; its name ends in .html.")],
    ticker: Annotated[str | None, typer.Option("--ticker", help="A stored ticker: its forecast.")] = None,
    run: Annotated[
        str | None, typer.Option("--run", help="A run: its id, or its first 6 letters or more.")
    ] = None,
    universe: Universe = UNIVERSE,
    as_json: AsJson = False,
) -> None:
    """Write a forecast, or a run, as one HTML page that needs no network and can be printed."""
    from stockcast.workflows.report_page import require_page_name
    from stockcast.workflows.write_file import write_whole

    require_page_name(out)  # before the work is done, not after it
    reports = open_workspace().reports
    if ticker is not None and run is None:
        content = reports.ticker(ticker, universe, "cli")
    elif run is not None and ticker is None:
        content = reports.run(run)
    else:
        raise InvalidRequest("Name one thing to report.", "Give --ticker T or --run ID.")
    write_whole(out, content)
    if as_json:
        print_json({"out": str(out), "ticker": ticker, "run": run, "bytes": len(content)})
    else:
        say(f"Report written to {out}.")
