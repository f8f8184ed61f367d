"""The database: one schema, short transactions, and one sentence when it cannot be used."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Table, func, insert, select, update
from sqlalchemy.exc import IntegrityError

import stockcast
from stockcast.database import HEAD, Database
from stockcast.errors import DatabaseUnavailable, HomeNotWritable
from stockcast.tables import bars, config_versions, job_events, metadata

FORK = multiprocessing.get_context("fork")
BAR: dict[str, object] = {"ticker": "AAPL", "session": date(2024, 1, 2), "close": 10.0}


def all_at_once(count: int, work: Callable[[int], object]) -> list[object]:
    """What `count` real processes return that begin `work` at the same moment."""
    barrier, answers = FORK.Barrier(count), FORK.Queue()

    def run(number: int) -> None:
        barrier.wait()
        try:
            answers.put(work(number))
        except BaseException as problem:
            answers.put(problem)

    processes = [FORK.Process(target=run, args=(number,)) for number in range(count)]
    for process in processes:
        process.start()
    found = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(timeout=60)
    return found


def test_the_migrations_build_exactly_the_tables(database: Database) -> None:
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_head_is_the_newest_migration(database: Database) -> None:
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(stockcast.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == HEAD


def test_the_migrations_can_be_taken_back(database: Database) -> None:
    from alembic import command

    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(stockcast.__file__).parent / "migrations"))
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    with database.read() as connection:
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
    assert set(names) == {"alembic_version"}


def test_sqlite_keeps_what_it_has_promised(database: Database) -> None:
    with database.read() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30000}


def test_a_write_happens_whole_or_not_at_all(database: Database) -> None:
    def write_and_stop() -> None:
        with database.write() as connection:
            connection.execute(insert(bars).values(BAR))
            raise RuntimeError("the lights went out")

    with pytest.raises(RuntimeError):
        write_and_stop()
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(bars)).scalar() == 0


def test_a_read_sees_one_state_while_others_write(database: Database) -> None:
    counted = select(func.count()).select_from(bars)
    with database.read() as connection:
        assert connection.execute(counted).scalar() == 0
        with database.write() as other:
            other.execute(insert(bars).values(BAR))
        assert connection.execute(counted).scalar() == 0
    with database.read() as connection:
        assert connection.execute(counted).scalar() == 1


def test_a_broken_rule_of_a_table_is_the_callers_to_handle(database: Database) -> None:
    def add(table: Table, row: dict[str, object]) -> None:
        with database.write() as connection:
            connection.execute(insert(table).values(row))

    add(bars, BAR)
    with pytest.raises(IntegrityError):
        add(bars, BAR)
    orphan = {"job_id": "nobody", "number": 1, "at": datetime(2024, 1, 2, tzinfo=UTC), "kind": "x", "payload": {}}
    with pytest.raises(IntegrityError):
        add(job_events, orphan)


def test_many_processes_may_open_a_fresh_database_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'home' / 'stockcast.db'}"

    def open_and_ask(number: int) -> object:
        database = Database(url)
        with database.write() as connection:
            connection.execute(insert(bars).values({**BAR, "ticker": f"T{number}"}))
        return number

    assert sorted(all_at_once(8, open_and_ask), key=str) == list(range(8))
    with Database(url).read() as connection:
        assert connection.execute(select(func.count()).select_from(bars)).scalar() == 8


def test_many_processes_may_write_at_once_and_no_row_is_lost(database: Database) -> None:
    def add(number: int) -> object:
        own = Database(database.url)
        for version in range(20):
            with own.write() as connection:
                values = {"universe": f"u{number}", "version": version, "note": "", "data": {}}
                connection.execute(
                    insert(config_versions).values(created_at=datetime(2024, 1, 2, tzinfo=UTC), **values)
                )
        return "done"

    assert all_at_once(6, add) == ["done"] * 6
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(config_versions)).scalar() == 120


@contextmanager
def as_somebody_without_rights() -> Iterator[None]:
    """Root may write everywhere; so the test stops being root for a moment."""
    root = os.geteuid() == 0
    if root:
        os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        if root:
            os.setresuid(0, 0, 0)


@pytest.mark.parametrize("inside", ["stockcast.db", "new/home/stockcast.db"])
def test_a_home_that_cannot_be_written_is_told_with_its_path(inside: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        home.chmod(0o555)
        with as_somebody_without_rights(), pytest.raises(HomeNotWritable, match=folder) as refused:
            Database(f"sqlite:///{home / inside}")
        assert "STOCKCAST_HOME" in refused.value.hint
        assert list(home.iterdir()) == []


def test_a_home_below_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    for below in ("home/stockcast.db", "home/deeper/stockcast.db"):
        with pytest.raises(HomeNotWritable, match=str(tmp_path / "home")):
            Database(f"sqlite:///{tmp_path / below}")


@pytest.mark.parametrize("content", [b"this is no database, it is a shopping list" * 100, b"\x00" * 5000])
def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "stockcast.db"
    file.write_bytes(content)
    with pytest.raises(DatabaseUnavailable, match=r"stockcast\.db.*file is not a database") as refused:
        Database(f"sqlite:///{file}")
    assert "STOCKCAST_DATABASE_URL" in refused.value.hint
    assert file.read_bytes() == content


def test_a_database_that_breaks_later_is_told_too(database: Database, tmp_path: Path) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("DROP TABLE bars")
    with pytest.raises(DatabaseUnavailable, match="no such table: bars"), database.read() as connection:
        connection.execute(select(bars))


def test_a_database_of_a_newer_stockcast_is_refused_in_one_sentence(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseUnavailable, match=r"newer stockcast.*9999") as refused:
        Database(database.url)
    assert "Update stockcast" in refused.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "oracles://user:secret@db/stockcast",
        "postgresql+psycopg://user:secret@127.0.0.1:1/stockcast",
        "mysql+nodriver://user:secret@127.0.0.1:1/stockcast",
    ],
)
def test_an_address_that_leads_nowhere_is_told_without_its_password(url: str) -> None:
    with pytest.raises(DatabaseUnavailable) as refused:
        Database(url)
    assert "STOCKCAST_DATABASE_URL" in refused.value.hint
    assert "secret" not in str(refused.value)


def test_a_home_with_odd_letters_works(tmp_path: Path) -> None:
    home = tmp_path / "100% mine, já é #1"
    database = Database(f"sqlite:///{home / 'stockcast.db'}")
    with database.write() as connection:
        connection.execute(update(bars).values(close=1.0))
    assert (home / "stockcast.db").is_file()
