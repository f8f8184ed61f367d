"""Keeps the API's keys as the database has them: a look a second, and a note in the home for when it is away.

A key that was made or revoked is known within a second or two. While the database does not answer, the keys that
were seen last go on, and a process that starts then begins with those of the note.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from stockcast.access_keys import AccessKey, AccessKeys
from stockcast.api.keys import Keys
from stockcast.database import Database
from stockcast.errors import StockcastError
from stockcast.home_files import write_note
from stockcast.logs import get_logger

_log = get_logger(__name__)

EVERY = 1.0  # seconds between two looks
PATIENCE = 1.0  # seconds for which a start waits for the database

_Kept = TypeAdapter(tuple[AccessKey, ...])


class KeyWatch:
    """Tells `keys` what the database holds. `database` is None while it is not open."""

    def __init__(self, keys: Keys, note: Path, database: Callable[[], Database | None]) -> None:
        self._keys = keys
        self._note = note
        self._database = database
        self._seen: tuple[AccessKey, ...] = ()
        with contextlib.suppress(OSError, ValidationError):
            self._learn(_Kept.validate_json(note.read_bytes()))

    async def first(self, hopeless: Callable[[], bool]) -> None:
        """Looks before anything is served, unless the database takes too long or is known to be away."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self._database() is None and not hopeless():
                    await asyncio.sleep(0.01)
                await self._look_aside()

    async def look(self) -> None:
        """Goes on for ever."""
        while True:
            await asyncio.sleep(EVERY if self._database() else 0.1)
            await self._look_aside()

    def read(self, database: Database) -> None:
        """Looks once. Raises DatabaseUnavailable."""
        found = AccessKeys(database).list()
        if found != self._seen:
            self._learn(found)
            _log.info(
                "keys_known", live=sum(each.live for each in found), revoked=sum(not each.live for each in found)
            )
            with contextlib.suppress(OSError, StockcastError):  # what is known is known
                write_note(self._note, _Kept.dump_json(found))

    async def _look_aside(self) -> None:
        database = self._database()
        if database is not None:
            with contextlib.suppress(StockcastError):  # what was seen last goes on
                await asyncio.to_thread(self.read, database)

    def _learn(self, found: tuple[AccessKey, ...]) -> None:
        self._seen = found
        self._keys.learn(found)
