"""The journal: every forecast is written down before it is shown, so that the track record judges what was said.

Log returns are kept, not levels alone: a dividend restates the history, but not what was said about returns.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json
from sqlalchemy import Column, ColumnElement, Row, Text, cast, insert, select
from sqlalchemy.exc import IntegrityError

from stockcast.database import Database, utc
from stockcast.forecasting.quantiles import LEVELS, QuantileForecast
from stockcast.forecasting.returns import Floats, to_prices
from stockcast.monitoring.findings import DriftReport
from stockcast.tables import journal

Face = Literal["page", "cli", "api", "schedule"]


@dataclass(frozen=True, eq=False)
class JournalEntry:
    """One forecast as it was issued. `H` horizons, `Q` levels."""

    id: int
    issued_at: datetime  # aware, UTC
    face: str
    universe: str
    ticker: str | None
    cutoff: date | None
    model: str
    model_version: str
    run_id: str | None
    last_close: float
    sessions: tuple[date, ...] | None  # [H], None when the context carried no dates
    levels: Floats  # [Q]
    log_returns: Floats  # [H, Q] from the last close
    naive_log_returns: Floats | None  # [H, Q]; None in rows from before it was kept
    from_store: bool  # whether it read a stored history, not an uploaded window
    drift: DriftReport

    @property
    def prices(self) -> Floats:
        """Quantiles of the close as they were shown, in the currency of that day. [H, Q]"""
        return to_prices(self.last_close, self.log_returns)


class Journal:
    """The forecasts that were issued, in the one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self,
        forecast: QuantileForecast,
        naive: QuantileForecast,
        *,
        face: Face,
        universe: str,
        model: str,
        model_version: str,
        run_id: str | None,
        drift: DriftReport,
        from_store: bool,
        issued_at: datetime,
    ) -> int:
        """Writes a forecast down and returns the id of its row; call it before the forecast is shown.

        The same forecast by the same face is one row, that of the first time. `issued_at` carries a time zone.
        """
        if issued_at.tzinfo is None:
            raise ValueError("issued_at must carry a time zone")
        context = forecast.context
        sessions = context.sessions[: forecast.horizon] if context.sessions else ()
        fingerprint = fingerprint_of(forecast, universe, model, model_version)
        found = self._find(face, fingerprint)
        if found is not None:
            return found
        row = {
            "issued_at": issued_at.astimezone(UTC),
            "face": face,
            "universe": universe,
            "ticker": context.ticker,
            "cutoff": context.cutoff,
            "model": model,
            "model_version": model_version,
            "run_id": run_id,
            "fingerprint": fingerprint,
            "last_close": context.last_close,
            "sessions": [session.isoformat() for session in sessions],
            "levels": LEVELS.tolist(),
            "log_returns": forecast.log_returns.tolist(),
            "findings": drift.to_json(),
            "naive_log_returns": naive.log_returns.tolist(),
            "from_store": from_store,
        }
        try:
            with self._database.write() as connection:
                written: int = connection.execute(insert(journal).values(row).returning(journal.c.id)).scalar_one()
                return written
        except IntegrityError:
            # Another process wrote the same forecast since we looked.
            found = self._find(face, fingerprint)
            if found is None:
                raise
            return found

    def entries(
        self, ticker: str | None = None, limit: int = 100, universe: str | None = None
    ) -> list[JournalEntry]:
        """The last `limit` forecasts, newest first, of one ticker or universe or of all."""
        query = select(journal).order_by(journal.c.issued_at.desc(), journal.c.id.desc()).limit(limit)
        if ticker is not None:
            query = query.where(journal.c.ticker == ticker)
        if universe is not None:
            query = query.where(journal.c.universe == universe)
        with self._database.read() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def _find(self, face: Face, fingerprint: str) -> int | None:
        query = select(journal.c.id).where(journal.c.face == face, journal.c.fingerprint == fingerprint)
        with self._database.read() as connection:
            return connection.execute(query).scalar()


def text_of(column: Column[Any], horizon: int | None = None) -> ColumnElement[str]:
    """A JSON column as its text, or the part of one horizon of it; texts are parsed many at a time."""
    return cast(column if horizon is None else column[horizon - 1], Text)


def parse_json(texts: Iterable[str | None]) -> list[Any]:
    """What stands in many JSON texts, read in one go; None for none."""
    found: list[Any] = from_json(f"[{','.join('null' if text is None else text for text in texts)}]")
    return found


def at_todays_levels(quantiles: Sequence[list[float] | None], levels: Sequence[str]) -> Floats:
    """Quantiles at LEVELS from those of rows, each at the levels of its own JSON text; NaN for None. [N, Q]

    A row of other levels is read along straight lines between them, and no further out than they reach.
    """
    found = np.full((len(quantiles), len(LEVELS)), np.nan)
    same: list[int] = []
    for row, held in enumerate(quantiles):
        if held is None:
            continue
        if levels[row] == _TODAY:
            same.append(row)
        else:
            found[row] = np.interp(LEVELS, from_json(levels[row]), held)
    if same:
        found[same] = [quantiles[row] for row in same]
    return found


_TODAY = json.dumps(LEVELS.tolist())


def moments(found: Sequence[datetime]) -> NDArray[np.datetime64]:
    """Moments in UTC as numpy keeps them. [N]"""
    return np.array([utc(moment).replace(tzinfo=None) for moment in found], dtype="datetime64[us]")


def fingerprint_of(forecast: QuantileForecast, universe: str, model: str, model_version: str) -> str:
    """sha256 of what was said, about what and by whom, in hex."""
    context = forecast.context
    words = [context.fingerprint, str(context.cutoff), str(context.sessions), universe, model, model_version]
    digest = hashlib.sha256(json.dumps(words).encode())
    digest.update(np.ascontiguousarray(forecast.log_returns, dtype=np.float64).tobytes())
    return digest.hexdigest()


def _entry(row: Row[tuple[object, ...]]) -> JournalEntry:
    return JournalEntry(
        id=row.id,
        issued_at=utc(row.issued_at),
        face=row.face,
        universe=row.universe,
        ticker=row.ticker,
        cutoff=row.cutoff,
        model=row.model,
        model_version=row.model_version,
        run_id=row.run_id,
        last_close=row.last_close,
        sessions=tuple(date.fromisoformat(day) for day in row.sessions) or None,
        levels=np.array(row.levels),
        log_returns=np.array(row.log_returns),
        naive_log_returns=None if row.naive_log_returns is None else np.array(row.naive_log_returns),
        from_store=row.from_store,
        drift=DriftReport.from_json(row.findings),
    )
