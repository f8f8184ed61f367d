"""One SQLAlchemy engine over the one database: SQLite (WAL) by default, PostgreSQL by URL."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import filelock
import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import ArgumentError, DataError, IntegrityError, SQLAlchemyError

from stockcast.errors import DatabaseUnavailable, HomeNotWritable
from stockcast.home_files import make_folder

# The newest migration in stockcast/migrations/versions; a test holds it against Alembic.
HEAD = "0008"


class Database:
    """Short transactions over one database. Opening it brings its tables up to date."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)
        self._upgrade_when_older()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection whose reads see one state of the database."""
        with self._told(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self, alone: str | None = None) -> Iterator[Connection]:
        """A transaction that commits whole or not at all.

        On SQLite it takes the write lock at once. On PostgreSQL, where many write at the same time, writers that
        name the same thing as `alone` come one after another.
        """
        with (
            self._told(),
            self.engine.connect().execution_options(stockcast_write=True) as connection,
            connection.begin(),
        ):
            if alone is not None:
                _wait_in_line(connection, alone)
            yield connection

    @staticmethod
    def now(connection: Connection) -> datetime:
        """The time of the machine that holds the database: all others agree by it. Aware, in UTC."""
        if connection.dialect.name == "postgresql":
            return utc(connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one())
        return datetime.now(UTC)

    def close(self) -> None:
        """Closes all pooled connections."""
        self.engine.dispose()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Failures of the database itself in one sentence; what it refuses to keep is the caller's to handle."""
        try:
            yield
        except (IntegrityError, DataError):
            raise
        except SQLAlchemyError as problem:
            raise DatabaseUnavailable(
                f"The database at {self.engine.url.render_as_string(hide_password=True)} cannot be used: "
                f"{problem.__cause__ or problem}.",
                "Check STOCKCAST_DATABASE_URL, that the disk is not full and that the file is a database.",
            ) from problem

    def _upgrade_when_older(self) -> None:
        with self._told():
            if self._version() != HEAD:
                with _migration_lock(self.url):
                    found = self._version()
                    if found != HEAD:
                        if found is not None:
                            _keep_copy(self.url, found)
                        _upgrade(self.engine)

    def _version(self) -> str | None:
        with self.engine.connect() as connection:
            if not sqlalchemy.inspect(connection).has_table("alembic_version"):
                return None
            return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def _engine(url: str) -> Engine:
    try:
        parsed = sqlalchemy.make_url(url)
        if parsed.get_backend_name() != "sqlite":
            return sqlalchemy.create_engine(parsed, pool_pre_ping=True)
    except (ArgumentError, ModuleNotFoundError) as problem:
        raise DatabaseUnavailable(
            f"The address of the database cannot be used: {problem}.",
            "Correct STOCKCAST_DATABASE_URL, or install the driver that it names.",
        ) from problem
    if parsed.database:
        make_folder(Path(parsed.database).parent)
    engine = sqlalchemy.create_engine(parsed, connect_args={"timeout": 30})
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def utc(moment: datetime) -> datetime:
    """A moment as it was written: SQLite forgets the time zone, PostgreSQL tells the session's."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _configure_sqlite(dbapi_connection: object, _record: object) -> None:
    # sqlite3 must not begin transactions on its own: BEGIN IMMEDIATE below is ours.
    dbapi_connection.isolation_level = None  # type: ignore[attr-defined]
    cursor = dbapi_connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("busy_timeout=30000", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    _switch_to_wal(cursor)
    cursor.close()


def _switch_to_wal(cursor: sqlite3.Cursor) -> None:
    """SQLite does not wait for the lock of this one pragma, which another process may hold on a fresh file."""
    give_up = time.monotonic() + 30
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as problem:
            if "locked" not in str(problem) or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("stockcast_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _migration_lock(url: str) -> Iterator[None]:
    database = sqlalchemy.make_url(url).database
    if not url.startswith("sqlite") or not database:
        yield
        return
    try:
        with filelock.FileLock(f"{database}.migration.lock", timeout=60):
            yield
    except OSError as problem:
        raise HomeNotWritable(
            f"The folder {Path(database).parent} cannot be written: {problem.strerror}.",
            "Set STOCKCAST_HOME to a folder that you may write to.",
        ) from problem


def _keep_copy(url: str, version: str) -> None:
    """Copies a SQLite database before it is changed: stockcast.db.0001 beside it."""
    parsed = sqlalchemy.make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
        with (
            contextlib.closing(sqlite3.connect(parsed.database)) as source,
            contextlib.closing(sqlite3.connect(f"{parsed.database}.{version}")) as copy,
        ):
            source.backup(copy)


def _wait_in_line(connection: Connection, name: str) -> None:
    """Waits on PostgreSQL for every transaction that has named the same; on SQLite writers do so anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(
            sqlalchemy.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name}
        )


def _upgrade(engine: Engine) -> None:
    # Alembic takes a third of a second to import, and a database is upgraded once.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with engine.connect().execution_options(stockcast_write=True) as connection, connection.begin():
        _wait_in_line(connection, "stockcast migration")  # whoever comes second finds nothing left to do
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as problem:  # it knows no way from the version found to ours
            raise DatabaseUnavailable(
                f"The database was written by a newer stockcast ({problem}).",
                "Update stockcast, or set STOCKCAST_HOME to another folder.",
            ) from problem
