"""Stored histories for windows that name their ticker: kept in memory, looked after in the background."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable, Mapping

from sqlalchemy import select

from stockcast.database import Database
from stockcast.errors import StockcastError
from stockcast.prices.frame import PriceFrame
from stockcast.prices.store import PriceStore
from stockcast.tables import histories

EVERY = 5.0  # seconds between two looks at what is stored
MOST = 32  # histories in memory


class Histories:
    """Finds the stored history of a ticker. Where the database does not answer, there is none."""

    def __init__(self, database: Callable[[], Database | None]) -> None:
        self._database = database
        self._stored: Mapping[str, str] = {}  # ticker to the hash of its content
        self._frames: OrderedDict[str, tuple[str, PriceFrame]] = OrderedDict()
        self._loading: dict[str, asyncio.Task[PriceFrame | None]] = {}

    @property
    def tickers(self) -> tuple[str, ...]:
        """Tickers that are stored."""
        return tuple(self._stored)

    async def look(self) -> None:
        """Goes on for ever: notices what was stored or replaced."""
        while True:
            await self.refresh()
            await asyncio.sleep(EVERY if self._database() else 0.1)

    async def refresh(self) -> None:
        """Looks once."""
        database = self._database()
        if database is not None:
            with contextlib.suppress(StockcastError):  # what was known still is
                self._stored = await asyncio.to_thread(_stored, database)

    def known(self, ticker: str) -> bool:
        """Whether a history is stored, as far as is known."""
        return ticker in self._stored

    async def find(self, ticker: str) -> PriceFrame | None:
        """The stored history of a ticker. Several who ask for the same one at once wait for one reading."""
        content = self._stored.get(ticker)
        if content is None:
            return None
        kept = self._frames.get(ticker)
        if kept is not None and kept[0] == content:
            self._frames.move_to_end(ticker)
            return kept[1]
        if ticker not in self._loading or self._loading[ticker].done():
            self._loading[ticker] = asyncio.create_task(self._load(ticker))
        return await asyncio.shield(self._loading[ticker])

    async def _load(self, ticker: str) -> PriceFrame | None:
        database = self._database()
        try:
            if database is None:
                return None
            frame = await asyncio.to_thread(PriceStore(database).load, ticker)
        except StockcastError:
            return None
        finally:
            self._loading.pop(ticker, None)
        self._frames[ticker] = (self._stored.get(ticker, ""), frame)
        while len(self._frames) > MOST:
            self._frames.popitem(last=False)
        return frame


def _stored(database: Database) -> dict[str, str]:
    with database.read() as connection:
        rows = connection.execute(
            select(histories.c.ticker, histories.c.content_hash).order_by(histories.c.ticker)
        )
        return {row.ticker: row.content_hash for row in rows}
