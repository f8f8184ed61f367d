"""Backups of a real PostgreSQL by its own programs: before an upgrade, read back as what they were, or refused."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
from old_databases import check_old, check_upgraded, make_old_database

from stockcast.backups import back_up, restore
from stockcast.database import HEAD, Database, Upgraded, upgrade_database, version_of
from stockcast.errors import BackupFailed, DatabaseUnavailable


@pytest.fixture
def old_postgres(postgres_url: str) -> str:
    """The same on PostgreSQL."""
    make_old_database(postgres_url)
    return postgres_url


@contextlib.contextmanager
def programs(folder: Path, monkeypatch: pytest.MonkeyPatch, **scripts: str) -> Iterator[None]:
    """Only these programs are on the path."""
    folder.mkdir()
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(folder))
        yield


def pg(name: str) -> str:
    """PostgreSQL's own program."""
    found = shutil.which(name)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is not installed, and CI must not skip")
        pytest.skip(f"{name} is not installed")
    return found


def test_postgresql_is_upgraded_by_the_command_alone(old_postgres: str) -> None:
    with pytest.raises(
        DatabaseUnavailable, match=f"at version 0001, and this stockcast works with {HEAD}"
    ) as refused:
        Database(old_postgres)
    assert "stockcast db upgrade" in refused.value.hint
    assert version_of(old_postgres) == "0001"


def test_a_backup_of_postgresql_is_read_back_by_pg_restore_as_it_was(old_postgres: str, tmp_path: Path) -> None:
    pg("pg_dump")
    done = upgrade_database(old_postgres, tmp_path / "backups")
    assert done.before == "0001"
    assert done.backup is not None
    assert re.fullmatch(r"stockcast-0001-\d{8}T\d{6}\.\d{3}Z\.dump", done.backup.name)
    assert stat.S_IMODE(done.backup.stat().st_mode) == 0o600
    database = Database(old_postgres)
    check_upgraded(database)
    database.close()
    assert upgrade_database(old_postgres, tmp_path / "backups") == Upgraded(HEAD, None)
    assert list((tmp_path / "backups").iterdir()) == [done.backup]

    address = sqlalchemy.make_url(old_postgres)
    schema = str(address.query["options"]).partition("=")[2]
    engine = sqlalchemy.create_engine(address)
    with engine.begin() as connection:  # as empty as a fresh database
        connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    into = address.set(drivername="postgresql", query={}).render_as_string(hide_password=False)
    again = subprocess.run(
        [pg("pg_restore"), "--exit-on-error", f"--dbname={into}", done.backup],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    with engine.connect() as connection:
        check_old(connection)
    engine.dispose()
    upgrade_database(old_postgres, None)
    database = Database(old_postgres)
    check_upgraded(database)
    database.close()


def test_without_pg_dump_postgresql_is_not_touched_unless_somebody_has_a_backup(
    old_postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with programs(tmp_path / "bin", monkeypatch), pytest.raises(BackupFailed, match="no pg_dump here") as refused:
        upgrade_database(old_postgres, tmp_path / "backups")
    assert "--no-backup" in refused.value.hint
    assert version_of(old_postgres) == "0001"
    assert list((tmp_path / "backups").iterdir()) == []
    assert upgrade_database(old_postgres, None) == Upgraded("0001", None)


def test_a_pg_dump_that_fails_is_quoted_and_nothing_is_touched(
    old_postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "echo 'pg_dump: error: aborting because of server version mismatch' >&2; exit 1"
    with (
        programs(tmp_path / "bin", monkeypatch, pg_dump=told),
        pytest.raises(BackupFailed, match=r"made no backup: aborting because of server version mismatch\."),
    ):
        upgrade_database(old_postgres, tmp_path / "backups")
    assert version_of(old_postgres) == "0001"
    assert list((tmp_path / "backups").iterdir()) == []


def test_the_password_of_postgresql_is_not_in_the_line_that_others_see(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Database(postgres_url).close()
    url = sqlalchemy.make_url(postgres_url).set(password="a p@ss/word")
    script = f'printf "%s\\n" "$@" >{tmp_path}/line\nprintf "%s" "$PGPASSWORD" >{tmp_path}/secret\n'
    with programs(tmp_path / "bin", monkeypatch, pg_dump=f'{script}exec {pg("pg_dump")} "$@"'):
        kept = back_up(url.render_as_string(hide_password=False), tmp_path / "kept.dump")
    assert kept.read_bytes().startswith(b"PGDMP")
    assert "--dbname=postgresql://root@127.0.0.1" in (tmp_path / "line").read_text()
    assert "***" not in (tmp_path / "line").read_text()
    assert (tmp_path / "secret").read_text() == "a p@ss/word"


def test_a_postgresql_backup_is_left_to_its_own_programs(postgres_url: str, tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="its own programs") as refused:
        restore(tmp_path / "x.dump", postgres_url, tmp_path / "y", HEAD)
    assert "pg_restore" in refused.value.hint
