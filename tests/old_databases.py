"""Databases as earlier versions of stockcast have left them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, insert, inspect, select

import stockcast
from stockcast.database import Database
from stockcast.tables import bars, config_versions, job_events, jobs, metadata

BAR: dict[str, object] = {"ticker": "AAPL", "session": date(2024, 1, 2), "close": 10.0}


def alembic(connection: Connection | None = None) -> AlembicConfig:
    """Alembic over our migrations, as stockcast.database runs it."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(stockcast.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


THEN = datetime(2024, 3, 1, 12, tzinfo=UTC)
OLD_JOBS = [
    {
        "id": f"job-{state}",
        "kind": "train",
        "universe": f"of-{state}",
        "state": state,
        "request": {"tickers": ["AAPL"]},
        "created_at": THEN,
        "started_at": None if state == "queued" else THEN + timedelta(seconds=1),
        "finished_at": None if state in ("queued", "running") else THEN + timedelta(seconds=9),
        "pid": None if state == "queued" else 123,
        "progress": 1.0 if state == "succeeded" else 0.5,
        "result": {"promoted": True} if state == "succeeded" else None,
        "error": "It failed." if state == "failed" else None,
        "hint": "Try again." if state == "failed" else None,
    }
    for state in ("queued", "running", "succeeded", "failed", "cancelled", "interrupted")
]
OLD_EVENTS = [
    {"job_id": "job-running", "number": number, "at": THEN, "kind": "epoch", "payload": {"number": number}}
    for number in (1, 2, 3)
]


def make_old_database(url: str) -> None:
    """What revision 0001 left behind: prices, a configuration, jobs of each state and the events of one."""
    engine = create_engine(url)
    with engine.begin() as connection:
        command.upgrade(alembic(connection), "0001")
    with engine.begin() as connection:
        for job in OLD_JOBS:
            connection.execute(insert(jobs).values(job))
        connection.execute(insert(job_events), OLD_EVENTS)
        connection.execute(insert(bars).values(BAR))
        connection.execute(
            insert(config_versions).values(universe="tech", version=1, created_at=THEN, note="", data={"a": 1})
        )
    engine.dispose()


def check_upgraded(database: Database) -> None:
    """Every row is there still, in the tables of today."""
    new = {"attempt": 0, "attempts_allowed": 3, "loose_ends": False} | dict.fromkeys(
        (
            "key",
            "lease_until",
            "deadline",
            "cancel_requested_at",
            "host",
            "pid_started",
            "phase",
            "rung_at",
            "parent",
        )
    )
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        found = [dict(row._mapping) for row in connection.execute(select(jobs))]
        told = [dict(row._mapping) for row in connection.execute(select(job_events).order_by("number"))]
        assert connection.execute(select(bars.c.ticker, bars.c.close)).all() == [("AAPL", 10.0)]
        assert connection.execute(select(config_versions.c.data)).scalars().all() == [{"a": 1}]
    for row in (*found, *told):
        for name, value in row.items():
            if isinstance(value, datetime) and value.tzinfo is None:  # SQLite forgets time zones
                row[name] = value.replace(tzinfo=UTC)
    by_id = {row["id"]: row for row in found}
    assert by_id == {job["id"]: job | new for job in OLD_JOBS}
    assert told == OLD_EVENTS


def check_old(connection: Connection) -> None:
    """It is at the first revision, with its rows."""
    counts = [
        connection.exec_driver_sql(f"SELECT count(*) FROM {each}").scalar() for each in ("jobs", "job_events")
    ]
    assert counts == [len(OLD_JOBS), len(OLD_EVENTS)]
    assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "0001"
    assert connection.exec_driver_sql("SELECT close FROM bars").scalars().all() == [10.0]
    assert "lease_until" not in [each["name"] for each in inspect(connection).get_columns("jobs")]
