"""`stockcast journal` and `forecast --all`: what was said, what came of it, and what that is worth."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stockcast.database import Database
from stockcast.forecasting.context import context_at_end
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.monitoring.findings import DriftReport
from stockcast.monitoring.journal import Journal
from stockcast.prices.sessions import closing_times
from stockcast.settings import read_settings
from stockcast.workspace import Workspace

Run = Callable[..., Any]


@pytest.fixture
def lived(trained: Run) -> Run:
    """A home in which EWMA has spoken every evening of 12 weeks of 2012 about AAPL and IBM."""
    workspace = Workspace(read_settings())
    for ticker in ("AAPL", "IBM"):
        frame = workspace.prices.load(ticker)
        first = int(np.searchsorted(frame.sessions, np.datetime64("2012-06-01")))
        for row in range(first, first + 60):
            context = context_at_end(frame.rows(row - 300, row + 1), 5)
            closed = closing_times("XNYS", frame.sessions[row : row + 1])[0].item().replace(tzinfo=UTC)
            workspace.journal.record(
                *(each.forecast([context])[0] for each in (EwmaForecaster(), NaiveForecaster())),
                face="schedule",
                universe="default",
                model="stockcast-default",
                model_version="1",
                run_id=None,
                drift=DriftReport(),
                from_store=True,
                issued_at=closed + timedelta(hours=1),
            )
    workspace.database.close()
    return trained


def test_the_journal_is_scored_told_and_exported(lived: Run, tmp_path: Path) -> None:
    assert "No live forecast has come true yet." in lived("journal", "record").out
    assert lived("journal", "score").out == "600 outcomes written down.\n"
    assert json.loads(lived("journal", "score", "--json").out) == {"written": 0, "missing": 0}

    record = json.loads(lived("journal", "record", "--json").out)
    assert (record["scores"]["count"], record["scores"]["sessions"], record["open"]) == (120, 60, [])
    assert record["promise"]["count"] == 120, "what the baseline was crowned with"
    assert [part["name"] for part in record["tickers"]] == ["AAPL", "IBM"]
    assert record["sentence"].startswith("120 live forecasts over 60 sessions")
    shown = lived("journal", "record")
    assert record["sentence"] in shown.out
    assert "promised" in shown.out
    assert "By ticker" in shown.out
    part = json.loads(lived("journal", "record", "--ticker", "ibm", "--last", 20, "--horizon", 5, "--json").out)
    assert (part["ticker"], part["horizon"], part["scores"]["count"]) == ("IBM", 5, 20)
    assert json.loads(lived("journal", "record", "--version", "v2", "--json").out)["scores"] is None
    dated = lived("journal", "record", "--since", "2012-07-02", "--until", "2012-07-06", "--json")
    assert json.loads(dated.out)["scores"]["count"] == 8, "the fourth of July is a holiday"
    assert lived("journal", "record", "--since", "yesterday").code == 2

    [newest] = json.loads(lived("journal", "list", "--ticker", "AAPL", "--limit", 1, "--json").out)
    assert (newest["ticker"], newest["model_version"], newest["from_store"]) == ("AAPL", "1", True)
    assert [each["horizon"] for each in newest["outcomes"]] == [1, 2, 3, 4, 5]
    assert newest["forecasts"][0]["session"] == newest["outcomes"][0]["session"]
    listed = lived("journal", "list").out
    assert "schedule" in listed
    assert json.loads(lived("journal", "list", "--universe", "none", "--json").out) == []

    out = tmp_path / "journal.csv"
    assert lived("journal", "export", "--out", out).out == f"600 rows written to {out}.\n"
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert {row["live"] for row in rows} == {"True"}
    crps = np.mean([float(row["crps"]) for row in rows if row["horizon"] == "1"])
    assert crps == pytest.approx(record["scores"]["crps"])
    assert lived("journal", "export", "--out", tmp_path / "no" / "folder.csv").code == 2


def test_all_tickers_of_a_universe_are_forecast_at_once(trained: Run) -> None:
    told = json.loads(trained("forecast", "--all", "--json").out)
    assert [each["ticker"] for each in told["forecasts"]] == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    assert told["failed"] == {}
    journaled = json.loads(trained("journal", "list", "--json").out)
    assert {(each["id"], each["face"]) for each in journaled} == {
        (each["journal_id"], "cli") for each in told["forecasts"]
    }
    assert "One session ahead, said by" in trained("forecast", "--all").out
    refused = trained("forecast", "AAPL", "--all")
    assert (refused.code, "Name one thing to forecast." in refused.err) == (2, True)


def test_what_a_command_has_shown_is_journaled_though_it_is_killed_at_once(trained: Run) -> None:
    """SIGKILL at the first character that it shows."""
    shown = subprocess.Popen(
        [sys.executable, "-m", "stockcast", "forecast", "AAPL"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert shown.stdout is not None
    first = shown.stdout.read(1)
    os.kill(shown.pid, signal.SIGKILL)
    assert first
    rest = shown.stdout.read()
    shown.stdout.close()
    assert shown.wait() in (-signal.SIGKILL, 0), "it may have been done by then"
    database = Database(read_settings().database)
    [entry] = Journal(database).entries("AAPL")
    database.close()
    assert (entry.face, entry.issued_at.date() <= datetime.now(UTC).date()) == ("cli", True)
    if b"median" in rest:
        assert f"{entry.prices[0, 19]:.4f}".encode() in first + rest
