"""Keys that people make: the secret is told once, its sha256 is kept, and a revoked one stays revoked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from stockcast.access_keys import AccessKeys
from stockcast.database import Database
from stockcast.errors import InvalidRequest
from stockcast.tables import api_keys

NOON = datetime(2024, 5, 15, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AccessKeys]:
    """An empty table in each kind of database."""
    postgres = request.param == "postgresql"
    url = request.getfixturevalue("postgres_url") if postgres else f"sqlite:///{tmp_path / 'stockcast.db'}"
    database = Database(url)
    yield AccessKeys(database)
    database.close()


def test_a_key_is_made_told_once_and_taken_back_for_good(keys: AccessKeys) -> None:
    report, admin = keys.create("  nightly\treport ", "predict", NOON), keys.create("ops", "admin", LATER)
    assert report.secret != admin.secret
    assert len(report.secret) == 48
    assert report.secret not in repr(report)
    assert keys.list() == (admin.key, report.key)
    assert (report.key.label, report.key.scope, report.key.created_at) == ("nightly report", "predict", NOON)
    assert report.key.digest == hashlib.sha256(report.secret.encode()).hexdigest()
    assert report.key.logged_as == report.key.digest[:8]
    with keys._database.read() as connection:
        kept = [str(value) for row in connection.execute(select(api_keys)) for value in row]
    assert not any(secret in value for secret in (report.secret, admin.secret) for value in kept)

    revoked = keys.revoke(report.key.id, LATER)
    assert (revoked.live, revoked.revoked_at) == (False, LATER)
    assert keys.revoke(report.key.id, LATER + timedelta(days=1)) == revoked
    assert keys.list() == (admin.key, revoked)
    with pytest.raises(InvalidRequest, match="no key 99"):
        keys.revoke(99, LATER)


@pytest.mark.parametrize("label", ["", "  ", "x" * 61, "a\x1b[2Jb"])
def test_a_label_that_names_nobody_makes_no_key(label: str, database: Database) -> None:
    with pytest.raises(InvalidRequest, match="label of 1 to 60"):
        AccessKeys(database).create(label, "predict", NOON)
    assert AccessKeys(database).list() == ()
