"""Versions of each universe's configuration in the database: append-only, the newest is in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, insert, select

from stockcast.config import Config, parse_config
from stockcast.database import Database, utc
from stockcast.tables import config_versions


@dataclass(frozen=True)
class ConfigVersion:
    """One saved configuration; version 0 is the defaults of a universe that nobody has edited."""

    universe: str
    version: int
    created_at: datetime | None
    note: str
    config: Config


class ConfigVersions:
    """The configuration history of every universe."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def current(self, universe: str) -> ConfigVersion:
        """The configuration in force."""
        history = self.history(universe)
        return history[0] if history else ConfigVersion(universe, 0, None, "defaults", Config())

    def history(self, universe: str) -> list[ConfigVersion]:
        """All saved versions, newest first."""
        wanted = (
            select(config_versions)
            .where(config_versions.c.universe == universe)
            .order_by(config_versions.c.version.desc())
        )
        with self.database.read() as connection:
            return [_version(row) for row in connection.execute(wanted)]

    def save(self, universe: str, config: Config, note: str, now: datetime) -> ConfigVersion:
        """Adds a version; saving what is in force already changes nothing."""
        with self.database.write(alone=f"config of {universe}") as connection:
            newest = connection.execute(
                select(config_versions)
                .where(config_versions.c.universe == universe)
                .order_by(config_versions.c.version.desc())
                .limit(1)
            ).first()
            if newest is not None and _version(newest).config == config:
                return _version(newest)
            version = 1 if newest is None else newest.version + 1
            data = config.model_dump(mode="json")
            connection.execute(
                insert(config_versions).values(
                    universe=universe, version=version, created_at=now, note=note, data=data
                )
            )
        return ConfigVersion(universe, version, now, note, config)

    def universes(self) -> list[str]:
        """Names of all universes that were ever edited, in alphabetical order."""
        with self.database.read() as connection:
            return sorted(connection.execute(select(config_versions.c.universe).distinct()).scalars())


def _version(row: Row[tuple[object, ...]]) -> ConfigVersion:
    return ConfigVersion(row.universe, row.version, utc(row.created_at), row.note, parse_config(row.data))
