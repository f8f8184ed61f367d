"""`stockcast train`: fit, judge, and ask the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from stockcast.cli.output import (
    UNIVERSE,
    AsJson,
    Tickers,
    Universe,
    epoch_progress,
    open_workspace,
    parse_date,
    print_json,
    print_table,
    say,
)

if TYPE_CHECKING:
    from stockcast.evaluation.scorecard import Scorecard
    from stockcast.workflows.train import Trained


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
    as_json: AsJson = False,
) -> None:
    """Train the LSTM, judge it on sessions it has not seen, and promote it if it proves itself."""
    workspace = open_workspace()
    try:
        with epoch_progress(shown=not as_json) as on_epoch:
            trained = workspace.train(universe, tickers or (), parse_date(until), assignments or (), on_epoch)
    except KeyboardInterrupt:
        typer.echo("stockcast: Stopped; nothing was promoted, and the champion still speaks.", err=True)
        raise typer.Exit(130) from None
    if as_json:
        print_json(trained.to_json())
    else:
        _tell(trained)


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


def _tell(trained: Trained) -> None:
    print_scorecard(trained.scorecard)
    said = "promoted" if trained.version.promoted else "not promoted"
    say(f"{trained.version.label} of {trained.version.name}: {said}.")
    for sentence in (*trained.version.reasons, *trained.left_out.values()):
        say(f"  {sentence}")
    say(f"Run {trained.version.run_id}, {trained.seconds:.1f} s.")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
