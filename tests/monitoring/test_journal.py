from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from at_once import all_at_once

from stockcast.database import Database
from stockcast.forecasting.context import Context
from stockcast.forecasting.quantiles import LEVELS, QuantileForecast
from stockcast.monitoring.findings import DriftReport, Finding
from stockcast.monitoring.journal import Journal

NOON = datetime(2024, 6, 28, 12, 0, tzinfo=UTC)
FINDING = Finding("regime", "info", "volatility", 2.1, 1.9, "Volatility is 2.1x the training median.", (3,))
REPORT = DriftReport((FINDING,), ("No dates.",))


def forecast_of(number: int = 0, *, ticker: str | None = "AAPL", dated: bool = True) -> QuantileForecast:
    context = Context(
        closes=np.linspace(100, 110 + number, 60),
        ticker=ticker,
        currency="USD",
        cutoff=date(2024, 6, 27) if dated else None,
        sessions=(date(2024, 6, 28), date(2024, 7, 1)) if dated else None,
    )
    return QuantileForecast(context, "ewma", np.stack([0.02 * (LEVELS - 0.5), 0.03 * (LEVELS - 0.5)]))


def record(journal: Journal, forecast: QuantileForecast | None = None, **changes: object) -> int:
    arguments: dict[str, object] = {
        "face": "page",
        "universe": "us",
        "model": "stockcast-us",
        "model_version": "3",
        "run_id": "abc",
        "drift": REPORT,
        "from_store": True,
        "issued_at": NOON,
    }
    return journal.record(forecast or forecast_of(), forecast_of(2), **{**arguments, **changes})


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/house.db"


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    database = Database(url)
    yield Journal(database)
    database.close()


def test_an_entry_says_what_the_forecast_said(journal: Journal) -> None:
    forecast = forecast_of()
    number = record(journal, forecast)
    (entry,) = journal.entries()
    assert (entry.id, entry.face, entry.universe, entry.ticker) == (number, "page", "us", "AAPL")
    assert (entry.model, entry.model_version, entry.run_id) == ("stockcast-us", "3", "abc")
    assert entry.cutoff == date(2024, 6, 27)
    assert entry.sessions == (date(2024, 6, 28), date(2024, 7, 1))
    assert entry.drift == REPORT
    np.testing.assert_array_equal(entry.levels, LEVELS)
    np.testing.assert_array_equal(entry.log_returns, forecast.log_returns)
    np.testing.assert_array_equal(entry.prices, forecast.prices)


def test_a_window_without_ticker_and_dates_is_journaled_too(journal: Journal) -> None:
    record(journal, forecast_of(ticker=None, dated=False), run_id=None)
    (entry,) = journal.entries()
    assert (entry.ticker, entry.cutoff, entry.sessions, entry.run_id) == (None, None, None, None)


def test_the_same_forecast_by_the_same_face_is_one_row_of_the_first_time(journal: Journal) -> None:
    first = record(journal)
    assert record(journal, issued_at=NOON + timedelta(hours=1)) == first
    (entry,) = journal.entries()
    assert entry.issued_at == NOON


@pytest.mark.parametrize(
    "changes",
    [
        {"face": "cli"},
        {"universe": "br"},
        {"model": "stockcast-br"},
        {"model_version": "4"},
        {"forecast": forecast_of(1)},
        {"forecast": forecast_of(ticker="MSFT")},
        {"forecast": forecast_of(dated=False)},
        {"forecast": replace(forecast_of(), log_returns=forecast_of().log_returns * 1.01)},
    ],
)
def test_whatever_differs_makes_another_row(journal: Journal, changes: dict[str, object]) -> None:
    assert record(journal) != record(journal, **changes)
    assert len(journal.entries()) == 2


def test_times_come_back_aware_and_in_utc(journal: Journal) -> None:
    sao_paulo = timezone(timedelta(hours=-3))
    record(journal, issued_at=datetime(2024, 6, 28, 22, 30, tzinfo=sao_paulo))
    (entry,) = journal.entries()
    assert entry.issued_at == datetime(2024, 6, 29, 1, 30, tzinfo=UTC)
    assert entry.issued_at.utcoffset() == timedelta(0)


def test_a_time_without_a_zone_is_refused(journal: Journal) -> None:
    with pytest.raises(ValueError, match="time zone"):
        record(journal, issued_at=NOON.replace(tzinfo=None))
    assert journal.entries() == []


def test_entries_are_the_newest_first_of_one_ticker_or_of_all(journal: Journal) -> None:
    for number, ticker in enumerate(["AAPL", "MSFT", "AAPL", "MSFT"]):
        record(journal, forecast_of(number, ticker=ticker), issued_at=NOON - timedelta(hours=number))
    assert [entry.ticker for entry in journal.entries()] == ["AAPL", "MSFT", "AAPL", "MSFT"]
    assert [entry.last_close for entry in journal.entries()] == [110, 111, 112, 113]
    assert [entry.last_close for entry in journal.entries("MSFT", limit=1)] == [111]
    assert journal.entries("NONE") == []


def test_eight_processes_write_at_once_and_every_forecast_is_there_once(url: str) -> None:
    def write(writer: int) -> object:
        own = Database(url)
        shared = [record(Journal(own), forecast_of(number)) for number in range(20)]
        mine = [record(Journal(own), forecast_of(1000 + 100 * writer + number)) for number in range(5)]
        own.close()
        return shared, mine

    written = all_at_once(8, write)
    database = Database(url)
    entries = Journal(database).entries(limit=1000)
    database.close()
    assert all(shared == written[0][0] for shared, _ in written)
    assert {entry.id for entry in entries} == {number for pair in written for ids in pair for number in ids}
    assert len(entries) == 20 + 8 * 5


def write_until_killed(url: str) -> None:
    journal = Journal(Database(url))
    for number in range(100_000):
        sys.stdout.write(f"{record(journal, forecast_of(number))}\n")
        sys.stdout.flush()


def test_what_was_journaled_survives_a_kill_in_the_middle_of_writing(url: str) -> None:
    Database(url).close()
    script = f"from {Path(__file__).stem} import write_until_killed; write_until_killed({url!r})"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        ids = [int(writer.stdout.readline()) for _ in range(25)]
        writer.send_signal(signal.SIGKILL)
        ids += [int(line) for line in writer.stdout if line.endswith("\n")]
    database = Database(url)
    journal = Journal(database)
    entries = journal.entries(limit=100_000)
    assert {entry.id for entry in entries} >= set(ids)
    assert len(entries) - len(ids) in (0, 1)  # one may have been written and not yet told
    assert all(entry.log_returns.shape == (2, len(LEVELS)) for entry in entries)
    assert [record(journal, forecast_of(number)) for number in range(len(ids))] == ids
    database.close()
