"""Whatever stores prices scores the forecasts that they tell the outcome of; one ticker never stops the others."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from stockcast.config import Config
from stockcast.errors import UnknownTicker
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.monitoring.outcomes import Scoring
from stockcast.prices.frame import PriceFrame
from stockcast.registry.versions import ModelVersion
from stockcast.settings import Settings
from stockcast.workflows.export_journal import COLUMNS
from stockcast.workflows.forecast import Answer, Speaker, forecast_ticker
from stockcast.workflows.forecast_universe import forecast_universe
from stockcast.workspace import Workspace

CUTOFF = date(2012, 6, 29)


class Clock:
    """A time that a test sets."""

    now = datetime(2012, 6, 29, 21, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspace(tmp_path: Path, clock: Clock) -> Iterator[Workspace]:
    opened = Workspace(Settings(home=tmp_path), clock)
    yield opened
    opened.database.close()


def speaker() -> Speaker:
    version = ModelVersion(
        name="stockcast-default",
        version="1",
        kind="ewma",
        run_id="r",
        experiment_id="1",
        created_at=datetime(2012, 6, 1, tzinfo=UTC),
        trained_until=None,
        tickers=("AAPL",),
        aliases=("champion",),
        promoted=True,
        reasons=(),
        note="",
    )
    return Speaker(version, EwmaForecaster(), None, None, Config())


def csv_of(frame: PriceFrame) -> bytes:
    return frame.to_dataframe()[["close"]].to_csv().encode()


def speak(workspace: Workspace, ticker: str) -> Answer:
    return forecast_ticker(
        speaker(),
        workspace.prices.load(ticker),
        None,
        workspace.journal,
        workspace.adaptations,
        universe="default",
        face="cli",
        now=workspace.clock(),
    )


def test_an_ingest_scores_what_it_tells_and_the_same_again_nothing(
    workspace: Workspace, clock: Clock, sample_frames: tuple[PriceFrame, ...]
) -> None:
    frame = sample_frames[0]
    known = frame.until(CUTOFF)
    workspace.ingest_file("a.csv", csv_of(known), "AAPL")
    answer = speak(workspace, "AAPL")
    assert workspace.track.record("default").count == 0
    assert [each.session for each in workspace.track.open("default")] == [date(2012, 7, 2)]
    clock.now = datetime(2012, 7, 5, 21, tzinfo=UTC)
    longer = frame.until(date(2012, 7, 5))
    workspace.ingest_file("a.csv", csv_of(longer), "AAPL")
    told = workspace.track.outcomes.of([answer.journal_id])[answer.journal_id]
    assert [outcome.session for outcome in told] == [date(2012, 7, 2), date(2012, 7, 3), date(2012, 7, 5)]
    assert told[0].log_return == np.log(longer.close[-3] / known.close[-1])
    assert workspace.track.record("default").count == 1
    assert workspace.track.open("default") == ()
    assert workspace.track.score() == Scoring()


def test_scoring_by_hand_finds_every_ticker_that_has_something_to_tell(
    workspace: Workspace, clock: Clock, sample_frames: tuple[PriceFrame, ...]
) -> None:
    clock.now = datetime(2012, 8, 2, tzinfo=UTC)
    for frame in sample_frames:
        workspace.ingest_file("a.csv", csv_of(frame.until(date(2012, 8, 1))), frame.ticker)
        for days in range(3):
            forecast_ticker(
                speaker(),
                frame.until(CUTOFF - timedelta(days=7 * days)),
                None,
                workspace.journal,
                workspace.adaptations,
                universe="default",
                face="page",
                now=clock.now,
            )
    assert workspace.track.score() == Scoring(written=3 * 3 * 5)
    assert workspace.track.score() == Scoring()
    record = workspace.track.record("default")
    assert (record.count, record.left_out.after_the_fact) == (0, 9)
    assert workspace.track.open("default") == (), "what was said after the fact is not waited for"


def test_an_export_holds_every_horizon_as_it_was_said_and_as_it_came(
    workspace: Workspace, clock: Clock, sample_frames: tuple[PriceFrame, ...]
) -> None:
    frame = sample_frames[0]
    workspace.ingest_file("a.csv", csv_of(frame.until(CUTOFF)), "AAPL")
    answer = speak(workspace, "AAPL")
    clock.now = datetime(2012, 7, 3, 21, tzinfo=UTC)
    workspace.ingest_file("a.csv", csv_of(frame.until(date(2012, 7, 3))), "AAPL")
    found = workspace.track.export()
    rows = list(csv.DictReader(io.StringIO(found.content.decode())))
    assert (found.rows, len(rows), tuple(rows[0])) == (5, 5, COLUMNS)
    assert [row["session"] for row in rows[:2]] == ["2012-07-02", "2012-07-03"]
    for row, horizon in zip(rows, range(5), strict=True):
        assert float(row["median"]) == answer.forecast.median[horizon]
        assert float(row["q0.9"]) == answer.forecast.interval(0.8)[1][horizon]
    closes = frame.until(date(2012, 7, 3)).close[-2:]
    np.testing.assert_allclose([float(row["actual_close"]) for row in rows[:2]], closes, rtol=1e-12)
    assert [row["live"] for row in rows] == ["True", "True", "", "", ""]
    assert workspace.track.export(universe="none").rows == workspace.track.export(ticker="IBM").rows == 0


def test_an_export_of_many_rows_is_read_in_parts(
    workspace: Workspace, sample_frames: tuple[PriceFrame, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.ingest_file("a.csv", csv_of(sample_frames[0].until(CUTOFF)), "AAPL")
    for _ in range(3):
        speak(workspace, "AAPL")
        workspace.ingest_file("a.csv", csv_of(workspace.prices.load("AAPL").rows(1, 200)), "AAPL")
    whole = workspace.track.export()
    monkeypatch.setattr("stockcast.workflows.export_journal._AT_ONCE", 1)
    assert workspace.track.export() == whole
    assert whole.rows == 5 * len(workspace.journal.entries())


def test_one_ticker_that_cannot_be_forecast_does_not_stop_the_others(
    workspace: Workspace, sample_frames: tuple[PriceFrame, ...]
) -> None:
    workspace.ingest_file("a.csv", csv_of(sample_frames[0]), "AAPL")
    workspace.ingest_file("a.csv", csv_of(sample_frames[1].rows(0, 20)), "IBM")
    found = forecast_universe(["AAPL", "IBM", "MSFT"], lambda ticker: speak(workspace, ticker))
    assert [answer.forecast.context.ticker for answer in found.answers] == ["AAPL"]
    assert sorted(found.failed) == ["IBM", "MSFT"]
    assert found.failed["MSFT"].startswith("No prices of MSFT are stored.")
    assert [entry.ticker for entry in workspace.journal.entries()] == ["AAPL"]


def test_when_nothing_at_all_can_be_forecast_the_reason_is_raised(workspace: Workspace) -> None:
    with pytest.raises(UnknownTicker):
        forecast_universe(["MSFT"], lambda ticker: speak(workspace, ticker))
    assert forecast_universe([], lambda ticker: speak(workspace, ticker)).answers == ()


def test_errors_that_nobody_foresaw_are_not_kept_as_words() -> None:
    def broken(_ticker: str) -> Answer:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        forecast_universe(["AAPL"], broken)
