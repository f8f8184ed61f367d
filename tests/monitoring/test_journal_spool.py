"""Lines on their way into the journal: none is lost, none is there twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from stockcast.database import Database
from stockcast.errors import DatabaseUnavailable, DiskFull
from stockcast.forecasting.context import Context
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.quantiles import QuantileForecast
from stockcast.monitoring.findings import DriftReport, Finding
from stockcast.monitoring.journal import Journal, JournalEntry
from stockcast.monitoring.journal_lines import findings_text, journal_line, moment_text
from stockcast.monitoring.journal_spool import MOST_HELD, JournalSpool
from stockcast.monitoring.tallies import JournalTally

ISSUED = datetime(2024, 5, 2, 21, 30, 15, 123456, tzinfo=UTC)
DRIFT = DriftReport((Finding("regime", "info", "volatility", 1.7, 1.5, "It is 'wild', 20 %."),), ("Not checked.",))


def forecast_of(number: int, dated: bool = True) -> tuple[QuantileForecast, QuantileForecast]:
    closes = 100 + np.cos(np.arange(60) * (number + 1))
    sessions = tuple(date(2024, 5, day) for day in (3, 6, 7, 8, 9)) if dated else None
    context = Context(closes, "AAPL" if dated else None, "USD", date(2024, 5, 2) if dated else None, sessions)
    naive = NaiveForecaster(5).forecast([context])[0]
    return QuantileForecast(context, "ewma", np.round(naive.log_returns * 1.1, 10)), naive


def line_of(number: int, dated: bool = True, drift: DriftReport = DRIFT) -> bytes:
    forecast, naive = forecast_of(number, dated)
    return journal_line(
        forecast, naive, face="api", universe="default", model="stockcast-default", model_version="3",
        run_id="run3", findings=findings_text(drift), from_store=False, issued_at=moment_text(ISSUED),
    )  # fmt: skip


def run(spool: JournalSpool, *lines: bytes) -> None:
    spool.start()
    spool.append(list(lines))
    assert spool.close()


def told(entry: JournalEntry) -> dict[str, object]:
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in vars(entry).items()
        if name != "id"
    }


def rows_of(database: Database) -> tuple[JournalEntry, list[str]]:
    """The only row, as it is read and as it is kept; closes the database, or PostgreSQL would keep its schema."""
    try:
        [entry] = Journal(database).entries()
        with database.read() as connection:
            kept = connection.exec_driver_sql(
                "SELECT CAST(levels AS TEXT), CAST(findings AS TEXT), fingerprint FROM journal"
            ).one()
    finally:
        database.close()
    return entry, [str(part) for part in kept]


@pytest.mark.parametrize("url", ["sqlite", "postgresql"])
@pytest.mark.parametrize("dated", [True, False])
def test_a_line_becomes_the_row_that_the_journal_itself_would_write(
    tmp_path: Path, url: str, dated: bool, request: pytest.FixtureRequest
) -> None:
    address = f"sqlite:///{tmp_path / 'a.db'}" if url == "sqlite" else request.getfixturevalue("postgres_url")
    other = Database(f"sqlite:///{tmp_path / 'b.db'}")
    forecast, naive = forecast_of(1, dated)
    Journal(other).record(
        forecast, naive, face="api", universe="default", model="stockcast-default", model_version="3",
        run_id="run3", drift=DRIFT, from_store=False, issued_at=ISSUED,
    )  # fmt: skip
    run(JournalSpool(tmp_path / "spool", lambda: Database(address)), line_of(1, dated), line_of(1, dated))
    database = Database(address)
    (ours, texts), (theirs, same) = rows_of(database), rows_of(other)
    assert told(ours) == told(theirs)
    assert texts == same


def test_a_healthy_line_is_counted_as_one(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    run(JournalSpool(tmp_path / "spool", lambda: Database(database.url)), line_of(1, drift=DriftReport()))
    tally = JournalTally()
    with database.read() as connection:
        tally.catch_up(connection)
    assert dict(tally.forecasts) == {("default", "api", "healthy"): 1}


def test_while_the_database_is_away_lines_wait_and_then_all_of_them_arrive(tmp_path: Path) -> None:
    away = True
    address = f"sqlite:///{tmp_path / 'a.db'}"

    def open_database() -> Database:
        if away:
            raise DatabaseUnavailable("It is away.", "Wait.")
        return Database(address)

    spool = JournalSpool(tmp_path / "spool", open_database)
    spool.start()
    for number in range(50):
        spool.append([line_of(number)])
    time.sleep(0.6)
    assert spool.length == 50
    assert spool.database_problem == "It is away."
    away = False
    assert spool.close()
    assert len(Journal(Database(address)).entries()) == 50


def test_what_a_killed_process_has_left_is_taken_over_and_half_a_line_is_not(tmp_path: Path) -> None:
    spool_folder, address = tmp_path / "spool", f"sqlite:///{tmp_path / 'a.db'}"
    lines = [line_of(number).decode() for number in range(3)]
    code = (
        "import sys, json, time\n"
        "from pathlib import Path\n"
        "from stockcast.errors import DatabaseUnavailable\n"
        "from stockcast.monitoring.journal_spool import JournalSpool\n"
        "def away(): raise DatabaseUnavailable('It is away.', 'Wait.')\n"
        f"spool = JournalSpool(Path({str(spool_folder)!r}), away)\n"
        "spool.start()\n"
        f"for line in json.loads({json.dumps(lines)!r}): spool.append([line.encode()])\n"
        "print('said', flush=True)\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"said\n"
    second = JournalSpool(spool_folder, lambda: Database(address))
    run(second, line_of(9))
    assert len(Journal(Database(address)).entries()) == 1  # the other one lives, and its lines are its own
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    [left] = spool_folder.glob("*/*.jsonl")
    with open(left, "ab") as file:
        file.write(b'\x00\x00\n{"issued_at": "2024-')
    third = JournalSpool(spool_folder, lambda: Database(address))
    run(third, line_of(0))  # said again by this one
    assert len(Journal(Database(address)).entries()) == 4
    assert list(spool_folder.iterdir()) == []


def test_where_no_file_can_be_written_lines_are_held_and_at_last_refused(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where a folder should be")
    away = True
    address = f"sqlite:///{tmp_path / 'a.db'}"

    def open_database() -> Database:
        if away:
            raise DatabaseUnavailable("It is away.", "Wait.")
        return Database(address)

    spool = JournalSpool(tmp_path / "spool", open_database)
    spool.start()
    spool.append([line_of(1)])
    assert spool.file_problem
    spool.append([line_of(2)] * (MOST_HELD - 1))
    with pytest.raises(DiskFull):
        spool.append([line_of(3)])
    assert spool.length == MOST_HELD
    away = False
    assert spool.close()
    assert len(Journal(Database(address)).entries()) == 2


def test_a_line_that_the_database_refuses_costs_no_other(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = line_of(5).replace(b'"face":"api"', b'"face":null')
    address = f"sqlite:///{tmp_path / 'a.db'}"
    run(JournalSpool(tmp_path / "spool", lambda: Database(address)), line_of(1), bad, line_of(2))
    assert len(Journal(Database(address)).entries()) == 2


def test_no_line_is_lost_while_files_are_opened_on_a_slow_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is there and not yet written to looks like one that has been moved whole."""
    real = os.open

    def slow(path: str | Path, *arguments: int) -> int:
        descriptor = real(path, *arguments)
        if str(path).endswith(".jsonl"):
            time.sleep(0.02)
        return descriptor

    monkeypatch.setattr("stockcast.monitoring.journal_spool.os.open", slow)
    monkeypatch.setattr("stockcast.monitoring.journal_spool.EVERY", 0.001)
    address = f"sqlite:///{tmp_path / 'a.db'}"
    spool = JournalSpool(tmp_path / "spool", lambda: Database(address))
    spool.start()
    while spool.database is None:
        time.sleep(0.01)
    for line in [line_of(number) for number in range(60)]:
        spool.append([line])
        time.sleep(0)  # lets the thread that moves begin, so that the next line opens a file while it looks around
    assert spool.close()
    database = Database(address)
    assert len(Journal(database).entries()) == 60
    database.close()
