"""What came true of a journaled forecast is written once, by whoever comes first, and never again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from at_once import all_at_once
from sqlalchemy import JSON, null, select, update

from stockcast.database import Database
from stockcast.evaluation.metrics import crps
from stockcast.forecasting.context import context_at_end, context_of_closes
from stockcast.forecasting.distribution import Distribution
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.monitoring.findings import DriftReport
from stockcast.monitoring.journal import Journal
from stockcast.monitoring.outcomes import Outcome, Outcomes, Scoring
from stockcast.prices.frame import PriceFrame
from stockcast.tables import journal as journal_table
from stockcast.tables import outcomes as outcomes_table

MakeFrame = Callable[..., PriceFrame]
LATER = datetime(2024, 7, 1, 9, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    sqlite = f"sqlite:///{tmp_path / 'stockcast.db'}"
    return sqlite if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url)
    yield opened
    opened.close()


@pytest.fixture
def frame(make_frame: MakeFrame) -> PriceFrame:
    return make_frame(count=120)


def say(database: Database, known: PriceFrame, issued_at: datetime | None = None, **changes: object) -> int:
    """Journals what EWMA says after the last session of `known`, by default an hour after it closed."""
    context = context_at_end(known, 5)
    evening = datetime.combine(known.last_session, datetime.min.time(), UTC) + timedelta(hours=21)
    told: dict[str, object] = {
        "face": "schedule",
        "universe": "us",
        "model": "stockcast-us",
        "model_version": "3",
        "run_id": "abc",
        "drift": DriftReport(),
        "from_store": True,
        "issued_at": issued_at or evening,
    }
    forecasts = [each.forecast([context])[0] for each in (EwmaForecaster(), NaiveForecaster())]
    return Journal(database).record(*forecasts, **{**told, **changes})  # type: ignore[arg-type]


def rows(database: Database) -> list[tuple[object, ...]]:
    """Every outcome that is written, whole."""
    with database.read() as connection:
        order = outcomes_table.c.journal_id, outcomes_table.c.horizon
        return [tuple(row) for row in connection.execute(select(outcomes_table).order_by(*order))]


def test_an_outcome_is_the_return_since_the_cutoff_with_its_scores(database: Database, frame: PriceFrame) -> None:
    number = say(database, frame.rows(0, 100))
    assert Outcomes(database).score(frame, LATER) == Scoring(written=5)
    [entry] = Journal(database).entries()
    assert entry.naive_log_returns is not None
    for outcome in Outcomes(database).of([number])[number]:
        row = 99 + outcome.horizon
        came = np.array([np.log(frame.close[row] / frame.close[99])])
        own, naive = (each[[outcome.horizon - 1]] for each in (entry.log_returns, entry.naive_log_returns))
        assert outcome == Outcome(
            journal_id=number,
            horizon=outcome.horizon,
            session=frame.sessions[row].astype(object),
            log_return=came[0],
            crps=crps(own, came)[0] * 100,
            naive_crps=crps(naive, came)[0] * 100,
            pit=Distribution.of(own).probability(came)[0],
            live=True,
            scored_at=LATER,
        )


def test_horizons_come_true_one_by_one_as_sessions_arrive(database: Database, frame: PriceFrame) -> None:
    say(database, frame.rows(0, 100))
    outcomes = Outcomes(database)
    written = [outcomes.score(frame.rows(0, length), LATER).written for length in (100, 101, 101, 103, 120)]
    assert written == [0, 1, 0, 2, 2]
    assert [row[1] for row in rows(database)] == [1, 2, 3, 4, 5]


def test_scoring_twice_changes_nothing(database: Database, frame: PriceFrame) -> None:
    for length in range(90, 118):
        say(database, frame.rows(0, length))
    outcomes = Outcomes(database)
    # The 28 cutoffs reach to the third session before the end: 25 have five outcomes, the others four and three.
    assert outcomes.score(frame, LATER) == Scoring(written=26 * 5 + 4 + 3)
    before = rows(database)
    assert outcomes.score(frame, LATER + timedelta(days=9)) == Scoring()
    assert rows(database) == before


def restated(frame: PriceFrame, change: Callable[[np.ndarray], np.ndarray]) -> PriceFrame:
    bars = pd.DataFrame({"close": change(frame.close)}, index=pd.DatetimeIndex(frame.sessions))
    return PriceFrame.from_dataframe(bars, ticker=frame.ticker, source="restated", as_of=frame.as_of)


def test_a_restated_history_rewrites_nothing(database: Database, frame: PriceFrame) -> None:
    for length in range(90, 110):
        say(database, frame.rows(0, length))
    outcomes = Outcomes(database)
    outcomes.score(frame.rows(0, 105), LATER)
    before = rows(database)
    dividend = restated(frame, lambda closes: closes * np.where(np.arange(120) < 104, 0.97, 1.0))
    corrected = restated(frame, lambda closes: closes * np.where(np.arange(120) == 95, 1.4, 1.0))
    for told in (dividend, corrected):
        outcomes.score(told.rows(0, 105), LATER + timedelta(days=1))
        assert rows(database) == before
    assert outcomes.score(dividend, LATER).written > 0
    assert [row for row in rows(database) if row[:2] in {each[:2] for each in before}] == before


def test_a_dividend_between_forecast_and_outcome_leaves_the_return_as_it_was(
    database: Database, frame: PriceFrame
) -> None:
    say(database, frame.rows(0, 100))
    Outcomes(database).score(restated(frame, lambda closes: closes * 0.93), LATER)
    returns = [row[3] for row in rows(database)]
    np.testing.assert_allclose(returns, np.log(frame.close[100:105] / frame.close[99]), rtol=0, atol=1e-12)


def test_processes_that_score_at_once_write_each_outcome_once(
    url: str, database: Database, frame: PriceFrame
) -> None:
    for length in range(70, 110):
        say(database, frame.rows(0, length))

    def score(_number: int) -> object:
        return Outcomes(Database(url)).score(frame, datetime.now(UTC)).written

    assert sum(map(int, all_at_once(4, score))) == 40 * 5, "each counted by the one that wrote it"
    found = rows(database)
    assert len(found) == 40 * 5
    assert [row[3] for row in found[:5]] == np.log(frame.close[70:75] / frame.close[69]).tolist()


def test_a_session_that_the_history_lacks_is_told_as_missing_until_it_comes(
    database: Database, frame: PriceFrame
) -> None:
    say(database, frame.rows(0, 100))
    gap = frame.rows(0, 106).to_dataframe().drop(pd.Timestamp(frame.sessions[101]))
    lacking = PriceFrame.from_dataframe(gap, ticker="AAPL", source="gap", as_of=frame.as_of)
    outcomes = Outcomes(database)
    # From the gap on, the stored sessions are not those that the horizons name.
    assert outcomes.score(lacking, LATER) == Scoring(written=1, missing=4)
    assert outcomes.score(lacking, LATER) == Scoring(missing=4)
    assert outcomes.score(frame.rows(0, 106), LATER) == Scoring(written=4)


def test_a_cutoff_that_is_not_stored_is_not_scored(database: Database, frame: PriceFrame) -> None:
    say(database, frame.rows(0, 100))
    outcomes = Outcomes(database)
    without = frame.to_dataframe().drop(pd.Timestamp(frame.sessions[99]))
    found = outcomes.score(
        PriceFrame.from_dataframe(without, ticker="AAPL", source="gap", as_of=frame.as_of), LATER
    )
    assert found == Scoring(missing=5)
    assert outcomes.score(frame.rows(100, 120), LATER) == Scoring(), (
        "what lies before the history is not looked for"
    )


def test_another_tickers_history_tells_nothing(database: Database, make_frame: MakeFrame) -> None:
    say(database, make_frame(count=120).rows(0, 100))
    assert Outcomes(database).score(make_frame(count=120, ticker="MSFT"), LATER) == Scoring()
    assert list(Outcomes(database).unscored()) == ["AAPL"]


@pytest.mark.parametrize(
    ("cutoff", "closes"),
    [
        (date(2024, 6, 26), datetime(2024, 6, 27, 20, tzinfo=UTC)),
        (date(2023, 11, 22), datetime(2023, 11, 24, 18, tzinfo=UTC)),  # an early close after Thanksgiving
    ],
)
def test_live_is_what_was_said_before_the_session_closed(
    database: Database, make_frame: MakeFrame, cutoff: date, closes: datetime
) -> None:
    frame = make_frame(count=300)
    known = frame.until(cutoff)
    early = say(database, known, closes - timedelta(seconds=1))
    late = say(database, known, closes, face="page")
    Outcomes(database).score(frame, LATER)
    told = Outcomes(database).of([early, late])
    assert told[early][0].live
    assert not told[late][0].live
    assert all(outcome.live for outcome in told[late][1:]), "the sessions after it were still to come"


def test_windows_without_ticker_or_dates_wait_for_nothing(database: Database, frame: PriceFrame) -> None:
    naive = NaiveForecaster()
    for ticker in (None, "AAPL"):
        [forecast] = naive.forecast([context_of_closes(frame.close[:60], 60, ticker=ticker)])
        Journal(database).record(
            forecast,
            forecast,
            face="page",
            universe="us",
            model="m",
            model_version="1",
            run_id=None,
            drift=DriftReport(),
            from_store=False,
            issued_at=LATER,
        )
    assert Outcomes(database).unscored() == {}
    assert Outcomes(database).score(frame, LATER) == Scoring()


def test_a_row_of_other_levels_is_read_at_those_of_today(database: Database, frame: PriceFrame) -> None:
    number = say(database, frame.rows(0, 100))
    coarse = np.round(np.arange(1, 20) / 20, 2)  # every second level of today
    [entry] = Journal(database).entries()
    with database.write() as connection:
        connection.execute(
            update(journal_table).values(
                levels=coarse.tolist(),
                log_returns=entry.log_returns[:, 1::2].tolist(),
                naive_log_returns=JSON.NULL,
            )
        )
    Outcomes(database).score(frame, LATER)
    first = Outcomes(database).of([number])[number][0]
    between = np.interp(entry.levels, coarse, entry.log_returns[0, 1::2])
    assert first.crps == crps(between[None], np.array([first.log_return]))[0] * 100
    assert first.naive_crps is None
    scored = Outcomes(database).scored("us")
    np.testing.assert_array_equal(scored.quantiles, between[None])
    assert np.isnan(scored.naive_quantiles).all()


def test_rows_from_before_the_naive_forecast_was_kept_are_scored_without_it(
    database: Database, frame: PriceFrame
) -> None:
    say(database, frame.rows(0, 100))
    with database.write() as connection:
        connection.execute(update(journal_table).values(naive_log_returns=null()))
    assert Outcomes(database).score(frame, LATER).written == 5
    assert {row[5] for row in rows(database)} == {None}


def test_scored_forecasts_come_in_the_order_of_issue_with_all_that_was_said(
    database: Database, frame: PriceFrame
) -> None:
    lengths = [104, 100, 108]
    numbers = [
        say(database, frame.rows(0, length), LATER - timedelta(days=100 - place))
        for place, length in enumerate(lengths)
    ]
    say(database, frame.rows(0, 102), universe="other")
    outcomes = Outcomes(database)
    outcomes.score(frame, LATER)
    for horizon in (1, 5):
        scored = outcomes.scored("us", horizon=horizon)
        entries = {entry.id: entry for entry in Journal(database).entries()}
        assert scored.journal_ids.tolist() == numbers
        assert scored.tickers.tolist() == ["AAPL"] * 3
        assert scored.sessions.tolist() == [frame.sessions[length - 1 + horizon].item() for length in lengths]
        for place, number in enumerate(numbers):
            entry = entries[number]
            assert scored.cutoffs[place].item() == entry.cutoff
            assert scored.issued_at[place].item().replace(tzinfo=UTC) == entry.issued_at
            np.testing.assert_array_equal(scored.quantiles[place], entry.log_returns[horizon - 1])
            np.testing.assert_array_equal(scored.naive_quantiles[place], entry.naive_log_returns[horizon - 1])
            [told] = [each for each in outcomes.of([number])[number] if each.horizon == horizon]
            assert (scored.returns[place], scored.crps[place], scored.pit[place]) == (
                told.log_return, told.crps, told.pit
            )  # fmt: skip
    session = frame.sessions[104].item()
    assert len(outcomes.scored("us", since=session, until=session)) == 1
    assert len(outcomes.scored("us", ticker="MSFT")) == len(outcomes.scored("none")) == 0


def test_many_rows_are_written_in_parts(
    database: Database, frame: PriceFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    for length in range(90, 110):
        say(database, frame.rows(0, length))
    Outcomes(database).score(frame, LATER)
    whole = rows(database)
    with database.write() as connection:
        connection.execute(outcomes_table.delete())
    monkeypatch.setattr("stockcast.monitoring.outcomes._AT_ONCE", 7)
    assert Outcomes(database).score(frame, LATER) == Scoring(written=20 * 5)
    assert rows(database) == whole


def test_scorings_add_up() -> None:
    assert asdict(Scoring(3, 1) + Scoring(4, 0)) == {"written": 7, "missing": 1}
    assert replace(Scoring(), written=2) == Scoring(2)
