"""Saved configurations: append-only, newest in force, nothing saved twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from at_once import all_at_once
from sqlalchemy import insert, update

from stockcast.config import Config
from stockcast.config_versions import ConfigVersions
from stockcast.database import Database
from stockcast.errors import ConfigMoved, InvalidConfig, InvalidRequest
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


def test_a_save_on_top_of_an_older_version_is_refused_and_keeps_the_newer_one(saved: ConfigVersions) -> None:
    saved.save("tech", short(10), "mine", NOW, author="Ana", expected=0)
    with pytest.raises(ConfigMoved, match="Version 1 of the configuration of tech was saved meanwhile"):
        saved.save("tech", short(20), "yours", NOW, author="Bia", expected=0)
    assert [(version.author, version.note) for version in saved.history("tech")] == [("Ana", "mine")]
    assert saved.save("tech", short(20), "again", NOW, author="Bia", expected=1).version == 2


def test_two_who_save_the_same_on_top_of_the_same_version_agree(saved: ConfigVersions) -> None:
    first = saved.save("tech", short(10), "mine", NOW, expected=0)
    assert saved.save("tech", short(10), "yours", NOW, expected=0) == first


def test_of_many_who_save_at_the_same_moment_one_wins(saved: ConfigVersions) -> None:
    url = saved.database.url
    told = all_at_once(4, lambda number: save_in_a_process(url, number))
    assert sorted(str(each).partition(":")[0] for each in told) == [
        "1",
        "ConfigMoved",
        "ConfigMoved",
        "ConfigMoved",
    ]
    assert len(saved.history("tech")) == 1


def save_in_a_process(url: str, number: int) -> int:
    return ConfigVersions(Database(url)).save("tech", short(10 + number), "", NOW, expected=0).version


def test_restoring_writes_a_new_version_and_leaves_the_others_as_they_are(saved: ConfigVersions) -> None:
    for epochs in (10, 20):
        saved.save("tech", short(epochs), f"{epochs} epochs", NOW)
    before = saved.history("tech")
    restored = saved.restore("tech", 1, NOW, author="Ana")
    assert (restored.version, restored.config, restored.note) == (3, short(10), "Restored version 1: 10 epochs")
    assert saved.history("tech") == [restored, *before]
    assert saved.restore("tech", 0, NOW).config == Config()
    with pytest.raises(InvalidRequest, match="has no version 9"):
        saved.restore("tech", 9, NOW)
    with pytest.raises(ConfigMoved):
        saved.restore("tech", 1, NOW, expected=3)


def test_a_version_of_before_authors_were_kept_has_none(saved: ConfigVersions) -> None:
    row = {
        "universe": "tech",
        "version": 1,
        "created_at": NOW,
        "note": "",
        "data": short(5).model_dump(mode="json"),
    }
    with saved.database.write() as connection:
        connection.execute(insert(config_versions).values(row))
    assert saved.current("tech").author == ""
