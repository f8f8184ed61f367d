"""Saved configurations: append-only, newest in force, nothing saved twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from stockcast.config import Config
from stockcast.config_versions import ConfigVersions
from stockcast.database import Database
from stockcast.errors import InvalidConfig
from stockcast.tables import config_versions

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def saved(database: Database) -> ConfigVersions:
    return ConfigVersions(database)


def short(epochs: int) -> Config:
    return Config().with_overrides([f"training.max_epochs={epochs}"])


def test_a_universe_that_nobody_edited_has_the_defaults_as_version_zero(saved: ConfigVersions) -> None:
    current = saved.current("default")
    assert (current.version, current.created_at, current.config) == (0, None, Config())
    assert saved.history("default") == []
    assert saved.universes() == []


def test_versions_are_counted_per_universe_and_the_newest_is_in_force(saved: ConfigVersions) -> None:
    first = saved.save("tech", short(10), "fewer epochs", NOW)
    second = saved.save("tech", short(20), "more again", NOW + timedelta(hours=1))
    other = saved.save("energy", short(30), "", NOW)
    assert (first.version, second.version, other.version) == (1, 2, 1)
    assert saved.history("tech") == [second, first]
    assert saved.current("tech") == second
    assert saved.current("energy").config == short(30)
    assert saved.universes() == ["energy", "tech"]
    assert second.created_at == NOW + timedelta(hours=1)
    assert saved.history("tech")[1].note == "fewer epochs"


def test_saving_what_is_in_force_changes_nothing(saved: ConfigVersions) -> None:
    first = saved.save("tech", short(10), "first", NOW)
    again = saved.save("tech", short(10), "the same", NOW + timedelta(days=1))
    assert again == first
    assert saved.history("tech") == [first]


def test_going_back_to_an_older_configuration_is_a_new_version(saved: ConfigVersions) -> None:
    for epochs in (10, 20, 10):
        saved.save("tech", short(epochs), "", NOW)
    assert [version.config.training.max_epochs for version in saved.history("tech")] == [10, 20, 10]


def test_history_survives_the_process(saved: ConfigVersions) -> None:
    saved.save("tech", short(10), "ünïcode – note", NOW)
    reopened = ConfigVersions(Database(saved.database.url))
    assert reopened.history("tech") == saved.history("tech")
    reopened.database.close()


def test_a_stored_configuration_that_is_no_longer_valid_is_told(saved: ConfigVersions) -> None:
    saved.save("tech", short(10), "", NOW)
    with saved.database.write() as connection:
        connection.execute(update(config_versions).values(data={"training": {"speed": 3}}))
    with pytest.raises(InvalidConfig, match=r"training\.speed"):
        saved.current("tech")
