"""`stockcast prices`: where prices come from and what is stored."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from stockcast.cli.job_commands import print_job
from stockcast.cli.output import (
    UNIVERSE,
    AsJson,
    open_settings,
    open_workspace,
    parse_date,
    print_json,
    print_table,
    say,
)

if TYPE_CHECKING:
    from stockcast.prices.reading.numerals import DecimalMark
    from stockcast.prices.store import StoredHistory
    from stockcast.workflows.ingest import Ingested
    from stockcast.workflows.preview_import import ImportPreview

prices_app = typer.Typer(help="Download, import and list daily prices.", no_args_is_help=True)


@prices_app.command("sample")
def sample_prices(as_json: AsJson = False) -> None:
    """Store the bundled sample: AAPL, FB, GOOG, IBM and MSFT, 2000 to 2013."""
    _tell(open_workspace().ingest_sample(), as_json)


@prices_app.command("import")
def import_prices(
    file: Annotated[Path, typer.Argument(help="CSV, XLSX or Parquet file of daily prices.")],
    ticker: Annotated[str, typer.Option("--ticker", help="Ticker to store the prices under.")],
    date_order: Annotated[
        Literal["auto", "dmy", "mdy"], typer.Option("--date-order", help="How to read dates such as 03/04/2024.")
    ] = "auto",
    decimal_mark: Annotated[
        Literal["auto", "point", "comma"],
        typer.Option("--decimal-mark", help="How to read numbers such as 1.234."),
    ] = "auto",
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--column", help="Which column holds what: close=Last, or close=5 counted from 1; may be repeated."
        ),
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Say how the file is read, and store nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Store the prices of a file, and say how they were read."""
    from stockcast.prices.file import FilePrices
    from stockcast.prices.reading.read_as import ReadAs, told_columns
    from stockcast.prices.reading.sniff import read_bytes
    from stockcast.prices.source import shape_question
    from stockcast.workflows.preview_import import preview_import

    mark: DecimalMark | None = {"auto": None, "point": ".", "comma": ","}[decimal_mark]
    content, read_as = read_bytes(file), ReadAs(date_order, mark, told_columns(columns or ()))
    workspace = open_workspace()
    source, question = FilePrices(file.name, content, read_as), shape_question(ticker)
    seen = preview_import(workspace.prices, source, question, workspace.clock())
    if preview:
        _tell_preview(seen, as_json)
        return
    if not as_json:
        for sentence in (seen.reading.sentence, *seen.cautions):
            say(sentence)
    _tell([workspace.ingest_file(file.name, content, ticker, read_as)], as_json)


@prices_app.command("export")
def export_prices(
    ticker: Annotated[str, typer.Argument(help="A stored ticker.")],
    out: Annotated[Path, typer.Option("--out", help="File to write, .csv or .xlsx.")],
    start: Annotated[str | None, typer.Option("--start", help="First session, YYYY-MM-DD.")] = None,
    end: Annotated[str | None, typer.Option("--end", help="Last session, YYYY-MM-DD.")] = None,
) -> None:
    """Write a stored history to a file, which `prices import` reads back."""
    from stockcast.errors import InvalidRequest, NoPricesFound
    from stockcast.prices.price_export import export_csv, export_xlsx
    from stockcast.workflows.write_file import write_whole

    prices = open_workspace().prices
    history, frame = prices.history(ticker), prices.load(ticker)
    part = frame.between(parse_date(start) or frame.first_session, parse_date(end) or frame.last_session)
    if not len(part):
        raise NoPricesFound(
            f"No session of {frame.ticker} is stored in that range.",
            f"It reaches from {frame.first_session} to {frame.last_session}.",
        )
    kind = out.suffix.casefold()
    if kind not in (".csv", ".xlsx"):
        raise InvalidRequest(f"'{out.name}' ends neither in .csv nor in .xlsx.", "Choose one of the two.")
    write_whole(out, export_csv(part) if kind == ".csv" else export_xlsx(part, history.report))
    say(f"{len(part):,} sessions of {part.ticker} in {part.currency} written to {out}.")


@prices_app.command("search")
def search_prices(
    text: Annotated[str, typer.Argument(help="A company's name, or a part of it.")], as_json: AsJson = False
) -> None:
    """Find tickers at Yahoo by the name of the company."""
    from stockcast.workflows.search_tickers import search_tickers

    found = search_tickers(open_settings().yahoo_cache, text)
    if as_json:
        print_json([asdict(listing) for listing in found])
        return
    rows = [
        (each.ticker, each.name, each.kind, each.exchange, "" if each.known else "no calendar") for each in found
    ]
    print_table(f"Yahoo on '{text}'", ("ticker", "name", "kind", "exchange", ""), rows)


