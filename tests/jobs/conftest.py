"""Every test of the job table runs on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stockcast.database import Database
from stockcast.jobs.job_table import JobTable


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A fresh database with all tables."""
    sqlite = f"sqlite:///{tmp_path / 'stockcast.db'}"
    opened = Database(sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    yield opened
    opened.close()


@pytest.fixture
def table(database: Database) -> JobTable:
    """Its jobs."""
    return JobTable(database)
