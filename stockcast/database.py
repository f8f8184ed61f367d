"""One SQLAlchemy engine over the one database: SQLite (WAL) by default, PostgreSQL by URL."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import filelock
import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import ArgumentError, DataError, IntegrityError, SQLAlchemyError

from stockcast.backups import back_up, backup_name
from stockcast.errors import DatabaseUnavailable, HomeNotWritable
from stockcast.home_files import make_folder
from stockcast.logs import get_logger

# The newest migration in stockcast/migrations/versions; a test holds it against Alembic.
HEAD = "0008"

_log = get_logger(__name__)


class Database:
    """Short transactions over one database.

    Opening it makes the tables of an empty one. An older SQLite database is copied and brought up to date; an
    older one of PostgreSQL, which many work with, is left to `upgrade_database`.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)
        try:
            with _told(self.engine):
                _bring_up(self.engine, _keep_on_opening)
        except BaseException:
            self.close()  # whoever tries again and again leaves no connection behind
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection whose reads see one state of the database."""
        with _told(self.engine), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self, alone: str | None = None) -> Iterator[Connection]:
        """A transaction that commits whole or not at all.

        On SQLite it takes the write lock at once. On PostgreSQL, where many write at the same time, writers that
        name the same thing as `alone` come one after another.
        """
        with (
            _told(self.engine),
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


@dataclass(frozen=True)
class Upgraded:
    """What bringing a database up to date came to."""

    before: str | None  # the version that was found; None: there was nothing yet
    backup: Path | None


def upgrade_database(url: str, backups: Path | None) -> Upgraded:
    """Brings a database up to date. Of an older one a backup is made first, into a folder; None for none.

    Raises BackupFailed or DiskFull before anything has changed.
    """

    def keep(engine: Engine, version: str) -> Path | None:
        return None if backups is None else _keep(engine, backups, version)

    engine = _engine(url)
    try:
        with _told(engine):
            return _bring_up(engine, keep)
    finally:
        engine.dispose()


def version_of(url: str) -> str | None:
    """Version of a database as it is; None while there is nothing in it."""
    if url.startswith("sqlite") and not Path(sqlalchemy.make_url(url).database or "").is_file():
        return None  # asking would make an empty one
    engine = _engine(url)
    try:
        with _told(engine):
            return _version(engine)
    finally:
        engine.dispose()


@contextmanager
def _told(engine: Engine) -> Iterator[None]:
    """Failures of the database itself in one sentence; what it refuses to keep is the caller's to handle."""
    try:
        yield
    except (IntegrityError, DataError):
        raise
    except SQLAlchemyError as problem:
        raise DatabaseUnavailable(
            f"The database at {engine.url.render_as_string(hide_password=True)} cannot be used: "
            f"{problem.__cause__ or problem}.",
            "Check STOCKCAST_DATABASE_URL, that the disk is not full and that the file is a database.",
        ) from problem


def _bring_up(engine: Engine, keep: Callable[[Engine, str], Path | None]) -> Upgraded:
    found = _version(engine)
    if found == HEAD:
        return Upgraded(found, None)
    with _migration_lock(engine.url):
        found = _version(engine)
        if found == HEAD:
            return Upgraded(found, None)
        if found is not None and not found.isdecimal():
            raise DatabaseUnavailable(
                f"The database is another program's (its tables are at version {found}).",
                "Give stockcast one of its own; MLflow wants one, too.",
            )
        if found is not None and found > HEAD:
            raise DatabaseUnavailable(
                f"The database was written by a newer stockcast (version {found}, this one knows {HEAD}).",
                "Update stockcast, or set STOCKCAST_HOME to another folder.",
            )
        kept = None if found is None else keep(engine, found)
        _upgrade(engine)
    if found is not None:
        _log.info("database_upgraded", before=found, after=HEAD, backup=None if kept is None else str(kept))
    return Upgraded(found, kept)


def _version(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not sqlalchemy.inspect(connection).has_table("alembic_version"):
            return None
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        return None if found is None else str(found)


def _keep_on_opening(engine: Engine, version: str) -> Path:
    if engine.dialect.name != "sqlite":
        raise DatabaseUnavailable(
            f"The database is at version {version}, and this stockcast works with {HEAD}.",
            "Bring it up to date, which makes a backup first: stockcast db upgrade",
        )
    return _keep(engine, Path(engine.url.database or "").parent / "backups", version)


def _keep(engine: Engine, folder: Path, version: str) -> Path:
    url = engine.url.render_as_string(hide_password=False)
    return back_up(url, folder / backup_name(url, version, datetime.now(UTC)))


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
def _migration_lock(url: sqlalchemy.URL) -> Iterator[None]:
    """One process at a time may change what a SQLite database is; others wait here. PostgreSQL has its own way."""
    database = url.database
    if url.get_backend_name() != "sqlite" or not database:
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

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with engine.connect().execution_options(stockcast_write=True) as connection, connection.begin():
        _wait_in_line(connection, "stockcast migration")  # whoever comes second finds nothing left to do
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
