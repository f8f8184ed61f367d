"""`stockcast journal`: what was forecast, what came true of it, and what that has been worth."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stockcast.cli.model_commands import AnyUniverse
from stockcast.cli.output import (
    UNIVERSE,
    AsJson,
    Universe,
    open_workspace,
    parse_date,
    print_json,
    print_table,
    say,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stockcast.monitoring.journal import JournalEntry
    from stockcast.monitoring.open_forecasts import OpenForecast
    from stockcast.monitoring.outcomes import Outcome
    from stockcast.monitoring.record import RecordPart, TrackRecord

journal_app = typer.Typer(
    help="Every forecast that was shown, and the track record that it made.", no_args_is_help=True
)
OneTicker = Annotated[str | None, typer.Option("--ticker", help="Only this ticker; default: all.")]


@journal_app.command("list")
def list_journal(
    ticker: OneTicker = None,
    universe: AnyUniverse = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List forecasts, newest first, with what came true of them."""
    workspace = open_workspace()
    found = workspace.journal.entries(_ticker(ticker), limit, universe)
    came = workspace.track.outcomes.of([entry.id for entry in found])
    if as_json:
        print_json([_entry_json(entry, came.get(entry.id, ())) for entry in found])
        return
    print_table(
        "Journal, one session ahead",
        ("issued", "by", "ticker", "session", "median", "80 % interval", "came true"),
        [_entry_row(entry, came.get(entry.id, ())) for entry in found],
    )


@journal_app.command("score")
def score_journal(as_json: AsJson = False) -> None:
    """Score the forecasts whose outcome is stored by now; an ingest does it, too, and twice changes nothing."""
    found = open_workspace().track.score()
    if as_json:
        print_json(asdict(found))
        return
    say(f"{found.written:,} outcomes written down.")
    if found.missing:
        say(f"{found.missing:,} sessions have passed without a stored close; their forecasts stay unscored.")


