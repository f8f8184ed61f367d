"""The database: one schema, short transactions, and one sentence when it cannot be used."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from at_once import all_at_once
from old_databases import BAR, OLD_JOBS, THEN, alembic, check_upgraded, make_old_database
from sqlalchemy import Table, create_engine, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from stockcast.config import Config
from stockcast.config_versions import ConfigVersions
from stockcast.database import HEAD, Database, Upgraded, upgrade_database, utc
from stockcast.errors import DatabaseUnavailable, HomeNotWritable
from stockcast.prices.frame import PriceFrame
from stockcast.prices.source import FetchedPrices, PriceReport
from stockcast.prices.store import PriceStore
from stockcast.tables import bars, config_versions, job_events, jobs, metadata


def test_the_migrations_build_exactly_the_tables(database: Database) -> None:
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_moment_reads_back_as_utc_whether_the_database_kept_its_zone_or_not() -> None:
    moment = datetime(2024, 6, 28, 12, 0, tzinfo=UTC)
    for written in (moment, moment.replace(tzinfo=None), moment.astimezone(timezone(timedelta(hours=-3)))):
        assert (utc(written), utc(written).tzinfo) == (moment, UTC)


def test_head_is_the_newest_migration(database: Database) -> None:
    assert ScriptDirectory.from_config(alembic()).get_heads() == [HEAD]
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == HEAD


def test_the_migrations_can_be_taken_back(database: Database) -> None:
    with database.write() as connection:
        command.downgrade(alembic(connection), "base")
    with database.read() as connection:
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
    assert set(names) == {"alembic_version"}


def test_many_processes_may_upgrade_an_old_database_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'stockcast.db'}"
    make_old_database(url)
    assert all_at_once(6, lambda _: Database(url).url) == [url] * 6
    check_upgraded(Database(url))
    [kept] = (tmp_path / "backups").iterdir()
    with contextlib.closing(sqlite3.connect(kept)) as copy:
        assert copy.execute("SELECT count(*) FROM jobs").fetchone() == (len(OLD_JOBS),)


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'stockcast.db'}"
    make_old_database(url)
    engine = create_engine(url)
    with engine.begin() as connection:  # two active trainings of one universe, which revision 0002 forbids
        for name in ("twin-1", "twin-2"):
            connection.execute(insert(jobs).values(OLD_JOBS[1] | {"id": name, "universe": "twins"}))
    with pytest.raises((DatabaseUnavailable, IntegrityError)):
        Database(url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "0001"
        columns = connection.exec_driver_sql("PRAGMA table_info(jobs)").all()
        assert "lease_until" not in [column[1] for column in columns]
        assert connection.exec_driver_sql("SELECT count(*) FROM jobs").scalar() == len(OLD_JOBS) + 2
    engine.dispose()


def test_a_moment_of_the_database_is_aware_and_now(database: Database) -> None:
    with database.read() as connection:
        moment = database.now(connection)
    assert moment.utcoffset() == timedelta(0)
    assert abs(moment - datetime.now(UTC)) < timedelta(seconds=5)


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
    url = database.url

    def add(number: int) -> object:
        own = Database(url)
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


def test_the_database_of_another_program_is_told_from_ours(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'c48cb773bb87'")  # one of MLflow's
    with pytest.raises(DatabaseUnavailable, match=r"another program's .*c48cb773bb87"):
        Database(database.url)


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


def test_the_migrations_build_exactly_the_tables_on_postgresql(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == HEAD
    with database.write() as connection:
        command.downgrade(alembic(connection), "base")
    database.close()
    again = Database(postgres_url)
    with again.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    again.close()


def test_a_postgresql_database_of_the_first_revision_is_upgraded_with_its_rows(postgres_url: str) -> None:
    make_old_database(postgres_url)
    assert upgrade_database(postgres_url, None) == Upgraded("0001", None)
    database = Database(postgres_url)
    check_upgraded(database)
    database.close()


def test_a_moment_of_postgresql_is_its_own_clock_and_moves_within_a_transaction(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.write() as connection:
        first, second = database.now(connection), database.now(connection)
    database.close()
    assert first.utcoffset() == timedelta(0)
    assert first < second


def test_a_write_to_postgresql_happens_whole_or_not_at_all(postgres_url: str) -> None:
    database = Database(postgres_url)

    def write_and_stop() -> None:
        with database.write(alone="x") as connection:
            connection.execute(insert(bars).values(BAR))
            raise RuntimeError("the lights went out")

    with pytest.raises(RuntimeError):
        write_and_stop()
    with database.write(alone="x") as connection:  # the line is free again
        assert connection.execute(select(func.count()).select_from(bars)).scalar() == 0
    database.close()


def test_many_processes_may_open_a_fresh_postgresql_schema_at_once(postgres_url: str) -> None:
    def open_and_ask(number: int) -> object:
        database = Database(postgres_url)
        with database.write() as connection:
            connection.execute(insert(bars).values({**BAR, "ticker": f"T{number}"}))
        database.close()
        return number

    assert sorted(all_at_once(8, open_and_ask), key=str) == list(range(8))
    database = Database(postgres_url)
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(bars)).scalar() == 8
    database.close()


def test_many_processes_may_save_configurations_at_once_and_none_is_lost(postgres_url: str) -> None:
    def save(number: int) -> object:
        saved = ConfigVersions(Database(postgres_url))
        for round_ in range(5):
            config = Config().with_overrides([f"training.max_epochs={100 * number + round_ + 1}"])
            saved.save("tech", config, f"{number}", THEN)
        return "done"

    Database(postgres_url).close()
    assert all_at_once(6, save) == ["done"] * 6
    database = Database(postgres_url)
    history = ConfigVersions(database).history("tech")
    database.close()
    assert [version.version for version in history] == list(range(30, 0, -1))
    assert len({version.config.training.max_epochs for version in history}) == 30


def test_many_processes_may_save_one_history_at_once_and_one_of_them_stands_whole(
    postgres_url: str, make_frame: Callable[..., PriceFrame]
) -> None:
    frames = [make_frame("AAPL", 60 + number, seed=number) for number in range(6)]

    def save(number: int) -> object:
        store = PriceStore(Database(postgres_url))
        for _ in range(3):
            store.save(FetchedPrices(frames[number], PriceReport(len(frames[number]), ())))
        return "done"

    Database(postgres_url).close()
    assert all_at_once(6, save) == ["done"] * 6
    database = Database(postgres_url)
    store = PriceStore(database)
    loaded, history = store.load("AAPL"), store.history("AAPL")
    database.close()
    assert loaded.content_hash == history.content_hash
    assert loaded.content_hash in [frame.content_hash for frame in frames]
