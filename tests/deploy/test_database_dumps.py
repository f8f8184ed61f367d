"""What compose keeps before an upgrade: real dumps by the script that it runs, and who waits for them."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
import yaml
from old_databases import make_old_database
from real_programs import DEPLOY, program

SERVICES = yaml.safe_load((DEPLOY.parent / "compose.yaml").read_text())["services"]
BASE = os.environ.get("STOCKCAST_TEST_POSTGRES", "postgresql+psycopg://root@127.0.0.1:5432/test")


@pytest.fixture
def two_databases(postgres_url: str) -> Iterator[list[str]]:
    """Names of two empty databases on the server of the tests."""
    assert postgres_url  # skips where there is none
    names = [f"stockcast_{uuid.uuid4().hex[:10]}" for _ in range(2)]
    engine = sqlalchemy.create_engine(BASE, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name in names:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        yield names
        for name in names:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()


def test_the_newest_dumps_of_what_is_there_are_kept_and_read_back(
    two_databases: list[str], tmp_path: Path
) -> None:
    full, empty = two_databases
    server = sqlalchemy.make_url(BASE)
    make_old_database(server.set(database=full).render_as_string(hide_password=False))
    (tmp_path / "password").write_text(f"{server.password or 'none'}\n")
    told = SERVICES["backup"]["environment"]
    here = {
        "PGHOST": str(server.host), "PGPORT": str(server.port or 5432), "PGUSER": str(server.username),
        "DATABASES": f"{full} {empty}", "BACKUPS": str(tmp_path / "kept"),
        "PASSWORD_FILE": str(tmp_path / "password"), "KEEP": "3",
    }  # fmt: skip
    assert told.keys() | {"PGPORT"} == here.keys()
    (tmp_path / "kept").mkdir()
    for second in range(4):
        (tmp_path / "kept" / f"{full}-20240101T00000{second}Z.dump").write_text("an older one")
    program("pg_dump"), program("psql")
    done = subprocess.run(
        ["sh", DEPLOY / "postgres" / "backup.sh"],
        env=os.environ | here,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    oldest, older, newest = sorted((tmp_path / "kept").iterdir())
    assert [oldest.name[-10:], older.name[-10:]] == ["0002Z.dump", "0003Z.dump"]
    assert newest.stat().st_mode & 0o777 == 0o600
    into = server.set(drivername="postgresql", database=empty).render_as_string(hide_password=False)
    again = subprocess.run(
        [program("pg_restore"), "--exit-on-error", f"--dbname={into}", newest],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    engine = sqlalchemy.create_engine(server.set(database=empty))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "0001"
        assert connection.exec_driver_sql("SELECT close FROM bars").scalars().all() == [10.0]
    engine.dispose()


def test_a_dump_that_fails_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("none")
    program("psql")
    here = {"PGHOST": "127.0.0.1", "PGPORT": "1", "PGUSER": "nobody", "DATABASES": "stockcast", "KEEP": "3",
            "BACKUPS": str(tmp_path), "PASSWORD_FILE": str(tmp_path / "password")}  # fmt: skip
    done = subprocess.run(
        ["sh", DEPLOY / "postgres" / "backup.sh"],
        env=os.environ | here,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert [each.name for each in tmp_path.iterdir()] == ["password"]


def test_nothing_is_brought_up_to_date_before_there_is_a_dump() -> None:
    after = {"backup": {"condition": "service_completed_successfully"}}
    for name in ("migrate", "mlflow"):
        assert after.items() <= SERVICES[name]["depends_on"].items()
    assert SERVICES["migrate"]["command"] == ["stockcast", "db", "upgrade", "--no-backup"]
