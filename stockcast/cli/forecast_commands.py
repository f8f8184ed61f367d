"""`stockcast forecast`, `backtest` and `drift`: let a model speak, judge it, and look at its input."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
from stockcast.cli.train_command import print_scorecard
from stockcast.errors import InvalidRequest

if TYPE_CHECKING:
    from stockcast.evaluation.diagnosis import Diagnosis
    from stockcast.evaluation.refits import RefitPolicy
    from stockcast.monitoring.findings import DriftReport
    from stockcast.prices.window import PriceWindow
    from stockcast.workflows.forecast import Answer
    from stockcast.workflows.forecast_universe import UniverseForecast

Background = Annotated[bool, typer.Option("--background", help="As a job: prints its id and returns.")]
WindowFile = Annotated[Path | None, typer.Option("--window", help="File with exactly 60 closes, oldest first.")]
WindowTicker = Annotated[
    str | None, typer.Option("--ticker", help="Ticker of the window, to compare it with what is stored.")
]


def forecast_command(
    ticker: Annotated[str | None, typer.Argument(help="A stored ticker.")] = None,
    window: WindowFile = None,
    window_ticker: WindowTicker = None,
    every: Annotated[bool, typer.Option("--all", help="Every ticker of the universe.")] = False,
    above: Annotated[
        float | None, typer.Option("--above", help="A price: the chance that each close ends above it.")
    ] = None,
    universe: Universe = UNIVERSE,
    as_json: AsJson = False,
) -> None:
    """Forecast the coming sessions, from the stored prices of a ticker or from a window of closes."""
    if above is not None:
        from stockcast.forecasting.chances import require_level

        require_level(above)  # before anything is said
        if every:
            raise InvalidRequest("One level does not fit every ticker.", "Name one ticker, or leave out --above.")
    workspace = open_workspace()
    if every and ticker is None and window is None:
        _tell_all(workspace.forecast_universe(universe, "cli"), as_json)
        return
    if ticker is not None and window is None and not every:
        answer = workspace.forecast(ticker, universe, "cli")
    elif window is not None and ticker is None and not every:
        answer = workspace.forecast_window(_window(window, window_ticker), universe, "cli")
    else:
        raise InvalidRequest("Name one thing to forecast.", "Give a ticker, --window FILE or --all.")
    if as_json:
        from stockcast.workflows.answer_json import answer_json

        print_json(answer_json(answer, above))
    else:
        _tell(answer)
        if above is not None:
            _tell_chances(answer, above)


def drift_command(
    window: Annotated[Path, typer.Option("--window", help="File of closes, oldest first.")],
    window_ticker: WindowTicker = None,
    universe: Universe = UNIVERSE,
    as_json: AsJson = False,
) -> None:
    """Check whether a window looks like what the champion was judged on."""
    report = open_workspace().check_drift(_window(window, window_ticker), universe)
    if as_json:
        print_json(report.to_json())
        return
    _tell_drift(report)


def backtest_command(
    start: Annotated[str, typer.Option("--start", help="First session to forecast, YYYY-MM-DD.")],
    end: Annotated[str, typer.Option("--end", help="Last session to forecast, YYYY-MM-DD.")],
    tickers: Tickers = None,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            help="champion, challenger, lstm (newest trained), a version, or naive, ewma, garch or linear.",
        ),
    ] = "champion",
    refit: Annotated[
        str, typer.Option("--refit", help="How often the model learns anew: never, yearly or quarterly.")
    ] = "never",
    report: Annotated[
        Path | None,
        typer.Option("--report", help="Everything about it: .html as a page with charts, .csv ticker by ticker."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="CSV file for every single forecast.")] = None,
    universe: Universe = UNIVERSE,
    background: Background = False,
    as_json: AsJson = False,
) -> None:
    """Forecast every session of a range from the bars before it, and score the result beside naive."""
    from stockcast.workflows.backtest import write_forecasts

    first, last = parse_date(start), parse_date(end)
    if first is None or last is None or first > last:
        raise InvalidRequest(f"The start {start} lies after the end {end}.", "Swap the two dates.")
    policy = _refit(refit)
    if report is not None:
        from stockcast.workflows.backtest_report import require_report_name

        require_report_name(report)  # before the work is done, not after it
    workspace = open_workspace()
    if background:
        if out is not None or report is not None:
            raise InvalidRequest(
                "A job keeps its scores, not a file.", "Leave out --out and --report, or --background."
            )
        job = workspace.desk.submit_backtest(universe, tickers or (), model, first, last, refit=policy)
        print_job(job, as_json)
        return
    judged = workspace.backtests.backtest(universe, tickers or (), model, first, last, refit=policy)
    rows = write_forecasts(judged.backtest, out) if out is not None else 0
    if report is not None:
        from stockcast.workflows.backtest_report import write_report

        write_report(judged.diagnosis, report)
    if as_json:
        print_json(
            {
                "model": model,
                "rows": rows,
                "out": str(out) if out else None,
                "report": str(report) if report else None,
                "scorecard": judged.scorecard.to_json(),
                "diagnosis": judged.diagnosis.to_json(),
            }
        )
        return
    _tell_diagnosis(judged.diagnosis)
    if out is not None:
        say(f"{rows:,} forecasts written to {out}.")
    if report is not None:
        say(f"Report written to {report}.")


def evaluate_command(
    tickers: Tickers = None,
    model: Annotated[
        str, typer.Option("--model", help="champion, challenger, lstm (newest trained) or a version.")
    ] = "champion",
    universe: Universe = UNIVERSE,
    background: Background = False,
    as_json: AsJson = False,
) -> None:
    """Score a version on the sessions that came after it was judged, beside naive."""
    workspace = open_workspace()
    if background:
        print_job(workspace.desk.submit_evaluation(universe, model, tickers or ()), as_json)
        return
    card = workspace.backtests.evaluate(universe, model, tickers or ()).scorecard
    if as_json:
        print_json({"model": model, "scorecard": card.to_json()})
    else:
        print_scorecard(card)


def _refit(text: str) -> RefitPolicy:
    """How often to refit, as it was typed. Raises InvalidRequest."""
    from stockcast.workflows.job_requests import REFITS

    found = next((policy for policy in REFITS if policy == text), None)
    if found is None:
        raise InvalidRequest(f"A model cannot be refitted '{text}'.", f"Choose one of {', '.join(REFITS)}.")
    return found


def _tell_diagnosis(diagnosis: Diagnosis) -> None:
    from stockcast.evaluation.diagnose import spoken
    from stockcast.evaluation.significance import p_text
    from stockcast.workflows.backtest_tables import measure_rows

    card = diagnosis.scorecard
    print_table(
        f"{diagnosis.label}: {card.count:,} one-session forecasts, {card.first_session} to {card.last_session}",
        ("measure", diagnosis.label, "naive", "how to read it"),
        measure_rows(diagnosis),
    )
    print_table(
        "CRPS against each opponent",
        ("opponent", "skill", "Diebold-Mariano", "tickers won"),
        [
            (
                spoken(duel.opponent),
                f"{100 * duel.skill:+.2f} %",
                f"{p_text(duel.p_value)} over {duel.sessions:,} sessions",
                f"{duel.won} of {len(duel.tickers)}",
            )
            for duel in diagnosis.duels
        ],
    )
    say(diagnosis.verdict)


def _window(file: Path, ticker: str | None) -> PriceWindow:
    from stockcast.prices.reading.sniff import read_bytes
    from stockcast.prices.tickers import normalise_ticker
    from stockcast.prices.windowfile import read_window

    window = read_window(file.name, read_bytes(file))
    return window if ticker is None else replace(window, ticker=normalise_ticker(ticker))


def _tell(answer: Answer) -> None:
    from stockcast.evaluation.significance import p_text

    forecast, version = answer.forecast, answer.speaker.version
    context = forecast.context
    unit = context.currency or ""
    low80, high80 = forecast.interval(0.8)
    low95, high95 = forecast.interval(0.95)
    print_table(
        f"{context.ticker or 'Window'}: last close {context.last_close:.4f} {unit}"
        + (f" on {context.cutoff}" if context.cutoff else ""),
        ("session", "median", "naive", "80 % interval", "95 % interval"),
        [
            (
                forecast.session(h + 1) or f"+{h + 1}",
                f"{forecast.median[h]:.4f}",
                f"{answer.naive.median[h]:.4f}",
                f"{low80[h]:.4f} – {high80[h]:.4f}",
                f"{low95[h]:.4f} – {high95[h]:.4f}",
            )
            for h in range(forecast.horizon)
        ],
    )
    card = answer.speaker.scorecard
    judged = (
        f", skill over naive {card.skill:+.2%} over {card.count:,} test forecasts ({p_text(card.dm_p_value)})"
        if card
        else ""
    )
    say(f"Said by {version.label} of {version.name}{judged}.")
    if answer.stale:
        say(answer.stale.sentence)
    _tell_drift(answer.drift)


def _tell_chances(answer: Answer, level: float) -> None:
    from stockcast.forecasting.chances import chance_above

    forecast, label = answer.forecast, answer.speaker.version.label
    ours, naive = (map(_chance_text, chance_above(each, level)) for each in (forecast, answer.naive))
    sessions = [forecast.session(h) or f"+{h}" for h in range(1, forecast.horizon + 1)]
    title = f"The chance to close above {level:g} {forecast.context.currency or ''}".rstrip()
    print_table(title, ("session", label, "naive"), list(zip(sessions, ours, naive, strict=True)))


def _chance_text(share: float) -> str:
    """A chance as far as the quantiles know it."""
    from stockcast.forecasting.chances import LEAST_CHANCE, MOST_CHANCE

    if share < LEAST_CHANCE:
        return f"under {LEAST_CHANCE:.1%}"
    return f"over {MOST_CHANCE:.1%}" if share > MOST_CHANCE else f"{share:.0%}"


def _tell_all(found: UniverseForecast, as_json: bool) -> None:
    from stockcast.workflows.answer_json import answer_json

    if as_json:
        print_json({"forecasts": [answer_json(answer) for answer in found.answers], "failed": dict(found.failed)})
        return
    rows = []
    for answer in found.answers:
        forecast, (low, high) = answer.forecast, answer.forecast.interval(0.8)
        rows.append(
            (
                forecast.context.ticker,
                forecast.session(1),
                f"{answer.naive.median[0]:.4f}",
                f"{forecast.median[0]:.4f}",
                f"{low[0]:.4f} – {high[0]:.4f}",
                answer.drift.severity,
            )
        )
    label = found.answers[0].speaker.version.label
    columns = ("ticker", "session", "naive", "median", "80 % interval", "input")
    print_table(f"One session ahead, said by {label}", columns, rows)
    for ticker, reason in found.failed.items():
        say(f"{ticker}: {reason}")


def _tell_drift(report: DriftReport) -> None:
    say(f"Input: {report.severity}.")
    for finding in report.findings:
        say(f"  [{finding.severity}] {finding.sentence}")
    for sentence in report.unchecked:
        say(f"  Not checked: {sentence}")
