"""Backups: made before an upgrade, whole or not at all, and read back as what they were."""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy
from old_databases import OLD_JOBS, check_old, check_upgraded, make_old_database

from stockcast.backups import back_up, backup_name, restore
from stockcast.database import HEAD, Database, Upgraded, upgrade_database, version_of
from stockcast.errors import BackupFailed, DatabaseUnavailable, DiskFull

AT = datetime(2026, 11, 27, 1, 45, 12, tzinfo=UTC)


@pytest.fixture
def old(tmp_path: Path) -> str:
    """Address of a SQLite database of the first revision, with rows."""
    url = f"sqlite:///{tmp_path / 'stockcast.db'}"
    make_old_database(url)
    return url


def check_copy(file: Path) -> None:
    """A copy is its owner's, in one file that is only read, and the database as it was."""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    engine = sqlalchemy.create_engine(f"sqlite:///file:{file}?mode=ro&immutable=1&uri=true")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "delete"
        check_old(connection)
    engine.dispose()
    assert sorted(each.name for each in file.parent.iterdir()) == [file.name]


def test_whoever_opens_an_older_database_keeps_it_as_it_was(old: str, tmp_path: Path) -> None:
    check_upgraded(Database(old))
    [kept] = (tmp_path / "backups").iterdir()
    assert re.fullmatch(r"stockcast-0001-\d{8}T\d{6}\.\d{3}Z\.db", kept.name)
    check_copy(kept)


def test_an_upgrade_tells_where_the_backup_is_and_makes_none_when_there_is_nothing_to_do(
    old: str, tmp_path: Path
) -> None:
    folder = tmp_path / "home" / "backups"
    done = upgrade_database(old, folder)
    assert done.before == "0001"
    assert done.backup is not None
    assert done.backup.parent == folder
    check_copy(done.backup)
    check_upgraded(Database(old))
    assert upgrade_database(old, folder) == Upgraded(HEAD, None)
    assert len(list(folder.iterdir())) == 1


def test_a_fresh_database_has_nothing_to_keep(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'stockcast.db'}"
    assert upgrade_database(url, tmp_path / "backups") == Upgraded(None, None)
    Database(url).close()
    assert not (tmp_path / "backups").exists()


def test_whoever_has_a_backup_elsewhere_may_go_without(old: str, tmp_path: Path) -> None:
    assert upgrade_database(old, None) == Upgraded("0001", None)
    check_upgraded(Database(old))
    assert not (tmp_path / "backups").exists()


def test_without_room_for_a_copy_nothing_changes(
    old: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    with monkeypatch.context() as little:
        little.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
        with pytest.raises(DiskFull, match=r"needs 0\.\d MB at .*backups, where 0\.0 MB are free"):
            upgrade_database(old, tmp_path / "backups")
        with pytest.raises(DiskFull, match="nothing was changed"):
            Database(old)
    check_unchanged(old, tmp_path)


def test_a_disk_that_is_full_in_the_middle_of_the_copy_changes_nothing(old: str, tmp_path: Path) -> None:
    # No file may grow beyond what SQLite's own small files need.
    assert (tmp_path / "stockcast.db").stat().st_size > 40_000
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))\n"
        "from stockcast.database import upgrade_database\nfrom stockcast.errors import StateError\n"
        "from pathlib import Path\nimport sys\n"
        "try: upgrade_database(sys.argv[1], Path(sys.argv[2]))\nexcept StateError as problem: print(problem)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, old, tmp_path / "backups"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "othing was changed" in done.stdout
    check_unchanged(old, tmp_path)


def check_unchanged(url: str, home: Path) -> None:
    """The database is what it was, and no part of a copy is left."""
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        check_old(connection)
    engine.dispose()
    assert list((home / "backups").iterdir()) == []


def test_no_backup_is_made_of_what_a_newer_stockcast_wrote(database: Database, tmp_path: Path) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseUnavailable, match="newer stockcast"):
        upgrade_database(database.url, tmp_path / "backups")
    assert not (tmp_path / "backups").exists()


def test_a_copy_is_of_one_moment_while_others_write(tmp_path: Path) -> None:
    file = tmp_path / "stockcast.db"
    Database(f"sqlite:///{file}").close()
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE pairs (one INTEGER, two INTEGER)")
    done = threading.Event()

    def write() -> None:
        with contextlib.closing(sqlite3.connect(file, timeout=30)) as connection:
            number = 0
            while not done.is_set():
                number += 1
                with connection:
                    connection.execute("INSERT INTO pairs (one) VALUES (?)", (number,))
                    connection.execute("UPDATE pairs SET two = ?", (number,))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        time.sleep(0.1)
        copies = [back_up(f"sqlite:///{file}", tmp_path / f"copy-{number}.db") for number in range(5)]
    finally:
        done.set()
        writer.join()
    for copy in copies:
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            count, lowest, highest, last = connection.execute(
                "SELECT count(*), min(two), max(two), max(one) FROM pairs"
            ).fetchone()
        assert count > 0
        assert count == lowest == highest == last


