"""The market: the median of enough tickers of one exchange, as it was known at the close."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stockcast.forecasting.features import CLOSE_FEATURES, FEATURES, step_features
from stockcast.forecasting.market import LEAST_TICKERS, SETTLED, MedianMarket, markets
from stockcast.prices.frame import PriceFrame

MakeFrame = Callable[..., PriceFrame]
NAMES = ("AAPL", "IBM", "KO", "MSFT", "PEP", "XOM", "CVX")
CLOSES = len(CLOSE_FEATURES)


@pytest.fixture(scope="module")
def frames(make_bars: MakeFrame) -> list[PriceFrame]:
    return [make_bars(name, 320, seed=60 + number) for number, name in enumerate(NAMES)]


def features_at_end(frame: PriceFrame) -> np.ndarray:
    """Its features at its last session, from all that it knows. [F]"""
    columns = (frame.close, frame.open, frame.high, frame.low, frame.volume)
    values: np.ndarray = step_features(*(column[None] for column in columns), 1).values[0, 0]
    return values


def with_prices(frame: PriceFrame, factor: np.ndarray) -> PriceFrame:
    """Another history on the same sessions."""
    return replace(
        frame,
        **{name: getattr(frame, name) * factor for name in ("open", "high", "low", "close")},
        volume=frame.volume * factor,
    )


@settings(max_examples=10)
@given(row=st.integers(SETTLED, 319))
def test_it_is_the_median_of_what_the_tickers_know_by_themselves(frames: list[PriceFrame], row: int) -> None:
    [found] = markets(frames)["XNYS"].at(frames[0].sessions[row : row + 1])
    alone = [features_at_end(frame.rows(0, row + 1)) for frame in frames]
    np.testing.assert_allclose(found, np.median(alone, axis=0), atol=1e-9)


def test_it_is_not_known_while_its_tickers_warm_up(frames: list[PriceFrame]) -> None:
    values = markets(frames)["XNYS"].values
    assert values.shape == (320, len(FEATURES))
    assert np.isnan(values[:SETTLED]).all()
    assert np.isfinite(values[SETTLED:]).all()


def test_fewer_than_enough_tickers_make_no_market(frames: list[PriceFrame]) -> None:
    assert set(markets(frames[:LEAST_TICKERS])) == {"XNYS"}
    assert markets(frames[: LEAST_TICKERS - 1]) == {}
    assert markets([]) == {}


def test_it_is_unknown_on_sessions_of_which_fewer_than_enough_tickers_know(frames: list[PriceFrame]) -> None:
    ended = [frame.rows(0, 200) for frame in frames[LEAST_TICKERS - 1 :]]
    market = markets([*frames[: LEAST_TICKERS - 1], *ended])["XNYS"]
    assert np.isfinite(market.values[SETTLED:200]).all()
    assert np.isnan(market.values[200:]).all()


@settings(max_examples=10)
@given(row=st.integers(SETTLED, 318), seed=st.integers(0, 1000))
def test_nothing_later_changes_what_was_known(frames: list[PriceFrame], row: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    factors = np.ones((len(frames), 320))
    factors[:, row + 1 :] = np.exp(random.normal(0, 0.3, (len(frames), 320 - row - 1)))
    before = markets(frames)["XNYS"].values
    after = markets([with_prices(frame, factor) for frame, factor in zip(frames, factors, strict=True)])["XNYS"]
    np.testing.assert_array_equal(after.values[: row + 1], before[: row + 1])
    assert not np.allclose(after.values[row + 1 :], before[row + 1 :])
    truncated = markets([frame.rows(0, row + 1) for frame in frames])["XNYS"].values
    np.testing.assert_allclose(truncated, before[: row + 1], atol=1e-9)


def test_tokyo_never_changes_new_york(frames: list[PriceFrame], make_bars: MakeFrame) -> None:
    tokyo = [make_bars(f"{7200 + number}.T", 320, seed=80 + number) for number in range(6)]
    random = np.random.default_rng(1)
    other = [with_prices(frame, np.exp(random.normal(0, 0.1, 320))) for frame in tokyo]
    alone, beside, changed = markets(frames), markets([*tokyo, *frames]), markets([*frames, *other])
    assert set(beside) == {"XNYS", "XTKS"}
    for found in (beside, changed):
        np.testing.assert_array_equal(found["XNYS"].values, alone["XNYS"].values)
        np.testing.assert_array_equal(found["XNYS"].sessions, alone["XNYS"].sessions)
    assert not np.allclose(beside["XTKS"].values[SETTLED:], changed["XTKS"].values[SETTLED:])
    # Four of Tokyo beside many of New York are no market.
    assert set(markets([*tokyo[:4], *frames])) == {"XNYS"}


def test_a_ticker_that_was_listed_last_month_does_not_touch_the_medians(make_bars: MakeFrame) -> None:
    old = [make_bars(f"T{chr(65 + number)}", 320, seed=number) for number in range(26)]
    random = np.random.default_rng(2)
    young = [
        make_bars(f"Y{chr(65 + number)}", seed=number, closes=10 * np.exp(np.cumsum(random.normal(0, 0.3, 22))))
        for number in range(4)
    ]
    np.testing.assert_array_equal(markets([*old, *young])["XNYS"].values, markets(old)["XNYS"].values)
    # Many young ones alone are a market of which nothing is known.
    assert np.isnan(markets([frame.rows(280, 320) for frame in old])["XNYS"].values).all()


def test_a_ticker_without_ranges_counts_with_what_it_has(frames: list[PriceFrame], make_frame: MakeFrame) -> None:
    bare = [make_frame(frame.ticker, closes=frame.close) for frame in frames[:3]]
    some, whole = markets([*bare, *frames[3:]])["XNYS"].values, markets(frames)["XNYS"].values
    np.testing.assert_allclose(some[:, :CLOSES], whole[:, :CLOSES], atol=1e-12)
    assert np.isnan(some[:, CLOSES:]).all(), "four tickers with ranges are too few"
    some = markets([*bare[:2], *frames[2:]])["XNYS"].values
    expected = np.median([features_at_end(frame)[CLOSES:] for frame in frames[2:]], axis=0)
    np.testing.assert_allclose(some[-1, CLOSES:], expected, atol=1e-9)


def test_sessions_that_it_has_not_are_unknown(frames: list[PriceFrame]) -> None:
    market = markets(frames)["XNYS"]
    days = market.sessions
    between = days[70] + np.timedelta64(400, "D")
    asked = np.array(["1990-01-02", days[70], between, days[-1], "2045-01-03"], dtype="datetime64[D]")
    saturday = np.array(["2019-12-28"], dtype="datetime64[D]")
    found = market.at(asked)
    np.testing.assert_array_equal(np.isfinite(found).all(axis=1), [False, True, asked[2] in days, True, False])
    np.testing.assert_array_equal(found[[1, 3]], market.values[[70, -1]])
    assert np.isnan(market.at(saturday)).all()
    assert market.at(np.empty(0, dtype="datetime64[D]")).shape == (0, len(FEATURES))


def test_a_session_that_most_tickers_missed_is_unknown_and_harms_no_other(frames: list[PriceFrame]) -> None:
    """As when one history holds a bar on a holiday, or most have lost one."""

    def without(frame: PriceFrame, row: int) -> PriceFrame:
        kept = np.arange(len(frame)) != row
        names = ("sessions", "open", "high", "low", "close", "volume")
        return replace(frame, **{name: getattr(frame, name)[kept] for name in names})

    gapped = [*frames[:2], *(without(frame, 200) for frame in frames[2:])]
    market, whole = markets(gapped)["XNYS"], markets(frames)["XNYS"]
    np.testing.assert_array_equal(market.sessions, whole.sessions)
    assert np.isnan(market.values[200]).all()
    np.testing.assert_allclose(market.values[:200], whole.values[:200], atol=1e-9)
    assert np.isfinite(market.values[201:]).all()


def test_a_wild_ticker_does_not_decide_the_market(frames: list[PriceFrame]) -> None:
    jump = np.where(np.arange(320) < 300, 1.0, 1000.0)
    wild = [with_prices(frames[0], jump), *frames[1:]]
    spread = np.ptp([features_at_end(frame.rows(0, 301)) for frame in frames], axis=0)
    moved = np.abs(markets(wild)["XNYS"].values[300] - markets(frames)["XNYS"].values[300])
    assert (moved <= spread).all()


def test_a_market_answers_in_the_order_of_what_is_asked() -> None:
    days = np.arange("2020-01-06", "2020-01-11", dtype="datetime64[D]")
    market = MedianMarket(days, np.arange(10.0).reshape(5, 2))
    np.testing.assert_array_equal(market.at(days[[3, 0]]), [[6, 7], [0, 1]])
