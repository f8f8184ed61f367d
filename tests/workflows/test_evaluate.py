"""What a version has been worth since: only sessions that came after everything it has seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest

from stockcast.config import Config
from stockcast.errors import TooShortHistory
from stockcast.evaluation.rolling import rolling_backtest
from stockcast.evaluation.scorecard import Scorecard
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.forecaster import Forecaster
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.prices.frame import PriceFrame
from stockcast.registry.versions import ModelVersion
from stockcast.workflows.backtest import judge_backtest
from stockcast.workflows.evaluate import LEAST_SESSIONS, evaluate
from stockcast.workflows.forecast import Speaker

MakeFrame = Callable[..., PriceFrame]
LEARNT = EwmaForecaster(trained_until=date(2018, 6, 29))


@pytest.fixture(scope="module")
def frame(make_frame: MakeFrame) -> PriceFrame:
    return make_frame("AAPL", 700, seed=1)


@pytest.fixture(scope="module")
def card(frame: PriceFrame) -> Scorecard:
    """What the version was judged on when it was made: 2018-07-02 to 2019-06-28."""
    start, end = date(2018, 7, 2), date(2019, 6, 28)
    judged = rolling_backtest(LEARNT, [frame], start, end)
    return judge_backtest(judged, [frame], start, end, LEARNT.lookback, "ewma v3").scorecard


def speaker(forecaster: Forecaster, card: Scorecard | None) -> Speaker:
    version = ModelVersion(
        name="stockcast-default",
        version="3",
        kind="ewma",
        run_id="r",
        experiment_id="1",
        created_at=datetime(2019, 7, 1, tzinfo=UTC),
        trained_until=forecaster.trained_until,
        tickers=("AAPL",),
        aliases=(),
        promoted=False,
        reasons=(),
        note="",
    )
    return Speaker(version, forecaster, card, None, Config())


def after(frame: PriceFrame, day: date) -> list[date]:
    return [session for session in frame.sessions.astype(object) if session > day]


def test_only_sessions_after_the_version_was_judged_are_scored(frame: PriceFrame, card: Scorecard) -> None:
    assert card.last_session == date(2019, 6, 28)
    since = evaluate(speaker(LEARNT, card), [frame], {}).scorecard
    wanted = after(frame, card.last_session)
    assert since.first_session == wanted[0] > card.last_session
    assert since.last_session == wanted[-1] == frame.last_session
    assert since.count == len(wanted)


def test_a_version_without_a_scorecard_is_scored_on_what_it_has_not_learnt_from(frame: PriceFrame) -> None:
    since = evaluate(speaker(LEARNT, None), [frame], {}).scorecard
    assert since.first_session == after(frame, date(2018, 6, 29))[0]
    assert since.count == len(after(frame, date(2018, 6, 29)))


def test_the_later_of_learning_and_judging_counts(frame: PriceFrame, card: Scorecard) -> None:
    late = replace(LEARNT, trained_until=date(2019, 9, 30))
    assert evaluate(speaker(late, card), [frame], {}).scorecard.first_session == date(2019, 10, 1)


def test_a_forecaster_that_learns_nothing_is_scored_on_everything_with_a_window_behind_it(
    frame: PriceFrame,
) -> None:
    since = evaluate(speaker(NaiveForecaster(), None), [frame], {}).scorecard
    assert since.last_session == frame.last_session
    assert since.skill == 0.0
    assert since.count > 600


def test_prices_before_the_judging_serve_as_windows_and_what_they_were_after_does_not_matter(
    frame: PriceFrame, card: Scorecard
) -> None:
    whole = evaluate(speaker(LEARNT, card), [frame], {})
    part = evaluate(speaker(LEARNT, card), [frame.until(date(2019, 9, 30))], {})
    [early], [late] = part.backtest.parts, whole.backtest.parts
    shared = len(early.quantile_returns)
    assert shared >= 60
    np.testing.assert_array_equal(early.quantile_returns, late.quantile_returns[:shared])


def test_too_few_sessions_since_are_told_with_both_dates(frame: PriceFrame, card: Scorecard) -> None:
    sessions = after(frame, card.last_session)
    for count in (0, 1, LEAST_SESSIONS - 1):
        newest = sessions[count - 1] if count else card.last_session
        with pytest.raises(
            TooShortHistory, match=f"ewma v3 was judged on sessions up to 2019-06-28; .* is {newest}"
        ) as refused:
            evaluate(speaker(LEARNT, card), [frame.until(newest)], {})
        assert "at least 5 sessions" in refused.value.hint
    enough = evaluate(speaker(LEARNT, card), [frame.until(sessions[LEAST_SESSIONS - 1])], {})
    assert enough.scorecard.count == LEAST_SESSIONS


def test_a_ticker_that_has_ended_is_left_out_and_the_others_are_scored(
    frame: PriceFrame, make_frame: MakeFrame, card: Scorecard
) -> None:
    ended = make_frame("IBM", 500, seed=2, last=date(2019, 7, 2))
    alive = make_frame("MSFT", 500, seed=3)
    since = evaluate(speaker(LEARNT, card), [frame, ended, alive], {}).scorecard
    assert [score.ticker for score in since.tickers] == ["AAPL", "MSFT"]


def test_a_ticker_with_too_short_a_history_does_not_stop_the_others(
    frame: PriceFrame, make_frame: MakeFrame, card: Scorecard
) -> None:
    young = make_frame("FB", 20, seed=4)
    since = evaluate(speaker(LEARNT, card), [frame, young], {}).scorecard
    assert [score.ticker for score in since.tickers] == ["AAPL"]
