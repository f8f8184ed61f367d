"""`stockcast train`: fit, judge, and ask the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from stockcast.cli.follow import ended_well, follow
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
    from stockcast.evaluation.scorecard import Scorecard
    from stockcast.workflows.training_result import TrainingResult


def train_command(
    tickers: Tickers = None,
    universe: Universe = UNIVERSE,
    until: Annotated[
        str | None, typer.Option("--until", help="Last session that the training may know of, YYYY-MM-DD.")
    ] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", help="Configuration for this run, section.field=value; may be repeated."),
    ] = None,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Train in this very process, and end with it.")
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Only queue it, and print the job's id.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train the LSTM, judge it on sessions it has not seen, and promote it if it proves itself."""
    workspace = open_workspace()
    asked = (universe, tickers or (), parse_date(until), assignments or ())
    if foreground:
        show = (lambda _text: None) if as_json else (lambda text: typer.echo(text, err=True))
        try:
            job = workspace.desk.train_here(*asked, show)
        except KeyboardInterrupt:
            typer.echo("stockcast: Stopped; nothing was promoted, and the champion still speaks.", err=True)
            raise typer.Exit(130) from None
    else:
        job = workspace.desk.submit_training(*asked)
        if detach:
            print_job(job, as_json)
            return
        job = follow(workspace, job, shown=not as_json)
    if job.state == "cancelled":
        typer.echo("stockcast: Cancelled; nothing was promoted, and the champion still speaks.", err=True)
        raise typer.Exit(130)
    result = ended_well(job).result or {}
    if as_json:
        print_json(dict(result))
    else:
        from stockcast.workflows.training_result import TrainingResult

        _tell(TrainingResult.from_json(result))


def print_scorecard(card: Scorecard) -> None:
    """The scorecard as a table for people."""
    from stockcast.evaluation.significance import p_text

    unit = card.currency or "several currencies"
    print_table(
        f"{card.forecaster}: {card.count} one-session forecasts, {card.first_session} to {card.last_session}",
        ("measure", card.forecaster, "naive"),
        [
            (f"MAE ({unit})", _figure(card.mae), _figure(card.naive_mae)),
            (f"RMSE ({unit})", _figure(card.rmse), _figure(card.naive_rmse)),
            ("MAPE (%)", _figure(card.mape), _figure(card.naive_mape)),
            ("CRPS (% of price)", _figure(card.crps), _figure(card.naive_crps)),
            ("skill over naive", f"{card.skill:+.2%} ({p_text(card.dm_p_value)})", ""),
            ("80 % interval holds", f"{card.coverage_80:.1%}", f"{card.naive_coverage_80:.1%}"),
            ("95 % interval holds", f"{card.coverage_95:.1%}", f"{card.naive_coverage_95:.1%}"),
        ],
    )


def _tell(result: TrainingResult) -> None:
    print_scorecard(result.scorecard)
    say(result.verdict)
    for sentence in (*result.reasons, *result.left_out.values()):
        say(f"  {sentence}")
    say(f"{result.label} of {result.model.name}, run {result.run_id}, {result.seconds:.1f} s.")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
