"""What has been said and has not come true yet, and what the drift checks found on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from stockcast.database import Database
from stockcast.forecasting.context import context_at_end
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.monitoring.drift_history import MeasureCount, drift_history, measure_counts
from stockcast.monitoring.findings import DriftReport, Finding
from stockcast.monitoring.journal import Journal
from stockcast.monitoring.open_forecasts import open_forecasts
from stockcast.monitoring.outcomes import Outcomes
from stockcast.prices.frame import PriceFrame

MakeFrame = Callable[..., PriceFrame]
THURSDAY = datetime(2024, 6, 27, 21, tzinfo=UTC)
MONDAY = datetime(2024, 7, 1, 9, tzinfo=UTC)
JUMP = Finding("integrity", "red", "jump", 0.7, 0.45, "Close fell 50 %.", (59,))
CALM = Finding("regime", "info", "volatility", 2.1, 1.9, "Volatility is 2.1x the training median.")


def say(database: Database, known: PriceFrame, issued_at: datetime = THURSDAY, **changes: object) -> int:
    context = context_at_end(known, 5)
    told: dict[str, object] = {
        "face": "schedule",
        "universe": "us",
        "model": "stockcast-us",
        "model_version": "3",
        "run_id": "abc",
        "drift": DriftReport(),
        "from_store": True,
        "issued_at": issued_at,
    }
    forecasts = [each.forecast([context])[0] for each in (EwmaForecaster(), NaiveForecaster())]
    return Journal(database).record(*forecasts, **{**told, **changes})  # type: ignore[arg-type]


@pytest.fixture
def frame(make_frame: MakeFrame) -> PriceFrame:
    return make_frame(count=80)  # to Friday, 2024-06-28


@pytest.mark.parametrize(
    ("stored_until", "now", "state"),
    [
        (date(2024, 6, 27), datetime(2024, 6, 28, 20, 10, tzinfo=UTC), "awaited"),  # closed, and not settled yet
        (date(2024, 6, 27), MONDAY, "overdue"),
        (date(2024, 6, 28), MONDAY, "missing"),
    ],
)
def test_a_forecast_is_open_until_its_session_is_stored(
    database: Database, frame: PriceFrame, stored_until: date, now: datetime, state: str
) -> None:
    number = say(database, frame.until(date(2024, 6, 27)))
    [found] = open_forecasts(database, "us", {"AAPL": stored_until}, now)
    assert (found.journal_id, found.ticker, found.currency, found.cutoff) == (
        number, "AAPL", "USD", date(2024, 6, 27)
    )  # fmt: skip
    assert (found.session, found.state, found.issued_at) == (date(2024, 6, 28), state, THURSDAY)
    [entry] = Journal(database).entries()
    assert (found.low_80, found.median, found.high_80) == tuple(entry.prices[0, [3, 19, 35]])
    Outcomes(database).score(frame, MONDAY)
    assert open_forecasts(database, "us", {"AAPL": stored_until}, now) == ()
    [second] = open_forecasts(database, "us", {"AAPL": stored_until}, now, horizon=2)
    assert (second.horizon, second.session) == (2, date(2024, 7, 1))


def test_only_what_may_count_is_waited_for_once(
    database: Database, frame: PriceFrame, make_frame: MakeFrame
) -> None:
    known = frame.until(date(2024, 6, 27))
    first = say(database, known)
    say(database, known, face="page", issued_at=THURSDAY + timedelta(hours=1))
    say(database, known, model_version="4", issued_at=THURSDAY + timedelta(hours=2))
    say(database, known, from_store=False, face="cli", issued_at=THURSDAY - timedelta(hours=1))
    say(database, known.rows(0, 70), face="api", issued_at=MONDAY)  # weeks after its session
    say(database, known, universe="other")
    other = say(database, make_frame(count=80, seed=2, ticker="MSFT"))
    stored = {"AAPL": date(2024, 6, 27), "MSFT": date(2024, 6, 28)}
    found = open_forecasts(database, "us", stored, MONDAY)
    assert [(each.journal_id, each.session) for each in found] == [
        (first, date(2024, 6, 28)),
        (other, date(2024, 7, 1)),
    ]
    assert [each.ticker for each in open_forecasts(database, "us", stored, MONDAY, ticker="MSFT")] == ["MSFT"]


def test_drift_is_told_cutoff_by_cutoff_with_the_worst_that_any_face_was_told(
    database: Database, frame: PriceFrame
) -> None:
    early, late = frame.rows(0, 78), frame.rows(0, 79)
    say(database, late, drift=DriftReport((CALM,)))
    say(database, late, face="page", drift=DriftReport((CALM, JUMP), ("No volume.",)))
    say(database, early)
    say(database, early, face="cli", from_store=False, drift=DriftReport((JUMP,)))  # somebody's upload
    history = drift_history(database, "us")
    assert [(day.cutoff, day.report.severity) for day in history] == [
        (early.last_session, "healthy"),
        (late.last_session, "red"),
    ]
    assert history[1].report == DriftReport((CALM, JUMP), ("No volume.",))
    assert measure_counts(history) == (MeasureCount("jump", "red", 1), MeasureCount("volatility", "info", 1))
    assert drift_history(database, "us", since=late.last_session) == history[1:]
    assert drift_history(database, "us", ticker="MSFT") == drift_history(database, "none") == ()