@journal_app.command("record")
def show_record(
    universe: Universe = UNIVERSE,
    ticker: OneTicker = None,
    version: Annotated[
        str | None, typer.Option("--version", help="Only what this model version said; default: all.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="First session that was forecast, YYYY-MM-DD.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Last session that was forecast, YYYY-MM-DD.")
    ] = None,
    last: Annotated[int | None, typer.Option("--last", min=1, help="Only so many of the newest sessions.")] = None,
    horizon: Annotated[int, typer.Option("--horizon", min=1, max=5, help="Sessions ahead.")] = 1,
    confidence: Annotated[
        float, typer.Option("--confidence", min=0.5, max=0.999, help="Of the bands of chance.")
    ] = 0.95,
    as_json: AsJson = False,
) -> None:
    """Show the track record: live forecasts beside naive, and beside what the backtest promised."""
    workspace = open_workspace()
    wanted = _ticker(ticker)
    found = workspace.track.record(
        universe,
        horizon=horizon,
        ticker=wanted,
        model_version=None if version is None else version.removeprefix("v"),
        since=parse_date(since),
        until=parse_date(until),
        last=last,
        confidence=confidence,
    )
    waiting = workspace.track.open(universe, ticker=wanted, horizon=horizon)
    if as_json:
        print_json({"sentence": found.sentence, **found.to_json(), "open": [asdict(each) for each in waiting]})
        return
    _tell_record(found)
    _tell_open(waiting)


@journal_app.command("export")
def export_journal(
    out: Annotated[Path, typer.Option("--out", help="CSV file: one row a forecast and horizon.")],
    ticker: OneTicker = None,
    universe: AnyUniverse = None,
) -> None:
    """Write the journal with its outcomes to a file."""
    from stockcast.workflows.write_file import write_whole

    found = open_workspace().track.export(universe, _ticker(ticker))
    write_whole(out, found.content)
    say(f"{found.rows:,} rows written to {out}.")


def _ticker(text: str | None) -> str | None:
    from stockcast.prices.tickers import normalise_ticker

    return None if text is None else normalise_ticker(text)


def _entry_row(entry: JournalEntry, came: Sequence[Outcome]) -> Sequence[object]:
    from math import exp

    from stockcast.forecasting.quantiles import MEDIAN, level_position

    low, median, high = (entry.prices[0, place] for place in (level_position(0.1), MEDIAN, level_position(0.9)))
    first = next((outcome for outcome in came if outcome.horizon == 1), None)
    told = ""
    if first is not None:
        close = entry.last_close * exp(first.log_return)
        told = f"{close:.4f}" + ("" if low <= close <= high else " outside") + ("" if first.live else ", not live")
    return (
        f"{entry.issued_at:%Y-%m-%d %H:%M}",
        f"{entry.face}, {entry.universe} v{entry.model_version}",
        entry.ticker or "(window)",
        entry.sessions[0] if entry.sessions else "+1",
        f"{median:.4f}",
        f"{low:.4f} – {high:.4f}",
        told,
    )


def _entry_json(entry: JournalEntry, came: Sequence[Outcome]) -> dict[str, object]:
    from stockcast.forecasting.quantiles import MEDIAN, level_position

    prices = entry.prices
    return {
        "id": entry.id,
        "issued_at": entry.issued_at,
        "face": entry.face,
        "universe": entry.universe,
        "ticker": entry.ticker,
        "cutoff": entry.cutoff,
        "model": entry.model,
        "model_version": entry.model_version,
        "run_id": entry.run_id,
        "from_store": entry.from_store,
        "last_close": entry.last_close,
        "drift": entry.drift.severity,
        "forecasts": [
            {
                "horizon": number,
                "session": entry.sessions[number - 1] if entry.sessions else None,
                "median": float(row[MEDIAN]),
                **{
                    f"interval_{share}": [float(row[place]), float(row[-1 - place])]
                    for share, place in ((share, level_position((1 - share / 100) / 2)) for share in (80, 90, 95))
                },
            }
            for number, row in enumerate(prices, start=1)
        ],
        "outcomes": [asdict(outcome) for outcome in came],
    }


def _tell_record(found: TrackRecord) -> None:
    from stockcast.evaluation.significance import p_text

    say(found.sentence)
    if found.left_out.count:
        say(found.left_out.sentence)
    scores, promise = found.scores, found.promise
    if scores is None:
        return
    print_table(
        f"{scores.count:,} forecasts, {scores.first_session} to {scores.last_session}",
        ("measure", "live", "naive", "chance leaves", "backtest promised"),
        [
            ("CRPS", f"{scores.crps:.4f} %", f"{scores.naive_crps:.4f} %", "", ""),
            (
                "skill",
                f"{scores.skill:+.2%} ({p_text(scores.p_value)})",
                "",
                "",
                promise and f"{promise.skill:+.2%}",
            ),
            (
                "MAPE",
                f"{scores.mape:.4f} % ({scores.mape_ratio:.4f} of naive)",
                f"{scores.naive_mape:.4f} %",
                "",
                promise and f"{promise.mape_ratio:.4f} of naive",
            ),
            *(
                (
                    f"in the {each.promised:.0%} interval",
                    f"{each.share:.1%} ({each.held:,} of {each.count:,})",
                    f"{each.naive_share:.1%}",
                    f"{each.low:.1%} – {each.high:.1%}",
                    promise and f"{promised:.1%}",
                )
                for each, promised in zip(
                    scores.coverages,
                    (promise.coverage_80, promise.coverage_90, promise.coverage_95) if promise else (0.0,) * 3,
                    strict=True,
                )
            ),
        ],
    )
    for title, parts in (("ticker", found.tickers), ("version", found.versions)):
        if len(parts) > 1:
            _tell_parts(title, parts)
    if found.pit is not None:
        say(found.pit.sentence)
    if found.cusum is not None and found.cusum.alarm:
        say(f"CUSUM of the 80 % interval: {found.cusum.alarm} since {found.cusum.since}.")


def _tell_parts(title: str, parts: Sequence[RecordPart]) -> None:
    print_table(
        f"By {title}",
        (title, "forecasts", "skill", "MAPE / naive", "in the 80 % interval", "chance leaves"),
        [
            (
                part.name,
                f"{part.scores.count:,}",
                f"{part.scores.skill:+.2%}",
                f"{part.scores.mape_ratio:.4f}",
                f"{part.scores.coverage(0.8).share:.1%}",
                f"{part.scores.coverage(0.8).low:.1%} – {part.scores.coverage(0.8).high:.1%}",
            )
            for part in parts
        ],
    )


def _tell_open(waiting: Sequence[OpenForecast]) -> None:
    late = [each for each in waiting if each.state != "awaited"]
    if waiting:
        say(f"{len(waiting):,} forecasts are open.")
    for each in late[:20]:
        why = "is over and not stored yet" if each.state == "overdue" else "is not in the stored history"
        say(f"  {each.ticker}: {each.session} {why}.")
    if len(late) > 20:
        say(f"  and {len(late) - 20:,} more.")
