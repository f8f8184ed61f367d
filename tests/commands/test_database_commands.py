"""`stockcast db`: what it says, and where it leaves what it keeps."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from old_databases import check_upgraded, make_old_database

from stockcast.database import HEAD, Database

Run = Callable[..., Any]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of the commands, which does not exist yet."""
    return tmp_path / "home"


def old_home(home: Path) -> None:
    """A home as the first version has left it."""
    home.mkdir()
    make_old_database(f"sqlite:///{home / 'stockcast.db'}")


def test_the_database_can_be_upgraded_by_hand(stockcast: Run, home: Path) -> None:
    outcome = stockcast("db", "upgrade")
    assert (outcome.code, outcome.out) == (0, f"The database is at version {HEAD}.\n")
    assert not (home / "backups").exists()


def test_an_upgrade_says_where_the_database_is_kept_and_restore_takes_it_from_there(
    stockcast: Run, home: Path
) -> None:
    old_home(home)
    told = stockcast("db", "upgrade").out
    [kept] = (home / "backups").iterdir()
    assert f"The database as it was is kept: {kept}\n" in told
    assert f"The database is at version {HEAD}; it was at 0001.\n" in told
    assert stockcast("db", "upgrade").out == f"The database is at version {HEAD}.\n"

    again = stockcast("db", "restore", kept)
    assert again.code == 0
    replaced = re.search(r"What was there is kept: (\S+)", again.out)
    assert replaced is not None
    assert Path(replaced[1]).name.startswith("stockcast-replaced-")
    with closing(sqlite3.connect(home / "stockcast.db")) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
    assert stockcast("prices", "list").code == 0  # which brings it up to date, and keeps it once more
    assert len(list((home / "backups").glob("stockcast-0001-*.db"))) == 2


def test_without_a_backup_it_says_nothing_of_one(stockcast: Run, home: Path) -> None:
    old_home(home)
    assert stockcast("db", "upgrade", "--no-backup").out == f"The database is at version {HEAD}; it was at 0001.\n"
    assert not (home / "backups").exists()


def test_a_backup_of_postgresql_is_made_where_the_home_is(
    stockcast: Run, home: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_old_database(postgres_url)
    monkeypatch.setenv("STOCKCAST_DATABASE_URL", postgres_url)
    refused = stockcast("prices", "list")
    assert (refused.code, "stockcast db upgrade" in refused.err) == (8, True)
    told = stockcast("db", "upgrade").out
    [kept] = (home / "backups").iterdir()
    assert str(kept) in told
    assert kept.suffix == ".dump"
    database = Database(postgres_url)
    check_upgraded(database)
    database.close()
    assert stockcast("db", "restore", kept).code == 8


def test_a_backup_is_made_at_any_time_and_named_or_put_where_one_says(
    stockcast: Run, home: Path, tmp_path: Path
) -> None:
    assert (stockcast("db", "backup").code, home.exists()) == (8, False)
    stockcast("db", "upgrade")
    told = stockcast("db", "backup").out
    [kept] = (home / "backups").iterdir()
    assert told == f"The database is kept: {kept}\n"
    assert stockcast("db", "backup", tmp_path / "mine.db").code == 0
    assert stockcast("db", "backup", tmp_path / "mine.db").code == 8
    Database(f"sqlite:///{tmp_path / 'mine.db'}").close()
