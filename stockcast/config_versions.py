"""Versions of each universe's configuration in the database: append-only, the newest is in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select

from stockcast.config import Config, parse_config
from stockcast.database import Database, utc
from stockcast.errors import ConfigMoved, InvalidRequest
from stockcast.tables import config_versions


@dataclass(frozen=True)
class ConfigVersion:
    """One saved configuration; version 0 is the defaults of a universe that nobody has edited."""

    universe: str
    version: int
    created_at: datetime | None
    note: str
    config: Config
    author: str = ""  # empty where it was not kept


class ConfigVersions:
    """The configuration history of every universe."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def current(self, universe: str) -> ConfigVersion:
        """The configuration in force."""
        with self.database.read() as connection:
            return _newest(connection, universe) or _defaults(universe)

    def history(self, universe: str) -> list[ConfigVersion]:
        """All saved versions, newest first."""
        with self.database.read() as connection:
            return [_version(row) for row in connection.execute(_of(universe))]

    def find(self, universe: str, version: int) -> ConfigVersion:
        """One version; 0 is the defaults. Raises InvalidRequest when there is none."""
        if version == 0:
            return _defaults(universe)
        with self.database.read() as connection:
            row = connection.execute(_of(universe).where(config_versions.c.version == version)).first()
        if row is None:
            raise InvalidRequest(
                f"The configuration of {universe} has no version {version}.",
                f"List them with: stockcast config history --universe {universe}",
            )
        return _version(row)

    def save(
        self,
        universe: str,
        config: Config,
        note: str,
        now: datetime,
        *,
        author: str = "",
        expected: int | None = None,
    ) -> ConfigVersion:
        """Adds a version; saving what is in force already changes nothing.

        Raises ConfigMoved when the newest version is not the `expected` one, on which the edit was based.
        """
        with self.database.write(alone=f"config of {universe}") as connection:
            newest = _newest(connection, universe)
            if newest is not None and newest.config == config:
                return newest
            present = 0 if newest is None else newest.version
            if expected is not None and expected != present:
                raise ConfigMoved(
                    f"Version {present} of the configuration of {universe} was saved meanwhile; "
                    f"yours was based on version {expected}.",
                    "Nothing was saved. Look at what changed, and put your changes on top of it.",
                )
            saved = ConfigVersion(universe, present + 1, now, note, config, author[:120])
            connection.execute(
                insert(config_versions).values(
                    universe=universe,
                    version=saved.version,
                    created_at=now,
                    note=note,
                    data=config.model_dump(mode="json"),
                    author=saved.author,
                )
            )
        return saved

    def restore(
        self, universe: str, version: int, now: datetime, *, author: str = "", expected: int | None = None
    ) -> ConfigVersion:
        """Saves what an older version said as a new one: history is never rewritten. Raises what `save` raises."""
        found = self.find(universe, version)
        what = f"Restored version {version}" if version else "Restored the defaults"
        note = f"{what}: {found.note}" if version and found.note else what
        return self.save(universe, found.config, note, now, author=author, expected=expected)

    def universes(self) -> list[str]:
        """Names of all universes that were ever edited, in alphabetical order."""
        with self.database.read() as connection:
            return sorted(connection.execute(select(config_versions.c.universe).distinct()).scalars())


def _of(universe: str) -> Select[Any]:
    return (
        select(config_versions)
        .where(config_versions.c.universe == universe)
        .order_by(config_versions.c.version.desc())
    )


def _newest(connection: Connection, universe: str) -> ConfigVersion | None:
    row = connection.execute(_of(universe).limit(1)).first()
    return None if row is None else _version(row)


def _defaults(universe: str) -> ConfigVersion:
    return ConfigVersion(universe, 0, None, "defaults", Config())


def _version(row: Row[tuple[object, ...]]) -> ConfigVersion:
    return ConfigVersion(
        row.universe, row.version, utc(row.created_at), row.note, parse_config(row.data), row.author
    )
