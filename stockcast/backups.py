"""Copies of the one database: made whole or not at all, their owner's alone, and never over another file.

A SQLite database is copied by SQLite itself while others use it; a PostgreSQL one by its own pg_dump.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import sqlalchemy

from stockcast.errors import BackupFailed, DiskFull
from stockcast.home_files import make_folder

_ENDINGS = {"sqlite": "db", "postgresql": "dump"}


def backup_name(url: str, version: str | None, at: datetime) -> str:
    """How a backup is called: stockcast-0006-20261127T014512.123Z.db, by the version that it is of and the time.

    Raises BackupFailed where there is nothing yet.
    """
    if version is None:
        raise BackupFailed("There is nothing in the database yet.", "Nothing has to be kept.")
    ending = _ENDINGS.get(sqlalchemy.make_url(url).get_backend_name(), "backup")
    moment = at.isoformat(timespec="milliseconds").partition("+")[0].replace("-", "").replace(":", "")
    return f"stockcast-{version}-{moment}Z.{ending}"


def back_up(url: str, place: Path) -> Path:
    """Copies the database at `url` into a file that is not there yet, as it is at one moment.

    Raises BackupFailed, DiskFull or HomeNotWritable; then there is no file.
    """
    parsed = sqlalchemy.make_url(url)
    if place.exists():
        raise BackupFailed(f"{place} is there already.", "Name another file: no backup is written over.")
    with _whole(place) as temporary:
        if parsed.get_backend_name() == "sqlite":
            _copy_sqlite(Path(parsed.database or ""), temporary)
        elif parsed.get_backend_name() == "postgresql":
            _dump_postgresql(parsed, temporary)
        else:
            raise BackupFailed(
                f"A {parsed.get_backend_name()} database is not backed up from here.",
                "Use what comes with it, and upgrade with: stockcast db upgrade --no-backup",
            )
    return place


def restore(file: Path, url: str, kept: Path, newest: str) -> Path | None:
    """Makes the SQLite database at `url` what it was in a backup; what is there now is copied to `kept` first.

    Returns `kept`, or None where there was no database. Nothing has changed when it raises BackupFailed (what was
    written by a version after `newest`, too) or DiskFull. Nobody else may have the database open.
    """
    parsed = sqlalchemy.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise BackupFailed(
            f"A {parsed.get_backend_name()} database is restored with its own programs.",
            "Into a fresh one, with everything stopped: pg_restore --dbname=ADDRESS FILE",
        )
    place = Path(parsed.database or "")
    version = _check(file, newest)
    make_folder(place.parent)
    present = place.exists()
    with _told(place), closing(sqlite3.connect(place, timeout=2)) as target:
        # SQLite leaves the log of the writes of many to the last one alone; then it is locked against everybody.
        target.execute("PRAGMA journal_mode=DELETE")
        target.execute("PRAGMA locking_mode=EXCLUSIVE")
        target.executescript("BEGIN EXCLUSIVE; COMMIT")
        if present:
            with _whole(kept) as temporary:
                _copy(target, temporary)
        with closing(_read_only(file)) as source:
            _require_room(_size(source), place.parent)
            source.backup(target)
        found = target.execute("SELECT version_num FROM alembic_version").fetchone()
    if found != (version,):
        raise BackupFailed(f"{place} is not what was restored.", "Copy the backup there with everything stopped.")
    return kept if present else None


def _check(file: Path, newest: str) -> str:
    """Version of a backup that is whole and that this stockcast can read."""
    if not file.is_file():
        raise BackupFailed(
            f"There is no file {file}.", "Name one that `stockcast db backup` or an upgrade has made."
        )
    hint = "Take another backup."
    try:
        with closing(_read_only(file)) as backup:
            [whole] = backup.execute("PRAGMA quick_check(1)").fetchone()
            [version] = backup.execute("SELECT version_num FROM alembic_version").fetchone() or [None]
    except sqlite3.Error as problem:
        raise BackupFailed(f"{file} is no backup of a SQLite database of ours: {problem}.", hint) from problem
    if whole != "ok" or version is None:
        raise BackupFailed(f"{file} is damaged.", hint)
    if version > newest:
        raise BackupFailed(
            f"{file} was written by a newer stockcast (version {version}, this one knows {newest}).",
            "Update stockcast, or take another backup.",
        )
    return str(version)


@contextmanager
def _whole(place: Path) -> Iterator[Path]:
    """A file that its owner alone may read, and that is called `place` once all has gone well."""
    with _told(place):
        descriptor, name = tempfile.mkstemp(dir=make_folder(place.parent), prefix=".", suffix=".tmp")
        temporary = Path(name)
        os.close(descriptor)
        try:
            yield temporary
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())
            temporary.rename(place)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def _told(place: Path) -> Iterator[None]:
    """What SQLite and the system say, in one sentence."""
    try:
        yield
    except (sqlite3.Error, OSError) as problem:
        if getattr(problem, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "is full" in str(problem):
            raise DiskFull(
                f"The disk is full at {place.parent}.", "Free some space; nothing was changed."
            ) from problem
        if "locked" in str(problem):
            raise BackupFailed(
                f"{place} is in use.", "Stop the dashboard, the API and the workers, and try again."
            ) from problem
        raise BackupFailed(
            f"{place} cannot be used: {problem}.",
            "Nothing was changed. Move a damaged database away with its -wal and -shm files; then restore it.",
        ) from problem


def _copy_sqlite(database: Path, temporary: Path) -> None:
    with closing(sqlite3.connect(database, timeout=30)) as source:
        _copy(source, temporary)


def _copy(source: sqlite3.Connection, temporary: Path) -> None:
    """A copy in one file that can be read where nothing may be written beside it."""
    _require_room(_size(source), temporary.parent)
    with closing(sqlite3.connect(temporary)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        [whole] = copy.execute("PRAGMA quick_check(1)").fetchone()
    if whole != "ok":
        raise BackupFailed(
            f"The database is damaged ({whole}), and so would a copy be.",
            "Move it away with its -wal and -shm files, and restore an earlier backup: stockcast db restore FILE",
        )


def _read_only(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)


def _size(source: sqlite3.Connection) -> int:
    """Bytes of a copy."""
    [[pages], [each]] = (source.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
    return int(pages) * int(each)


def _require_room(needed: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskFull(
            f"A copy of the database needs {needed / 1e6:.1f} MB at {folder}, where {free / 1e6:.1f} MB are free.",
            "Free some space; nothing was changed.",
        )


def _dump_postgresql(url: sqlalchemy.URL, temporary: Path) -> None:
    """The tables of the schema that ours are in, in pg_dump's own form for pg_restore."""
    program = shutil.which("pg_dump")
    if program is None:
        raise BackupFailed(
            "There is no pg_dump here to back the PostgreSQL database up with.",
            "Install PostgreSQL's client programs, of the server's version or a later one; or make a backup "
            "elsewhere, and then: stockcast db upgrade --no-backup",
        )
    engine = sqlalchemy.create_engine(url)
    try:
        with engine.connect() as connection:
            schema = str(connection.exec_driver_sql("SELECT current_schema()").scalar())
    finally:
        engine.dispose()
    # Others see the line that a program was started with, but not its environment.
    plain = url.difference_update_query(["password"])
    address = sqlalchemy.URL.create(
        "postgresql", url.username, host=url.host, port=url.port, database=url.database, query=plain.query
    )
    secret = url.password or url.query.get("password")
    environment = {**os.environ, "LC_ALL": "C", **({"PGPASSWORD": str(secret)} if secret else {})}
    quoted = schema.replace('"', '""')
    line = [program, "--format=custom", "--no-password", f'--table="{quoted}".*', f"--file={temporary}"]
    done = subprocess.run(
        [*line, f"--dbname={address.render_as_string(hide_password=False)}"],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        told = done.stderr.strip().removeprefix("pg_dump: ").partition("\n")[0]
        if "No space left" in done.stderr:
            raise OSError(errno.ENOSPC, told)
        raise BackupFailed(
            f"pg_dump made no backup: {told.removeprefix('error: ')[:300] or done.returncode}.".replace("..", "."),
            "Mend that; or make a backup elsewhere, and then: stockcast db upgrade --no-backup",
        )
