"""How many forecasts one process of the API makes of windows that nobody asked before, and what the journal costs.

python -m benchmarks.journal_rate [DATABASE_URL] [--kinds ewma lstm] [--seconds 8]

It asks as fast as sixteen clients can, waits until all of it stands in the journal, and tells rates, processor
time and bytes. Without an address the journal is in SQLite beside the process. The clients share the machine, and
so does the database where it is on it.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
import time
from pathlib import Path

from sqlalchemy import create_engine, func, select, text

from benchmarks.api_load import free_port, load, make_home, questions, server
from stockcast.client.api_client import ApiClient
from stockcast.database import Database
from stockcast.settings import Settings
from stockcast.tables import journal

MOST = 60_000  # windows that are made beforehand


def measure(home: Path, kind: str, seconds: float) -> str:
    """One process over one database."""
    database = Settings(home=home, database_url=os.environ.get("STOCKCAST_DATABASE_URL", "")).database
    Database(database).close()  # its tables
    engine = create_engine(database)

    def rows() -> int:
        with engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(journal)).scalar_one())

    port = free_port()
    asked = iter(list(itertools.islice(questions("/predict", time.time_ns() % 1000), MOST)))
    with server(["stockcast.api.serve", "127.0.0.1", str(port)], home, port, "/health/ready") as (process, _):
        before, began, used = rows(), time.perf_counter(), sum(process.cpu_times()[:2])
        measured = load(port, asked, 16, seconds)
        with ApiClient(f"http://127.0.0.1:{port}") as api:
            while api.health().queue.length:
                time.sleep(0.1)
        took = time.perf_counter() - began
        used = sum(process.cpu_times()[:2]) - used
        written = rows() - before
    size = ""
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            bytes_there = connection.execute(text("SELECT pg_total_relation_size('journal')")).scalar_one()
        size = f", {bytes_there / rows():.0f} bytes a row"
    return (
        f"{kind}: {measured.rate:.0f} forecasts a second, p99 {measured.percentile(0.99):.0f} ms, "
        f"{measured.failed} failed, {1000 * used / len(measured.took):.2f} s of processor per 1,000; "
        f"{written / took:.0f} rows a second into the journal{size}"
    )


def main() -> None:
    """Prints a line for each kind of champion."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", nargs="?", default="")
    parser.add_argument("--kinds", nargs="+", default=["ewma", "lstm"])
    parser.add_argument("--seconds", type=float, default=8.0)
    asked = parser.parse_args()
    for kind in asked.kinds:
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            make_home(home, kind)
            if asked.database:
                os.environ["STOCKCAST_DATABASE_URL"] = asked.database
            print(measure(home, kind, asked.seconds))


if __name__ == "__main__":
    main()
