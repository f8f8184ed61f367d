"""Outcomes: what came true of each journaled forecast, written down once, when the stored history first tells it.

Returns are compared, from the cutoff's close to the close of the session, both as one history tells them: a
dividend restates prices and leaves returns alone. Whatever a later history says, what is written stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from stockcast.database import Database, utc
from stockcast.evaluation.metrics import crps
from stockcast.forecasting.distribution import Distribution
from stockcast.forecasting.returns import to_returns
from stockcast.monitoring.journal import at_todays_levels, moments, parse_json, text_of
from stockcast.monitoring.scored import Bools, Scored
from stockcast.prices.frame import PriceFrame
from stockcast.prices.sessions import Sessions, closing_times
from stockcast.tables import journal, outcomes

_AT_ONCE = 2_000  # rows of the journal in one short transaction


@dataclass(frozen=True)
class Scoring:
    """What a look for outcomes did. One outcome is one horizon of one journaled forecast."""

    written: int = 0
    # Sessions that have passed, but that are not stored as the h-th after the cutoff: a holiday that the calendar
    # did not know of, or a row that the vendor lacks. They are looked for again, and never guessed.
    missing: int = 0

    def __add__(self, other: Scoring) -> Scoring:
        return Scoring(self.written + other.written, self.missing + other.missing)


@dataclass(frozen=True)
class Outcome:
    """What came true of one horizon of a journaled forecast. CRPS in percent of the price."""

    journal_id: int
    horizon: int
    session: date
    log_return: float  # from the cutoff's close
    crps: float
    naive_crps: float | None
    pit: float
    live: bool  # whether it was said before the session closed
    scored_at: datetime


class Outcomes:
    """What came true, in the one database. Two processes may look at the same time: each outcome is one row."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def score(self, frame: PriceFrame, now: datetime) -> Scoring:
        """Writes down what a stored history tells of the forecasts of its ticker, and has not told before."""
        with self._database.read() as connection:
            waiting = _read_waiting(connection, frame)
        if waiting is None:
            return Scoring()
        due, missing = waiting.matched(frame)
        rows, written = np.flatnonzero(due.any(axis=1)), 0
        for start in range(0, len(rows), _AT_ONCE):
            written += self._write(waiting, rows[start : start + _AT_ONCE], due, frame, now)
        return Scoring(written, int(missing.sum()))

    def of(self, journal_ids: Sequence[int]) -> Mapping[int, tuple[Outcome, ...]]:
        """The outcomes of these rows of the journal, nearest horizon first; rows without any are not named."""
        query = select(outcomes).where(outcomes.c.journal_id.in_(journal_ids)).order_by(outcomes.c.horizon)
        found: dict[int, tuple[Outcome, ...]] = {}
        with self._database.read() as connection:
            for row in connection.execute(query):
                told = Outcome(**dict(row._mapping) | {"scored_at": utc(row.scored_at)})
                found[told.journal_id] = (*found.get(told.journal_id, ()), told)
        return found

    def unscored(self) -> Mapping[str, date]:
        """The tickers with forecasts of which an outcome is not written, each with its oldest such cutoff."""
        query = (
            select(journal.c.ticker, func.min(journal.c.cutoff))
            .where(journal.c.ticker.is_not(None), journal.c.cutoff.is_not(None), _unfinished())
            .group_by(journal.c.ticker)
        )
        with self._database.read() as connection:
            return {row.ticker: row[1] for row in connection.execute(query)}

    def scored(
        self,
        universe: str,
        *,
        horizon: int = 1,
        ticker: str | None = None,
        since: date | None = None,
        until: date | None = None,
    ) -> Scored:
        """Forecasts of a universe with what came true of them, oldest first; dates are those of the session."""
        query = (
            select(
                journal.c.id,
                journal.c.issued_at,
                journal.c.ticker,
                journal.c.model_version,
                journal.c.cutoff,
                journal.c.from_store,
                outcomes.c.session,
                outcomes.c.live,
                outcomes.c.log_return,
                outcomes.c.crps,
                outcomes.c.naive_crps,
                outcomes.c.pit,
                text_of(journal.c.levels),
                text_of(journal.c.log_returns, horizon),
                text_of(journal.c.naive_log_returns, horizon),
            )
            .join(outcomes, outcomes.c.journal_id == journal.c.id)
            .where(journal.c.universe == universe, outcomes.c.horizon == horizon)
            .order_by(journal.c.issued_at, journal.c.id)
        )
        if ticker is not None:
            query = query.where(journal.c.ticker == ticker)
        if since is not None:
            query = query.where(outcomes.c.session >= since)
        if until is not None:
            query = query.where(outcomes.c.session <= until)
        with self._database.read() as connection:
            found = connection.execute(query).all()
        return _scored(universe, horizon, list(zip(*found, strict=True)) or [()] * len(query.selected_columns))

    def _write(
        self, waiting: _Waiting, rows: NDArray[np.intp], due: Bools, frame: PriceFrame, now: datetime
    ) -> int:
        """Scores what is due of these rows and keeps what nobody else has kept; returns how many that were."""
        query = select(
            journal.c.id,
            text_of(journal.c.levels),
            text_of(journal.c.log_returns),
            text_of(journal.c.naive_log_returns),
        ).where(journal.c.id.in_(waiting.ids[rows].tolist()))
        with self._database.read() as connection:
            found = connection.execute(query.order_by(journal.c.id)).all()
        _, texts, *columns = zip(*found, strict=True)  # in the order of `rows`, which is that of their ids
        pairs = np.argwhere(due[rows])  # [P, 2]
        levels = [texts[row] for row, _ in pairs]
        own, naive = (
            at_todays_levels([held[row][column] if held[row] else None for row, column in pairs], levels)
            for held in map(parse_json, columns)
        )
        first = waiting.rows[rows][pairs[:, 0]]
        last = first + pairs[:, 1] + 1
        came = to_returns(frame.close[first], frame.close[last])  # type: ignore[arg-type]
        closed = closing_times(frame.exchange, frame.sessions[last])
        beside = crps(naive, came) * 100
        values = {
            "journal_id": waiting.ids[rows][pairs[:, 0]],
            "horizon": pairs[:, 1] + 1,
            "session": frame.sessions[last],
            "log_return": came,
            "crps": crps(own, came) * 100,
            "naive_crps": np.where(np.isnan(beside), None, beside),  # type: ignore[call-overload]
            "pit": Distribution.of(own).probability(came),
            "live": waiting.issued_at[rows][pairs[:, 0]] < closed,
        }
        told = {"scored_at": now.astimezone(UTC)}
        with self._database.write() as connection:
            insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            kept = connection.execute(
                insert(outcomes).on_conflict_do_nothing().execution_options(preserve_rowcount=True),
                [
                    dict(zip(values, row, strict=True)) | told
                    for row in zip(*(column.tolist() for column in values.values()), strict=True)
                ],
            )
            return kept.rowcount


