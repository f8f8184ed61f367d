"""A replica of the API that comes before the database was brought up to date."""

from __future__ import annotations

from pathlib import Path

import httpx
from api_serving import WINDOW, ServingProcess, wait_until
from old_databases import make_old_database
from sqlalchemy import func, select

from stockcast.database import Database, upgrade_database, version_of
from stockcast.tables import journal


def test_it_forecasts_leaves_the_database_alone_and_journals_once_the_job_has_run(
    home: Path, postgres_url: str
) -> None:
    make_old_database(postgres_url)
    api = ServingProcess(home, database_url=postgres_url).wait()
    try:
        with httpx.Client(base_url=api.address, timeout=20, trust_env=False) as client:
            assert client.post("/predict", json={"last_prices": WINDOW}).status_code == 200
            wait_until(lambda: client.get("/health").json()["status"] == "degraded")
            assert version_of(postgres_url) == "0001"
            upgrade_database(postgres_url, None)
            wait_until(lambda: client.get("/health").json()["status"] == "healthy")
    finally:
        assert api.stop() == 0
    assert any("stockcast works with" in str(event.get("error")) for event in api.events())
    database = Database(postgres_url)
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(journal)).scalar() == 1
    database.close()
