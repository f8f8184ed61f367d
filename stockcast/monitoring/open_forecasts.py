"""Open forecasts: what has been said and has not come true yet, and what should have by now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import numpy as np
from sqlalchemy import exists, func, select

from stockcast.database import Database, utc
from stockcast.forecasting.quantiles import MEDIAN, level_position
from stockcast.forecasting.returns import to_prices
from stockcast.monitoring.journal import at_todays_levels, moments, parse_json, text_of
from stockcast.prices.sessions import closing_times, last_completed_session
from stockcast.prices.tickers import exchange_of
from stockcast.tables import journal, outcomes

_LOW, _HIGH = level_position(0.1), level_position(0.9)

# Waits for its session; its session is over and not stored yet; the stored history has passed over its session.
State = Literal["awaited", "overdue", "missing"]


@dataclass(frozen=True)
class OpenForecast:
    """A live forecast without its outcome. Prices as they were shown, in `currency`."""

    journal_id: int
    ticker: str
    currency: str
    cutoff: date
    horizon: int
    session: date
    issued_at: datetime
    model_version: str
    last_close: float
    median: float
    low_80: float
    high_80: float
    state: State


def open_forecasts(
    database: Database,
    universe: str,
    stored_until: Mapping[str, date],
    now: datetime,
    *,
    ticker: str | None = None,
    horizon: int = 1,
) -> tuple[OpenForecast, ...]:
    """Those that will be part of the track record: live, of stored histories, the first to speak. By session.

    `stored_until` holds the last stored session of each ticker.
    """
    # From the index alone; the rows themselves are long.
    inner = select(journal.c.id).where(
        journal.c.universe == universe,
        journal.c.ticker.is_not(None) if ticker is None else journal.c.ticker == ticker,
        journal.c.cutoff.is_not(None),
        ~exists().where(outcomes.c.journal_id == journal.c.id, outcomes.c.horizon == horizon),
    )
    query = (
        select(
            journal.c.id,
            journal.c.ticker,
            journal.c.cutoff,
            journal.c.sessions,
            journal.c.issued_at,
            journal.c.model_version,
            journal.c.last_close,
            text_of(journal.c.levels).label("levels"),
            text_of(journal.c.log_returns, horizon).label("quantiles"),
        )
        .where(
            journal.c.id.in_(inner), journal.c.from_store, func.json_array_length(journal.c.sessions) >= horizon
        )
        .order_by(journal.c.issued_at, journal.c.id)
    )
    with database.read() as connection:
        rows = connection.execute(query).all()
    quantiles = at_todays_levels(parse_json(row.quantiles for row in rows), [row.levels for row in rows])
    found: dict[tuple[str, date], OpenForecast] = {}
    for row, returns in zip(rows, quantiles, strict=True):
        session, exchange = date.fromisoformat(row.sessions[horizon - 1]), exchange_of(row.ticker)
        closed = closing_times(exchange.code, np.array([session], dtype="datetime64[D]"))[0]
        if (row.ticker, row.cutoff) in found or moments([row.issued_at])[0] >= closed:
            continue
        state: State = "awaited"
        if session <= stored_until.get(row.ticker, date.min):
            state = "missing"
        elif session <= last_completed_session(exchange.code, now):
            state = "overdue"
        prices = to_prices(row.last_close, returns)
        found[row.ticker, row.cutoff] = OpenForecast(
            journal_id=row.id,
            ticker=row.ticker,
            currency=exchange.currency,
            cutoff=row.cutoff,
            horizon=horizon,
            session=session,
            issued_at=utc(row.issued_at),
            model_version=row.model_version,
            last_close=row.last_close,
            median=float(prices[MEDIAN]),
            low_80=float(prices[_LOW]),
            high_80=float(prices[_HIGH]),
            state=state,
        )
    return tuple(sorted(found.values(), key=lambda each: (each.session, each.ticker)))
