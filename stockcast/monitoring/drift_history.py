"""Drift over time: what the checks found at each cutoff, as it was journaled with the forecasts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from stockcast.database import Database
from stockcast.monitoring.findings import DriftReport, Finding, Severity
from stockcast.monitoring.journal import parse_json, text_of
from stockcast.tables import journal


@dataclass(frozen=True)
class DriftDay:
    """All that was found of one ticker at one cutoff, whichever forecasts were made there."""

    ticker: str
    cutoff: date
    report: DriftReport


@dataclass(frozen=True)
class MeasureCount:
    """How many cutoffs had a finding of one rule and severity."""

    measure: str
    severity: Severity
    count: int


def drift_history(
    database: Database, universe: str, *, ticker: str | None = None, since: date | None = None
) -> tuple[DriftDay, ...]:
    """Every cutoff at which a stored history was forecast from, by ticker and then by cutoff; healthy ones too."""
    query = (
        select(journal.c.ticker, journal.c.cutoff, text_of(journal.c.findings).label("findings"))
        .where(journal.c.universe == universe, journal.c.ticker.is_not(None), journal.c.from_store)
        .order_by(journal.c.ticker, journal.c.cutoff, journal.c.id)
    )
    if ticker is not None:
        query = query.where(journal.c.ticker == ticker)
    if since is not None:
        query = query.where(journal.c.cutoff >= since)
    with database.read() as connection:
        rows = connection.execute(query).all()
    found: dict[tuple[str, date], list[DriftReport]] = {}
    for row, report in zip(rows, parse_json(row.findings for row in rows), strict=True):
        found.setdefault((row.ticker, row.cutoff), []).append(DriftReport.from_json(report))
    return tuple(DriftDay(*key, _together(reports)) for key, reports in found.items())


def measure_counts(days: Iterable[DriftDay]) -> tuple[MeasureCount, ...]:
    """What was found how often, the most frequent first."""
    told = Counter(
        pair for day in days for pair in {(finding.measure, finding.severity) for finding in day.report.findings}
    )
    return tuple(
        MeasureCount(measure, severity, count)
        for (measure, severity), count in sorted(told.items(), key=lambda item: (-item[1], item[0]))
    )


def _together(reports: list[DriftReport]) -> DriftReport:
    """Each finding once: several faces were told the same."""
    findings: dict[Finding, None] = dict.fromkeys(finding for report in reports for finding in report.findings)
    unchecked = dict.fromkeys(sentence for report in reports for sentence in report.unchecked)
    return DriftReport(tuple(findings), tuple(unchecked))
