"""The `stockcast` command: its groups, and one place where errors become a line and an exit code."""

from __future__ import annotations

import sys

import typer

from stockcast.cli.alert_commands import alerts_app
from stockcast.cli.config_commands import config_app
from stockcast.cli.database_commands import database_app
from stockcast.cli.exit_codes import exit_code
from stockcast.cli.forecast_commands import (
    backtest_command,
    drift_command,
    evaluate_command,
    forecast_command,
)
from stockcast.cli.job_commands import jobs_app, worker_command
from stockcast.cli.journal_commands import journal_app
from stockcast.cli.key_commands import keys_app
from stockcast.cli.model_commands import models_app, runs_app
from stockcast.cli.price_commands import prices_app
from stockcast.cli.report_command import report_command
from stockcast.cli.serve_commands import serve_app, up_command
from stockcast.cli.train_command import train_command
from stockcast.cli.tune_command import tune_app
from stockcast.cli.universe_commands import universes_app
from stockcast.errors import StockcastError

application = typer.Typer(
    name="stockcast",
    help="Honest stock price forecasts: each one beside the naive forecast it has to beat.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
application.add_typer(prices_app, name="prices")
application.command("train")(train_command)
application.add_typer(tune_app, name="tune")
application.command("backtest")(backtest_command)
application.command("evaluate")(evaluate_command)
application.command("forecast")(forecast_command)
application.command("drift")(drift_command)
application.command("report")(report_command)
application.add_typer(journal_app, name="journal")
application.add_typer(runs_app, name="runs")
application.add_typer(models_app, name="models")
application.add_typer(alerts_app, name="alerts")
application.add_typer(config_app, name="config")
application.add_typer(universes_app, name="universes")
application.add_typer(jobs_app, name="jobs")
application.command("worker")(worker_command)
application.add_typer(keys_app, name="keys")
application.add_typer(database_app, name="db")
application.add_typer(serve_app, name="serve")
application.command("up")(up_command)


def main() -> None:
    """Runs the command; an error of the tree becomes one clear line with its hint."""
    try:
        application()
    except StockcastError as problem:
        sys.stderr.write(f"stockcast: {problem.message}\n  {problem.hint}\n")
        sys.exit(exit_code(problem))
