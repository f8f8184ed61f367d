"""Ingest: get prices from a source and keep them, whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from stockcast.logs import get_logger
from stockcast.prices.frame import PriceFrame
from stockcast.prices.quality import assess_quality
from stockcast.prices.quality_findings import list_findings
from stockcast.prices.repairs import add_reports, repair
from stockcast.prices.restatement import Overlap, compare_overlap, splice
from stockcast.prices.source import FetchedPrices, PriceQuestion, PriceReport, PriceSource, ask
from stockcast.prices.store import PriceStore, StoredHistory

OVERLAP_SESSIONS = 30  # stored sessions that are fetched again, to see whether they still agree

_log = get_logger(__name__)

Status = Literal["added", "updated", "unchanged", "replaced"]


@dataclass(frozen=True)
class Ingested:
    """What an ingest left in the store, and what it did to what was there before."""

    ticker: str
    frame: PriceFrame
    report: PriceReport
    status: Status
    sentence: str
    before: StoredHistory | None = None  # what was stored until now


def ingest_prices(store: PriceStore, source: PriceSource[Any], question: PriceQuestion, now: datetime) -> Ingested:
    """Fetches the prices of one ticker and stores them as of `now`.

    A history of the same incremental source is only extended, when no range is asked and an overlap of
    returns agrees; anything else replaces the history. Nothing is stored when anything fails.
    Raises SourceError, UnreadableFile, InvalidPrices.
    """
    before = store.find(question.ticker)
    extends = before is not None and source.incremental and before.source == source.name
    if before is not None and extends and question.start is None and question.end is None:
        ingested = _extend(store.load(question.ticker), before, source, now)
    else:
        ingested = _replace(before, ask(source, question, now))
    ingested = replace(ingested, report=_counted(ingested.frame, ingested.report))
    store.save(FetchedPrices(ingested.frame, ingested.report))
    _log.info(
        "prices_stored",
        ticker=ingested.ticker,
        source=source.name,
        status=ingested.status,
        sessions=len(ingested.frame),
        first_session=ingested.frame.first_session,
        last_session=ingested.frame.last_session,
        content_hash=ingested.frame.content_hash,
        sentence=ingested.sentence,
    )
    return ingested


def _counted(frame: PriceFrame, report: PriceReport) -> PriceReport:
    """The report with the number of places that the quality report lists."""
    return replace(report, findings=len(list_findings(frame, assess_quality(frame), report)))


def _replace(before: StoredHistory | None, fetched: FetchedPrices) -> Ingested:
    frame, report = fetched.frame, fetched.report
    if before is None:
        return Ingested(frame.ticker, frame, report, "added", f"Added {_covered(frame)}.")
    if before.content_hash == frame.content_hash:
        sentence = f"{frame.ticker} already held these {len(frame):,} sessions."
        return Ingested(frame.ticker, frame, report, "unchanged", sentence, before)
    old = f"{before.sessions:,} sessions from {before.source}, {before.first_session} to {before.last_session}"
    sentence = f"Stored {_covered(frame)}, in place of {old}."
    return Ingested(frame.ticker, frame, report, "replaced", sentence, before)


def _extend(stored: PriceFrame, before: StoredHistory, source: PriceSource[Any], now: datetime) -> Ingested:
    overlap_start = stored.rows(max(0, len(stored) - OVERLAP_SESSIONS), len(stored)).first_session
    recent = PriceQuestion(stored.ticker, start=overlap_start)
    raw = source.fetch(recent)
    fetched = source.normalise(recent, raw, now).frame
    overlap = compare_overlap(stored, fetched)
    if not overlap.agreed:
        return _fetch_anew(before, source, now, overlap)
    added = int((fetched.sessions > stored.sessions[-1]).sum())
    if not added and overlap.price_factor == 1.0:
        same = replace(stored, as_of=now)
        sentence = f"{stored.ticker} is up to date: nothing after {stored.last_session}."
        return Ingested(stored.ticker, same, before.report, "unchanged", sentence, before)
    frame = splice(stored, fetched, overlap)
    report = before.report
    if added:
        news = PriceQuestion(stored.ticker, start=stored.last_session + timedelta(days=1))
        report = add_reports(report, source.normalise(news, raw, now).report)
    sentence = f"Added {added:,} sessions to {stored.ticker}, up to {frame.last_session}."
    if overlap.price_factor != 1.0:
        report = add_reports(report, PriceReport(0, (repair("rescaled", 1, sessions=[stored.last_session]),)))
        sentence += f" Earlier prices were multiplied by {overlap.price_factor:.6g}: a dividend or split since."
    return Ingested(stored.ticker, frame, report, "updated", sentence, before)


def _fetch_anew(before: StoredHistory, source: PriceSource[Any], now: datetime, overlap: Overlap) -> Ingested:
    """The whole range of the stored history again, because its end is told differently now."""
    fetched = ask(source, PriceQuestion(before.ticker, start=before.first_session), now)
    if overlap.difference is not None:
        reason = f"the return of {overlap.first_disagreement} differs by {100 * overlap.difference:+.2f} %"
    elif overlap.first_disagreement is not None:
        reason = f"the session {overlap.first_disagreement} is known to one of both only"
    else:
        reason = "it shares too few sessions with what is stored"
    where = [overlap.first_disagreement] if overlap.first_disagreement else []
    told = PriceReport(0, (repair("restated", 1, f"{now:%Y-%m-%d}: {reason}", where),))
    return Ingested(
        before.ticker,
        fetched.frame,
        add_reports(fetched.report, told),
        "replaced",
        f"{source.name} has restated {before.ticker} ({reason}); stored {_covered(fetched.frame)} anew.",
        before,
    )


def _covered(frame: PriceFrame) -> str:
    return f"{len(frame):,} sessions of {frame.ticker}, {frame.first_session} to {frame.last_session}"
