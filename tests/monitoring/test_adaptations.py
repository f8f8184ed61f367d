"""Adaptations: what is said at the end of a history is what a backtest would have said, and survives a restart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pytest

from stockcast.database import Database
from stockcast.evaluation.rolling import rolling_backtest
from stockcast.forecasting.conformal import WARM_UP, Adaptation, adapt, ask_for, scores
from stockcast.forecasting.context import Context, Market, windows
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.forecaster import Forecaster
from stockcast.forecasting.market import MedianMarket, markets
from stockcast.forecasting.network_forecaster import NetworkForecaster
from stockcast.forecasting.quantiles import QuantileForecast
from stockcast.monitoring.adaptations import Adaptations, Settled, forecast_adapted
from stockcast.prices.frame import PriceFrame

MakeFrame = Callable[..., PriceFrame]
HORIZON = 5


@dataclass
class Counting:
    """An adapting EWMA that is too narrow, and remembers what it was asked for."""

    inner: EwmaForecaster = field(
        default_factory=lambda: replace(
            EwmaForecaster(scales=tuple(0.6 * scale for scale in EwmaForecaster().scales)), adaptation=0.02
        )
    )
    asked: list[Context] = field(default_factory=list)

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def forecast(self, contexts: Sequence[Context]) -> list[QuantileForecast]:
        self.asked.extend(contexts)
        return self.inner.forecast(contexts)


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def known(database: Database) -> Adaptations:
    return Adaptations(database)


@pytest.fixture(scope="module")
def frame(make_bars: MakeFrame) -> PriceFrame:
    return make_bars("AAPL", 600, seed=12)


@pytest.fixture(scope="module")
def narrow() -> EwmaForecaster:
    return Counting().inner


def day(frame: PriceFrame, row: int) -> date:
    return frame.sessions[row].astype(object)  # type: ignore[no-any-return]


def said(
    forecaster: object, frame: PriceFrame, known: Adaptations, run_id: str = "run", market: Market | None = None
) -> QuantileForecast:
    assert not isinstance(forecaster, str)
    return forecast_adapted(forecaster, frame, market, known, run_id)  # type: ignore[arg-type]


def as_if_kept(forecaster: Forecaster, frame: PriceFrame, first: int, market: Market | None = None) -> np.ndarray:
    """What is said at the end of a history by an adaptation that began at the row `first` and never stopped."""
    parts = list(windows(frame, range(first, len(frame)), forecaster.horizon, forecaster.history, market))
    forecasts = forecaster.forecast([part.context for part in parts])
    came = np.log(np.stack([part.actuals / part.context.last_close for part in parts]))
    asked, _ = adapt(scores(forecasts, came), forecaster.adaptation, Adaptation.fresh(forecaster.horizon))
    return ask_for(forecasts[-1:], asked[-1])[0].log_returns


def assert_same(found: Settled | None, expected: Settled | None, atol: float = 0.0) -> None:
    assert found is not None
    assert expected is not None
    assert found.cutoff == expected.cutoff
    for name in ("asked", "open", "open_scores"):
        ours, theirs = getattr(found.state, name), getattr(expected.state, name)
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=atol)


@pytest.mark.parametrize("row", [598, 400, WARM_UP + 59, 200, 66])
def test_it_says_what_a_backtest_says_at_the_same_cutoff(
    frame: PriceFrame, narrow: EwmaForecaster, known: Adaptations, row: int
) -> None:
    following = day(frame, row + 1)
    [part] = rolling_backtest(narrow, [frame], following, following).parts
    assert part.forecasts[0].context.cutoff == day(frame, row)
    found = said(narrow, frame.rows(0, row + 1), known)
    np.testing.assert_allclose(found.log_returns, part.forecasts[0].log_returns, rtol=1e-9, atol=1e-12)
    assert found.context.sessions == part.forecasts[0].context.sessions
    [plain] = narrow.forecast([found.context])
    assert row < 100 or not np.allclose(found.log_returns, plain.log_returns, rtol=1e-2)


def test_it_says_what_a_backtest_says_of_a_network_that_reads_the_market(
    market_frames: tuple[PriceFrame, ...], market_lstm: NetworkForecaster, known: Adaptations
) -> None:
    adapting = replace(market_lstm, adaptation=0.01, trained_until=None)
    market: MedianMarket = markets(market_frames)["XNYS"]
    [frame, *_] = market_frames
    following = day(frame, 610)
    [part] = rolling_backtest(adapting, [frame], following, following, {"XNYS": market}).parts
    found = said(adapting, frame.rows(0, 610), known, market=market)
    np.testing.assert_allclose(found.log_returns, part.forecasts[0].log_returns, rtol=1e-5, atol=1e-8)
    again = said(adapting, frame.rows(0, 610), known, market=market)
    np.testing.assert_allclose(again.log_returns, found.log_returns, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("step", [1, 2, HORIZON, HORIZON + 1, 23, 100])
def test_new_sessions_go_on_from_the_kept_state_without_forecasting_everything_again(
    frame: PriceFrame, counting: Counting, known: Adaptations, step: int
) -> None:
    first = 450 - WARM_UP
    said(counting, frame.rows(0, 451), known)
    assert len(counting.asked) == WARM_UP + 1
    for row in range(450 + step, min(600, 450 + 4 * step), step):
        counting.asked.clear()
        found = said(counting, frame.rows(0, row + 1), known)
        assert len(counting.asked) == step + HORIZON, "those that came since, and those still open then"
        expected = as_if_kept(counting.inner, frame.rows(0, row + 1), first)
        np.testing.assert_allclose(found.log_returns, expected, rtol=1e-9, atol=1e-12)
        kept = known.find("run", "AAPL")
        assert kept is not None
        assert kept.cutoff == day(frame, row - HORIZON)


def test_asking_again_on_the_same_day_says_the_same_and_settles_nothing(
    frame: PriceFrame, counting: Counting, known: Adaptations
) -> None:
    first = said(counting, frame, known)
    kept = known.find("run", "AAPL")
    counting.asked.clear()
    again = said(counting, frame, known)
    np.testing.assert_array_equal(again.log_returns, first.log_returns)
    assert len(counting.asked) == HORIZON
    assert_same(known.find("run", "AAPL"), kept)


def test_a_state_older_than_the_warm_up_is_given_up(
    frame: PriceFrame, counting: Counting, known: Adaptations
) -> None:
    said(counting, frame.rows(0, 200), known)
    counting.asked.clear()
    found = said(counting, frame, known)
    assert len(counting.asked) == WARM_UP + 1
    expected = as_if_kept(counting.inner, frame, 599 - WARM_UP)
    np.testing.assert_allclose(found.log_returns, expected, rtol=1e-9, atol=1e-12)


def test_what_came_after_a_cutoff_is_not_used_when_one_goes_back(
    frame: PriceFrame, counting: Counting, known: Adaptations
) -> None:
    expected = said(counting, frame.rows(0, 500), known)
    said(counting, frame, known, "other")
    found = said(counting, frame.rows(0, 500), known, "other")
    np.testing.assert_allclose(found.log_returns, expected.log_returns, rtol=1e-9, atol=1e-12)


def test_going_back_by_less_than_the_horizon_uses_no_outcome_that_was_not_known(
    frame: PriceFrame, counting: Counting, known: Adaptations
) -> None:
    for back in range(1, HORIZON + 3):
        run = f"run {back}"
        said(counting, frame, known, run)
        cut = frame.rows(0, 600 - back)
        found = said(counting, cut, known, run)
        # Which of the two starts it goes on from is its own affair; what came later is not.
        either = [as_if_kept(counting.inner, cut, first) for first in (599 - WARM_UP, 599 - back - WARM_UP)]
        assert any(np.allclose(found.log_returns, each, rtol=1e-9, atol=1e-12) for each in either), back


@pytest.mark.parametrize("length", [60, 61, 63, 64, 65, 66, 80])
def test_a_history_of_hardly_a_window_is_forecast(
    frame: PriceFrame, counting: Counting, known: Adaptations, length: int
) -> None:
    found = said(counting, frame.rows(0, length), known)
    assert np.isfinite(found.log_returns).all()
    kept = known.find("run", "AAPL")
    assert (kept is not None) == (length > 64), "the first five sessions ahead take five sessions to come true"
    later = said(counting, frame.rows(0, length + 1), known)
    expected = as_if_kept(counting.inner, frame.rows(0, length + 1), 59)
    np.testing.assert_allclose(later.log_returns, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_a_restated_history_has_the_same_adaptation(
    frame: PriceFrame, counting: Counting, known: Adaptations, factor: float
) -> None:
    restated = replace(frame, **{name: getattr(frame, name) * factor for name in ("open", "high", "low", "close")})
    for run, end in (("before", frame), ("after", restated)):
        said(counting, frame.rows(0, 580), known, run)
        said(counting, end, known, run)
    assert_same(known.find("after", "AAPL"), known.find("before", "AAPL"), atol=1e-9)
    one, other = said(counting, frame, known, "before"), said(counting, restated, known, "after")
    np.testing.assert_allclose(other.log_returns, one.log_returns, rtol=1e-9, atol=1e-12)


def test_versions_and_tickers_have_states_of_their_own(
    frame: PriceFrame, counting: Counting, known: Adaptations, make_bars: MakeFrame
) -> None:
    ibm = make_bars("IBM", 600, seed=13)
    said(counting, frame, known, "first")
    kept = known.find("first", "AAPL")
    assert known.find("second", "AAPL") is known.find("first", "IBM") is None
    wide = Counting(replace(counting.inner, scales=tuple(3 * scale for scale in counting.inner.scales)))
    said(wide, frame, known, "second")
    said(counting, ibm, known, "first")
    assert_same(known.find("first", "AAPL"), kept)
    states = [known.find(*key) for key in (("first", "AAPL"), ("second", "AAPL"), ("first", "IBM"))]
    asked = [state.state.asked for state in states if state is not None]
    assert len(asked) == 3
    assert not any(np.allclose(asked[one], asked[other]) for one, other in ((0, 1), (0, 2), (1, 2)))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{request.getfixturevalue('tmp_path')}/house.db"
    return str(request.getfixturevalue("postgres_url"))


def test_a_state_survives_the_database_to_the_last_bit(frame: PriceFrame, counting: Counting, url: str) -> None:
    before = Database(url)
    said(counting, frame.rows(0, 590), Adaptations(before))
    kept = Adaptations(before).find("run", "AAPL")
    assert kept is not None
    before.close()
    after = Database(url)
    assert_same(Adaptations(after).find("run", "AAPL"), kept)
    counting.asked.clear()
    found = said(counting, frame, Adaptations(after))
    assert len(counting.asked) == 10 + HORIZON
    expected = as_if_kept(counting.inner, frame, 589 - WARM_UP)
    np.testing.assert_allclose(found.log_returns, expected, rtol=1e-9, atol=1e-12)
    after.close()


def test_two_pages_may_ask_for_the_same_ticker_at_once(frame: PriceFrame, url: str) -> None:
    database = Database(url)
    known = Adaptations(database)
    said(Counting(), frame, known, "like this")
    settled = known.find("like this", "AAPL")
    assert settled is not None
    failures: list[BaseException] = []
    together = threading.Barrier(4)

    def page() -> None:
        for number in range(15):
            together.wait(30)
            try:
                known.save(f"run {number // 3}", "AAPL", settled)
            except BaseException as problem:
                failures.append(problem)

    pages = [threading.Thread(target=page) for _ in range(4)]
    for each in pages:
        each.start()
    for each in pages:
        each.join()
    assert failures == []
    assert_same(known.find("run 4", "AAPL"), settled)
    database.close()