@prices_app.command("fetch")
def fetch_prices(
    tickers: Annotated[list[str], typer.Argument(help="Tickers as Yahoo writes them.")],
    start: Annotated[str | None, typer.Option("--start", help="First session, YYYY-MM-DD.")] = None,
    end: Annotated[str | None, typer.Option("--end", help="Last session, YYYY-MM-DD.")] = None,
    background: Annotated[bool, typer.Option("--background", help="As a job: prints its id and returns.")] = False,
    as_json: AsJson = False,
) -> None:
    """Download prices from Yahoo; a stored history is continued and checked for restatements."""
    workspace = open_workspace()
    first, last = parse_date(start), parse_date(end)
    if background:
        print_job(workspace.desk.submit_fetch(UNIVERSE, tickers, first, last), as_json)
        return
    _tell([workspace.ingest_yahoo(ticker, first, last) for ticker in tickers], as_json)


@prices_app.command("list")
def list_prices(as_json: AsJson = False) -> None:
    """List the stored histories."""
    found = open_workspace().prices.list()
    if as_json:
        print_json([_history(history) for history in found])
        return
    print_table(
        "Stored prices",
        ("ticker", "sessions", "first", "last", "currency", "source", "as of"),
        [
            (
                h.ticker,
                h.sessions,
                h.first_session,
                h.last_session,
                h.currency,
                h.source,
                f"{h.as_of:%Y-%m-%d %H:%M}",
            )
            for h in found
        ],
    )


@prices_app.command("show")
def show_prices(
    ticker: Annotated[str, typer.Argument(help="A stored ticker.")],
    rows: Annotated[int, typer.Option("--rows", min=1, help="How many of the last sessions.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show the last sessions of a stored history."""
    from stockcast.prices.tickers import normalise_ticker

    frame = open_workspace().prices.load(normalise_ticker(ticker))
    last = frame.to_dataframe().tail(rows)
    bars: list[dict[str, object]] = [
        {
            "session": f"{session:%Y-%m-%d}",
            **{str(name): value if value == value else None for name, value in bar.items()},
        }
        for session, bar in zip(last.index, last.to_dict("records"), strict=True)
    ]
    if as_json:
        print_json(
            {"ticker": frame.ticker, "currency": frame.currency, "content_hash": frame.content_hash, "bars": bars}
        )
        return
    print_table(f"{frame.ticker}, {frame.currency}", tuple(bars[0]), [tuple(bar.values()) for bar in bars])


def _tell_preview(seen: ImportPreview, as_json: bool) -> None:
    frame, report = seen.fetched.frame, seen.fetched.report
    if as_json:
        print_json(
            {
                "ticker": frame.ticker,
                "currency": frame.currency,
                "sessions": len(frame),
                "first_session": frame.first_session,
                "last_session": frame.last_session,
                "reading": seen.reading.sentence,
                "cautions": seen.cautions,
                "quality": seen.quality.sentences,
                "replaces": seen.replaces,
                "report": report.to_json(),
            }
        )
        return
    say(seen.reading.sentence)
    reach = f"{frame.first_session} to {frame.last_session}"
    say(f"{len(frame):,} sessions of {frame.ticker} in {frame.currency}, {reach}.")
    repairs = (repair.sentence for repair in report.repairs)
    for sentence in (*seen.cautions, *repairs, *seen.quality.sentences, *seen.replaces):
        say(f"  {sentence}")
    say("Nothing was stored.")


def _tell(found: list[Ingested], as_json: bool) -> None:
    if as_json:
        print_json([_ingested(each) for each in found])
        return
    for each in found:
        say(each.sentence)
        for repair in each.report.repairs:
            say(f"  {repair.sentence}")


def _ingested(each: Ingested) -> dict[str, object]:
    return {
        "ticker": each.ticker,
        "status": each.status,
        "sessions": len(each.frame),
        "first_session": each.frame.first_session,
        "last_session": each.frame.last_session,
        "currency": each.frame.currency,
        "source": each.frame.source,
        "content_hash": each.frame.content_hash,
        "report": each.report.to_json(),
    }


def _history(history: StoredHistory) -> dict[str, object]:
    return {
        "ticker": history.ticker,
        "exchange": history.exchange,
        "currency": history.currency,
        "source": history.source,
        "as_of": history.as_of,
        "content_hash": history.content_hash,
        "first_session": history.first_session,
        "last_session": history.last_session,
        "sessions": history.sessions,
    }
