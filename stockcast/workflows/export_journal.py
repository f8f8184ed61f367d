"""Exports the journal with its outcomes as a CSV file: one row a forecast and horizon, as it was said."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Row, select

from stockcast.database import Database, utc
from stockcast.forecasting.quantiles import MEDIAN, level_position
from stockcast.forecasting.returns import to_prices
from stockcast.monitoring.findings import DriftReport
from stockcast.monitoring.journal import at_todays_levels, parse_json, text_of
from stockcast.monitoring.outcomes import Outcome, Outcomes
from stockcast.tables import journal
from stockcast.workflows.backtest import FILE_LEVELS

_WHO = ("issued_at", "face", "universe", "ticker", "cutoff", "model", "model_version", "run_id", "from_store")
COLUMNS = (
    *("journal_id", *_WHO),
    *("drift", "horizon", "session", "last_close", "median", *(f"q{level:g}" for level in FILE_LEVELS)),
    *("live", "actual_close", "actual_return", "crps", "naive_crps", "pit", "scored_at"),
)
_LEVELS = [level_position(level) for level in FILE_LEVELS]
_AT_ONCE = 1_000  # rows of the journal that are held at a time


@dataclass(frozen=True)
class Export:
    """A file and how many rows it has."""

    content: bytes
    rows: int


def export_journal(database: Database, outcomes: Outcomes, universe: str | None, ticker: str | None) -> Export:
    """Everything that was said, of one universe or ticker or of all, oldest first; outcomes empty while unknown.

    Prices are those of the day on which they were shown: `actual_close` is the last close then, grown by the
    return that came true.
    """
    text, rows = io.StringIO(), 0
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in itertools.chain.from_iterable(
        _lines(part, outcomes) for part in _parts(database, universe, ticker)
    ):
        writer.writerow(row)
        rows += 1
    return Export(text.getvalue().encode(), rows)


def _parts(database: Database, universe: str | None, ticker: str | None) -> Iterator[list[Row[Any]]]:
    query = select(
        journal.c.id,
        *(journal.c[name] for name in _WHO),
        journal.c.last_close,
        journal.c.sessions,
        text_of(journal.c.levels).label("levels"),
        text_of(journal.c.log_returns).label("quantiles"),
        text_of(journal.c.findings).label("findings"),
    ).order_by(journal.c.id)
    if universe is not None:
        query = query.where(journal.c.universe == universe)
    if ticker is not None:
        query = query.where(journal.c.ticker == ticker)
    after = 0
    while True:
        with database.read() as connection:
            found: list[Row[Any]] = list(connection.execute(query.where(journal.c.id > after).limit(_AT_ONCE)))
        if not found:
            return
        yield found
        after = found[-1].id


def _lines(part: list[Row[Any]], outcomes: Outcomes) -> Iterator[list[object]]:
    known = outcomes.of([row.id for row in part])
    quantiles, findings = (parse_json(getattr(row, name) for row in part) for name in ("quantiles", "findings"))
    for row, said, found in zip(part, quantiles, findings, strict=True):
        prices = to_prices(row.last_close, at_todays_levels(said, [row.levels] * len(said)))  # [H, Q]
        came = {outcome.horizon: outcome for outcome in known.get(row.id, ())}
        head = [row.id, utc(row.issued_at).isoformat(), *(getattr(row, name) for name in _WHO[1:])]
        drift = DriftReport.from_json(found).severity
        for horizon, shown in enumerate(prices, start=1):
            session = row.sessions[horizon - 1] if row.sessions else None
            values = shown[[MEDIAN, *_LEVELS]].tolist()
            told = _told(row.last_close, came.get(horizon))
            yield [*head, drift, horizon, session, row.last_close, *values, *told]


def _told(last_close: float, outcome: Outcome | None) -> list[object]:
    if outcome is None:
        return [None] * 7
    return [
        outcome.live,
        float(last_close * np.exp(outcome.log_return)),
        outcome.log_return,
        outcome.crps,
        outcome.naive_crps,
        outcome.pit,
        outcome.scored_at.isoformat(),
    ]