def test_no_backup_is_written_over(database: Database, tmp_path: Path) -> None:
    place = back_up(database.url, tmp_path / "copy.db")
    before = place.read_bytes()
    with pytest.raises(BackupFailed, match="is there already"):
        back_up(database.url, place)
    assert place.read_bytes() == before


def test_a_backup_is_named_after_its_version_and_the_time() -> None:
    assert backup_name("sqlite:///x.db", "0006", AT) == "stockcast-0006-20261127T014512.000Z.db"
    assert backup_name("postgresql+psycopg://h/d", "0006", AT) == "stockcast-0006-20261127T014512.000Z.dump"


def test_of_nothing_there_is_no_backup(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'stockcast.db'}"
    with pytest.raises(BackupFailed, match="nothing in the database"):
        backup_name(url, version_of(url), AT)
    assert list(tmp_path.iterdir()) == []


def test_a_restored_backup_is_the_database_again_and_what_was_there_is_kept(old: str, tmp_path: Path) -> None:
    kept = upgrade_database(old, tmp_path / "backups").backup
    assert kept is not None
    database = Database(old)
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM jobs WHERE id = 'job-failed'")
    database.close()
    replaced = tmp_path / "backups" / "replaced.db"
    assert restore(kept, old, replaced, HEAD) == replaced
    assert version_of(old) == "0001"
    check_upgraded(Database(old))
    with contextlib.closing(sqlite3.connect(replaced)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
        assert connection.execute("SELECT count(*) FROM jobs").fetchall() == [(len(OLD_JOBS) - 1,)]


def test_a_backup_makes_the_database_of_an_empty_home(old: str, tmp_path: Path) -> None:
    kept = back_up(old, tmp_path / "kept.db")
    url = f"sqlite:///{tmp_path / 'another home' / 'stockcast.db'}"
    assert restore(kept, url, tmp_path / "replaced.db", HEAD) is None
    check_upgraded(Database(url))


def test_nothing_is_restored_below_somebody_who_has_it_open(database: Database, tmp_path: Path) -> None:
    kept = back_up(database.url, tmp_path / "kept.db")
    with database.read() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM jobs")
        with pytest.raises(BackupFailed, match="is in use") as refused:
            restore(kept, database.url, tmp_path / "replaced.db", HEAD)
    assert "Stop the dashboard" in refused.value.hint
    assert not (tmp_path / "replaced.db").exists()
    with database.write() as connection:  # it goes on
        connection.exec_driver_sql("DELETE FROM jobs")


@pytest.mark.parametrize("kind", ["absent", "a shopping list", "another database", "damaged", "newer"])
def test_what_is_no_backup_of_ours_is_refused_and_changes_nothing(
    database: Database, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / "file"
    if kind == "a shopping list":
        file.write_text("milk, eggs " * 100)
    elif kind == "another database":
        with contextlib.closing(sqlite3.connect(file)) as connection:
            connection.execute("CREATE TABLE things (x)")
    elif kind in ("damaged", "newer"):
        back_up(database.url, file)
        if kind == "newer":
            with contextlib.closing(sqlite3.connect(file)) as connection, connection:
                connection.execute("UPDATE alembic_version SET version_num = '9999'")
        else:
            content = bytearray(file.read_bytes())
            content[4096 * 2 : 4096 * 12] = b"\xff" * 4096 * 10
            file.write_bytes(content)
    database.close()
    before = Path(str(database.engine.url.database)).read_bytes()
    with pytest.raises(BackupFailed):
        restore(file, database.url, tmp_path / "replaced.db", HEAD)
    assert Path(str(database.engine.url.database)).read_bytes() == before
    assert not (tmp_path / "replaced.db").exists()


def test_a_damaged_database_is_not_taken_for_a_backup_of_itself(old: str, tmp_path: Path) -> None:
    file = tmp_path / "stockcast.db"
    content = bytearray(file.read_bytes())
    content[4096 * 3 : 4096 * 6] = b"\xff" * 4096 * 3
    file.write_bytes(content)
    with pytest.raises((BackupFailed, DatabaseUnavailable)):
        upgrade_database(old, tmp_path / "backups")
    assert not list((tmp_path / "backups").glob("*"))