@dataclass(frozen=True, eq=False)
class _Waiting:
    """Forecasts of a ticker with outcomes still to come. N rows of the journal, H horizons of the furthest."""

    ids: NDArray[np.int64]  # [N]
    issued_at: NDArray[np.datetime64]  # [N]
    rows: NDArray[np.intp]  # [N] row of the cutoff in the stored history
    known: Bools  # [N] whether the history holds the cutoff at all
    sessions: Sessions  # [N, H] as they were named then, NaT beyond a row's furthest
    scored: Bools  # [N, H]

    def matched(self, frame: PriceFrame) -> tuple[Bools, Bools]:
        """Where the history tells the outcome, and where it has passed the session and does not. [N, H] each

        The session must be the h-th stored one after the cutoff, as it is in a backtest.
        """
        there = self.rows[:, None] + np.arange(1, self.sessions.shape[1] + 1)
        reached = np.minimum(there, len(frame) - 1)
        matches = self.known[:, None] & (there < len(frame)) & (frame.sessions[reached] == self.sessions)
        passed = self.sessions <= frame.sessions[-1]
        return matches & ~self.scored, passed & ~matches & ~self.scored


def _read_waiting(connection: Connection, frame: PriceFrame) -> _Waiting | None:
    """What waits for an outcome, has a cutoff inside the history and is not at its end; None for nothing."""
    wanted = (
        journal.c.universe.in_(select(journal.c.universe).distinct()),  # all; the index begins with it
        journal.c.ticker == frame.ticker,
        journal.c.cutoff >= frame.first_session,
        journal.c.cutoff < frame.last_session,
        _unfinished(),
    )
    columns = journal.c.id, journal.c.issued_at, journal.c.cutoff, journal.c.sessions
    found = connection.execute(select(*columns).where(*wanted).order_by(journal.c.id)).all()
    if not found:
        return None
    ids, issued, cutoffs, days = zip(*found, strict=True)
    furthest = max(map(len, days))
    scored = np.zeros((len(ids), furthest), dtype=np.bool_)
    place = {number: row for row, number in enumerate(ids)}
    pairs = select(outcomes.c.journal_id, outcomes.c.horizon).where(
        outcomes.c.journal_id.in_(select(journal.c.id).where(*wanted))
    )
    for number, horizon in connection.execute(pairs):
        scored[place[number], horizon - 1] = True
    at = np.array(cutoffs, dtype="datetime64[D]")
    rows = np.searchsorted(frame.sessions, at)
    return _Waiting(
        ids=np.array(ids, dtype=np.int64),
        issued_at=moments(issued),
        rows=rows,
        known=frame.sessions[rows] == at,
        sessions=np.array([[*row, *["NaT"] * (furthest - len(row))] for row in days], dtype="datetime64[D]"),
        scored=scored,
    )


def _unfinished() -> ColumnElement[bool]:
    """Whether a row of the journal has fewer outcomes than sessions."""
    written = select(func.count()).where(outcomes.c.journal_id == journal.c.id).scalar_subquery()
    return func.json_array_length(journal.c.sessions) > written


def _scored(universe: str, horizon: int, columns: Sequence[Sequence[Any]]) -> Scored:
    """From the columns of `Outcomes.scored`, in its order."""
    ids, issued, tickers, versions, cutoffs, stored, days, live, returns, own, naive, pit, *texts = columns
    levels, quantiles, beside = texts
    return Scored(
        universe=universe,
        horizon=horizon,
        journal_ids=np.array(ids, dtype=np.int64),
        issued_at=moments(issued),
        tickers=np.array(tickers, dtype=np.str_),
        versions=np.array(versions, dtype=np.str_),
        cutoffs=np.array(cutoffs, dtype="datetime64[D]"),
        sessions=np.array(days, dtype="datetime64[D]"),
        from_store=np.array(stored, dtype=np.bool_),
        live=np.array(live, dtype=np.bool_),
        returns=np.array(returns, dtype=np.float64),
        crps=np.array(own, dtype=np.float64),
        naive_crps=np.array(naive, dtype=np.float64),
        pit=np.array(pit, dtype=np.float64),
        quantiles=at_todays_levels(parse_json(quantiles), levels),
        naive_quantiles=at_todays_levels(parse_json(beside), levels),
    )
