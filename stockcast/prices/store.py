"""Where price histories are kept: one history per ticker in the one database, replaced whole or not at all."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
from sqlalchemy import Connection, Row, String, delete, insert, select, type_coerce

from stockcast import tables
from stockcast.database import Database, utc
from stockcast.errors import UnknownTicker
from stockcast.prices.frame import COLUMNS, PriceFrame
from stockcast.prices.source import FetchedPrices, PriceReport
from stockcast.prices.tickers import exchange_of, normalise_ticker

# Sessions as the database has them, which NumPy reads ten times sooner than Python's dates.
_BAR_COLUMNS = [type_coerce(tables.bars.c.session, String), *(tables.bars.c[name] for name in COLUMNS)]

KEPT = 64  # histories in memory, 0.2 MB for twenty years


@dataclass(frozen=True)
class StoredHistory:
    """What is known about a stored history without loading its bars."""

    ticker: str
    exchange: str
    currency: str
    source: str
    as_of: datetime  # UTC; when the source was last asked
    content_hash: str
    first_session: date
    last_session: date
    sessions: int
    report: PriceReport


class PriceStore:
    """The histories of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._loaded: dict[tuple[object, ...], PriceFrame] = {}  # the one asked for last at the end
        self._lock = threading.Lock()

    def save(self, fetched: FetchedPrices) -> StoredHistory:
        """Replaces a ticker's history in one transaction."""
        frame = fetched.frame
        history = StoredHistory(
            ticker=frame.ticker,
            exchange=frame.exchange,
            currency=frame.currency,
            source=frame.source,
            as_of=frame.as_of.astimezone(UTC),
            content_hash=frame.content_hash,
            first_session=frame.first_session,
            last_session=frame.last_session,
            sessions=len(frame),
            report=fetched.report,
        )
        row = {column.name: getattr(history, column.name) for column in tables.histories.columns}
        with self._database.write(alone=f"prices of {frame.ticker}") as connection:
            _delete(connection, frame.ticker)
            connection.execute(insert(tables.bars), _bar_rows(frame))
            connection.execute(insert(tables.histories), row | {"report": fetched.report.to_json()})
        return history

    def load(self, ticker: str) -> PriceFrame:
        """The stored history. Raises InvalidTicker, or UnknownTicker when nothing is stored under it.

        One that was loaded before and has not changed is not read again.
        """
        with self._database.read() as connection:
            history = _history_or_raise(connection, normalise_ticker(ticker))
            known = (history.ticker, history.content_hash, history.source, history.as_of)
            with self._lock:
                frame = self._loaded.pop(known, None)
            frame = frame or _read(connection, history)
        if frame.content_hash == history.content_hash:  # not stored anew between two questions
            with self._lock:
                self._loaded[known] = frame
                for oldest in list(self._loaded)[:-KEPT]:
                    del self._loaded[oldest]
        return frame

    def history(self, ticker: str) -> StoredHistory:
        """What is known about one history. Raises InvalidTicker or UnknownTicker."""
        with self._database.read() as connection:
            return _history_or_raise(connection, normalise_ticker(ticker))

    def has(self, ticker: str) -> bool:
        """Whether a history is stored under a ticker. Raises InvalidTicker."""
        return self.find(ticker) is not None

    def find(self, ticker: str) -> StoredHistory | None:
        """What is known about one history, None when there is none. Raises InvalidTicker."""
        with self._database.read() as connection:
            return _find(connection, normalise_ticker(ticker))

    def list(self) -> tuple[StoredHistory, ...]:
        """All histories, by ticker."""
        with self._database.read() as connection:
            return tuple(map(_history, connection.execute(select(tables.histories).order_by("ticker"))))

    def remove(self, ticker: str) -> None:
        """Forgets a history. Raises InvalidTicker or UnknownTicker."""
        with self._database.write() as connection:
            _delete(connection, _history_or_raise(connection, normalise_ticker(ticker)).ticker)


def _read(connection: Connection, history: StoredHistory) -> PriceFrame:
    ours = tables.bars.c.ticker == history.ticker
    rows = connection.execute(select(*_BAR_COLUMNS).where(ours).order_by(tables.bars.c.session)).all()
    sessions, *values = zip(*rows, strict=True)
    columns = {name: np.array(held, dtype=np.float64) for name, held in zip(COLUMNS, values, strict=True)}
    return PriceFrame.from_columns(
        np.array(sessions, dtype="datetime64[D]"),
        columns,
        ticker=history.ticker,
        source=history.source,
        as_of=history.as_of,
    )


def _bar_rows(frame: PriceFrame) -> list[dict[str, object]]:
    bars = np.column_stack([getattr(frame, name) for name in COLUMNS]).tolist()
    return [
        {"ticker": frame.ticker, "session": session}
        | {name: None if math.isnan(value) else value for name, value in zip(COLUMNS, bar, strict=True)}
        for session, bar in zip(frame.sessions.tolist(), bars, strict=True)
    ]


def _delete(connection: Connection, ticker: str) -> None:
    connection.execute(delete(tables.bars).where(tables.bars.c.ticker == ticker))
    connection.execute(delete(tables.histories).where(tables.histories.c.ticker == ticker))


def _find(connection: Connection, ticker: str) -> StoredHistory | None:
    row = connection.execute(select(tables.histories).where(tables.histories.c.ticker == ticker)).one_or_none()
    return _history(row) if row else None


def _history_or_raise(connection: Connection, ticker: str) -> StoredHistory:
    history = _find(connection, ticker)
    if history is None:
        raise UnknownTicker(
            f"No prices of {ticker} are stored.",
            f"Get them with `stockcast prices fetch {ticker}`, `stockcast prices import FILE --ticker {ticker}` "
            "or, for the bundled names, `stockcast prices sample`.",
        )
    return history


def _history(row: Row[tuple[object, ...]]) -> StoredHistory:
    data = dict(row._mapping)
    exchange = exchange_of(data["ticker"])
    data["as_of"] = utc(data["as_of"])
    data["report"] = PriceReport.from_json(data["report"])
    return StoredHistory(exchange=exchange.code, currency=exchange.currency, **data)
