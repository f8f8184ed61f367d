"""The contract that every forecaster keeps, baselines, linear model and network alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stockcast.config import Config
from stockcast.errors import InvalidWindow
from stockcast.evaluation.split import Split
from stockcast.forecasting.bundle import pack, read_bundle, write_bundle
from stockcast.forecasting.context import (
    LARGEST_CLOSE,
    LEAST_CLOSE,
    Bars,
    Context,
    context_at_end,
    context_of_closes,
    windows,
)
from stockcast.forecasting.ewma import EwmaEstimator, EwmaForecaster
from stockcast.forecasting.forecaster import Forecaster, TrainingPair
from stockcast.forecasting.garch import GarchEstimator
from stockcast.forecasting.inputs import GROUPS
from stockcast.forecasting.linear import LinearEstimator
from stockcast.forecasting.market import MedianMarket, markets
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.network_forecaster import NetworkForecaster
from stockcast.forecasting.observer import UNWATCHED
from stockcast.forecasting.quantiles import LEVELS, MEDIAN
from stockcast.forecasting.recalibrated import recalibrate
from stockcast.forecasting.unpack import unpack
from stockcast.prices.frame import PriceFrame
from stockcast.prices.sessions import next_sessions

MakeFrame = Callable[..., PriceFrame]
TrainLstm = Callable[..., NetworkForecaster]
SmallSplit = tuple[Split, list[TrainingPair]]
# ONNX Runtime computes in 32 bits, and may sum a batch in another order than a single window.
SAME = 1e-5

KINDS = (
    "naive",
    "ewma",
    "fitted ewma",
    "recalibrated ewma",
    "garch",
    "linear of closes",
    "linear of all",
    "lstm of closes",
    "lstm of all",
    "lstm of 20 closes",
    "recalibrated lstm",
)


@pytest.fixture(scope="module", params=KINDS)
def forecaster(
    request: pytest.FixtureRequest,
    small_split: SmallSplit,
    market_split: SmallSplit,
    small_config: Config,
    train_lstm: TrainLstm,
) -> Forecaster:
    closes, everything = small_split[1], market_split[1]
    match request.param:
        case "naive":
            return NaiveForecaster()
        case "ewma":
            return EwmaForecaster()
        case "fitted ewma":
            return EwmaEstimator(horizon=3, lookback=40).fit(closes)
        case "recalibrated ewma":
            return recalibrate(EwmaEstimator().fit(closes), closes, 0.0)
        case "garch":
            return GarchEstimator().fit(closes)
        case "linear of closes":
            return LinearEstimator().fit(closes, UNWATCHED)
        case "linear of all":
            return LinearEstimator().fit(everything, UNWATCHED)
        case "lstm of closes":
            return request.getfixturevalue("trained_lstm")  # type: ignore[no-any-return]
        case "lstm of all":
            return request.getfixturevalue("market_lstm")  # type: ignore[no-any-return]
        case "lstm of 20 closes":
            short = small_config.with_overrides(
                ["windows.lookback=20", "windows.max_horizon=1", "network.layers=2", "training.max_epochs=1"]
            )
            return train_lstm(short, closes)
    return recalibrate(request.getfixturevalue("market_lstm"), everything, 0.005)


@pytest.fixture(scope="module")
def frame(make_frame: MakeFrame) -> PriceFrame:
    return make_frame("MSFT", 400, seed=9)


@dataclass(frozen=True)
class Exchange:
    """A ticker with whole bars among the others of its market; all end on the same session."""

    frames: tuple[PriceFrame, ...]

    @property
    def frame(self) -> PriceFrame:
        return self.frames[0]

    @cached_property
    def market(self) -> MedianMarket:
        return markets(self.frames)["XNYS"]

    def until(self, row: int) -> Exchange:
        """What was known at the close of the session `row`."""
        return Exchange(tuple(frame.rows(0, row + 1) for frame in self.frames))

    def changed_after(self, row: int, change: Callable[[PriceFrame, slice], PriceFrame]) -> Exchange:
        return Exchange(tuple(change(frame, slice(row + 1, None)) for frame in self.frames))

    def context(self, horizon: int, *, bars: bool = True, market: bool = True) -> Context:
        whole = context_at_end(self.frame, horizon, self.market)
        return replace(whole, bars=whole.bars if bars else None, market=whole.market if market else None)


@pytest.fixture(scope="module")
def exchange(make_bars: MakeFrame) -> Exchange:
    names = ("MSFT", "AAPL", "IBM", "KO", "PEP", "XOM")
    return Exchange(tuple(make_bars(name, 400, seed=40 + number) for number, name in enumerate(names)))


def last_window(frame: PriceFrame, forecaster: Forecaster) -> np.ndarray:
    return np.array(frame.close[-forecaster.lookback :])


def prices(forecaster: Forecaster, closes: np.ndarray) -> np.ndarray:
    """Quantiles of the close from one window. [H, Q]"""
    return forecaster.forecast([context_of_closes(closes, forecaster.lookback)])[0].prices


def assert_sound(found: np.ndarray) -> None:
    assert np.isfinite(found).all()
    assert (found > 0).all()
    assert (np.diff(found, axis=-1) >= 0).all()


def scaled(frame: PriceFrame, rows: slice, seed: int) -> PriceFrame:
    """Other prices and another volume in these rows, open, high and low beside their closes."""
    random = np.random.default_rng([seed, *frame.ticker.encode()])
    changed = {name: np.array(getattr(frame, name)) for name in ("open", "high", "low", "close", "volume")}
    factor = np.exp(random.normal(0, 0.3, len(frame)))
    for name in ("open", "high", "low", "close"):
        changed[name][rows] *= factor[rows]
    changed["high"][rows] *= 1 + random.random()
    changed["low"][rows] /= 1 + random.random()
    changed["volume"][rows] = np.round(1e7 * random.random(len(frame)))[rows]
    return replace(frame, **changed)


@settings(max_examples=6)
@given(row=st.integers(60, 390), seed=st.integers(0, 1000))
def test_nothing_after_the_cutoff_changes_a_forecast(
    forecaster: Forecaster, exchange: Exchange, row: int, seed: int
) -> None:
    perturbed = exchange.changed_after(row, lambda frame, rows: scaled(frame, rows, seed))
    assert (perturbed.market.values[row + 1 :] != exchange.market.values[row + 1 :]).any()
    [seen], [other] = (
        windows(each.frame, [row], forecaster.horizon, forecaster.history, each.market)
        for each in (exchange, perturbed)
    )
    truncated = exchange.until(row).context(forecaster.horizon)
    # One by one: the last bits of a row depend on the number of rows.
    [[expected], [found], [again]] = [
        forecaster.forecast([context]) for context in (truncated, seen.context, other.context)
    ]
    np.testing.assert_array_equal(again.log_returns, found.log_returns)
    # The market of fewer sessions is summed in blocks of another size.
    np.testing.assert_allclose(expected.log_returns, found.log_returns, rtol=SAME, atol=1e-9)
    assert found.context.sessions == expected.context.sessions
    assert not np.shares_memory(seen.actuals, seen.context.closes)


@settings(max_examples=8)
@given(row=st.integers(60, 390), change=st.floats(0.01, 100))
def test_nothing_after_the_cutoff_changes_a_forecast_from_closes_alone(
    forecaster: Forecaster, frame: PriceFrame, row: int, change: float
) -> None:
    closes = np.array(frame.close)
    closes[row + 1 :] *= change
    truncated = context_at_end(frame.rows(0, row + 1), forecaster.horizon)
    [seen] = windows(frame, [row], forecaster.horizon, forecaster.history)
    [other] = windows(replace(frame, close=closes), [row], forecaster.horizon, forecaster.history)
    [[expected], [found], [again]] = [
        forecaster.forecast([context]) for context in (truncated, seen.context, other.context)
    ]
    np.testing.assert_array_equal(found.log_returns, expected.log_returns)
    np.testing.assert_array_equal(again.log_returns, expected.log_returns)


def test_the_forecast_does_depend_on_the_window(forecaster: Forecaster, frame: PriceFrame) -> None:
    closes = last_window(frame, forecaster)
    calm = closes[-1] * (closes / closes[-1]) ** 0.5
    assert not np.allclose(prices(forecaster, closes), prices(forecaster, calm), rtol=1e-3)


def test_it_depends_on_bars_and_on_the_market_only_where_it_has_learnt_to_read_them(
    forecaster: Forecaster, exchange: Exchange
) -> None:
    whole, no_bars, no_market, neither = forecaster.forecast(
        [
            exchange.context(forecaster.horizon, bars=bars, market=market)
            for bars, market in ((True, True), (False, True), (True, False), (False, False))
        ]
    )
    for forecast, group in ((no_bars, "range"), (no_market, "market")):
        differs = not np.allclose(forecast.log_returns, whole.log_returns, rtol=1e-4, atol=1e-9)
        assert differs == (group in forecaster.groups)
    assert forecaster.groups in ((), GROUPS)
    differs = not np.allclose(no_bars.log_returns, neither.log_returns, rtol=1e-4, atol=1e-9)
    assert differs == bool(forecaster.groups)


@given(factor=st.sampled_from([1e-3, 0.1, 10.0, 1234.5]))
def test_a_currency_unit_scales_the_quantiles_and_nothing_else(
    forecaster: Forecaster, frame: PriceFrame, factor: float
) -> None:
    closes = last_window(frame, forecaster)
    np.testing.assert_allclose(prices(forecaster, closes * factor), prices(forecaster, closes) * factor, rtol=SAME)


@pytest.mark.parametrize("factor", [1e-3, 10.0, 1234.5])
def test_a_currency_unit_scales_whole_bars_alike(
    forecaster: Forecaster, exchange: Exchange, factor: float
) -> None:
    def in_unit(frame: PriceFrame) -> PriceFrame:
        return replace(frame, **{name: getattr(frame, name) * factor for name in ("open", "high", "low", "close")})

    other = Exchange((in_unit(exchange.frame), *exchange.frames[1:]))
    [expected], [found] = (forecaster.forecast([each.context(forecaster.horizon)]) for each in (exchange, other))
    np.testing.assert_allclose(found.prices, expected.prices * factor, rtol=SAME)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), volatility=st.floats(1e-5, 0.3))
def test_quantiles_are_sorted_finite_and_positive(forecaster: Forecaster, seed: int, volatility: float) -> None:
    returns = np.random.default_rng(seed).standard_t(3, forecaster.lookback) * volatility
    found = prices(forecaster, 20 * np.exp(np.cumsum(returns)))
    assert found.shape == (forecaster.horizon, len(LEVELS))
    assert_sound(found)


@pytest.mark.parametrize("ticker", ["MSFT", "CMIG4.SA"])
def test_a_forecast_knows_its_coming_sessions(forecaster: Forecaster, make_frame: MakeFrame, ticker: str) -> None:
    history = make_frame(ticker, 100)
    [forecast] = forecaster.forecast([context_at_end(history, forecaster.horizon)])
    expected = next_sessions(history.exchange, history.last_session, forecaster.horizon)
    assert tuple(forecast.session(h) for h in range(1, forecast.horizon + 1)) == expected
    assert forecast.horizon == forecaster.horizon
    assert forecast.forecaster == forecaster.kind


def test_a_window_without_dates_has_a_forecast_without_dates(forecaster: Forecaster, frame: PriceFrame) -> None:
    [forecast] = forecaster.forecast([context_of_closes(last_window(frame, forecaster), forecaster.lookback)])
    assert forecast.session(1) is None


def test_sixty_closes_and_nothing_else_are_enough_for_every_forecaster(
    forecaster: Forecaster, exchange: Exchange
) -> None:
    closes = exchange.frame.close[-60:]
    [forecast] = forecaster.forecast([Context(closes)])
    assert_sound(forecast.prices)
    # No spread is far from what a model that has the whole history says.
    [informed] = forecaster.forecast([exchange.context(forecaster.horizon)])
    ratio = np.ptp(forecast.log_returns, axis=1) / np.ptp(informed.log_returns, axis=1)
    assert ((ratio > 0.4) & (ratio < 2.5)).all()


def test_a_batch_equals_its_single_calls(forecaster: Forecaster, frame: PriceFrame) -> None:
    contexts = [window.context for window in windows(frame, range(100, 340, 3), forecaster.horizon, 300)]
    assert_a_batch_equals_its_single_calls(forecaster, contexts)


def assert_a_batch_equals_its_single_calls(forecaster: Forecaster, contexts: Sequence[Context]) -> None:
    together = forecaster.forecast(contexts)
    assert [forecast.context for forecast in together] == contexts
    for context, forecast in zip(contexts, together, strict=True):
        [alone] = forecaster.forecast([context])
        np.testing.assert_allclose(forecast.log_returns, alone.log_returns, rtol=SAME, atol=1e-8)


@settings(max_examples=8)
@given(order=st.permutations(range(10)), data=st.data())
def test_a_batch_of_unlike_contexts_equals_its_single_calls(
    forecaster: Forecaster, exchange: Exchange, order: list[int], data: st.DataObject
) -> None:
    lengths = (60, 61, 100, 251, 310, 400)
    whole = exchange.context(forecaster.horizon)
    assert whole.bars is not None
    assert whole.market is not None
    contexts = []
    for number in order:
        length = lengths[number % len(lengths)]
        kept = slice(-length, None)
        bars = Bars(*(getattr(whole.bars, name)[kept] for name in ("open", "high", "low", "volume")))
        contexts.append(
            replace(
                whole,
                closes=whole.closes[kept],
                bars=bars if data.draw(st.booleans()) else None,
                market=whole.market[kept] if data.draw(st.booleans()) else None,
            )
        )
    assert_a_batch_equals_its_single_calls(forecaster, contexts)


def test_a_long_batch_has_a_forecast_for_every_context_in_its_place(
    forecaster: Forecaster, frame: PriceFrame
) -> None:
    cutoffs = [*range(len(frame) - 40, len(frame))] * 13  # 520: more than are done at once, and not a multiple
    contexts = [window.context for window in windows(frame, cutoffs, forecaster.horizon, 400)]
    found = np.stack([forecast.log_returns for forecast in forecaster.forecast(contexts)])
    alone = np.stack([forecast.log_returns for forecast in forecaster.forecast(contexts[:40])])
    np.testing.assert_allclose(found, np.tile(alone, (13, 1, 1)), atol=SAME)


def test_no_contexts_give_no_forecasts(forecaster: Forecaster) -> None:
    assert forecaster.forecast([]) == []


def test_exactly_the_lookback_is_enough_and_one_close_less_is_refused(
    forecaster: Forecaster, frame: PriceFrame
) -> None:
    closes = last_window(frame, forecaster)
    assert len(forecaster.forecast([Context(closes)])) == 1
    with pytest.raises(InvalidWindow, match=f"has {forecaster.lookback - 1} closes.* reads") as refused:
        forecaster.forecast([Context(closes), Context(closes[1:], ticker="MSFT")])
    assert refused.value.message.startswith("MSFT")
    assert refused.value.hint


def test_what_lies_before_its_history_is_ignored(
    forecaster: Forecaster, exchange: Exchange, make_bars: MakeFrame
) -> None:
    assert forecaster.history >= forecaster.lookback
    long = Exchange((make_bars("MSFT", 1100, seed=3), *exchange.frames))
    whole = long.context(forecaster.horizon)
    kept = slice(-forecaster.history, None)
    assert whole.bars is not None
    assert whole.market is not None
    short = replace(
        whole,
        closes=whole.closes[kept],
        bars=Bars(*(getattr(whole.bars, name)[kept] for name in ("open", "high", "low", "volume"))),
        market=whole.market[kept],
    )
    [[expected], [found]] = [forecaster.forecast([context]) for context in (whole, short)]
    np.testing.assert_array_equal(found.log_returns, expected.log_returns)


@pytest.mark.parametrize("price", [0.0001, 1.0, 350_000.0])
def test_constant_prices_give_a_finite_and_narrow_forecast(forecaster: Forecaster, price: float) -> None:
    found = prices(forecaster, np.full(forecaster.lookback, price))
    assert np.isfinite(found).all()
    assert (np.abs(found / price - 1) < 0.01).all()


@pytest.mark.parametrize("volume", [0.0, np.nan])
def test_a_share_that_is_not_traded_gives_a_finite_and_narrow_forecast(
    forecaster: Forecaster, exchange: Exchange, volume: float
) -> None:
    still = np.full(len(exchange.frame), 20.0)
    quiet = replace(exchange.frame, open=still, high=still, low=still, close=still, volume=still * volume)
    [found] = forecaster.forecast([Exchange((quiet, *exchange.frames[1:])).context(forecaster.horizon)])
    assert_sound(found.prices)
    assert (np.abs(found.prices / 20.0 - 1) < 0.01).all()


@pytest.mark.parametrize("position", [1, 10, -10, -1])
@pytest.mark.parametrize("factor", [100.0, 0.01])
def test_a_hundredfold_jump_gives_a_finite_forecast(
    forecaster: Forecaster, frame: PriceFrame, exchange: Exchange, position: int, factor: float
) -> None:
    closes = last_window(frame, forecaster)
    closes[position:] *= factor
    assert_sound(prices(forecaster, closes))
    bars = exchange.frame
    jump = np.where(np.arange(len(bars)) < len(bars) - 11 + position, 1.0, factor)
    jumped = replace(bars, **{name: getattr(bars, name) * jump for name in ("open", "high", "low", "close")})
    wrong_close = replace(bars, close=bars.close * jump)
    for other in (jumped, wrong_close):
        [found] = forecaster.forecast([Exchange((other, *exchange.frames[1:])).context(forecaster.horizon)])
        assert_sound(found.prices)


@settings(max_examples=25)
@given(data=st.data())
def test_whatever_a_window_may_hold_the_forecast_is_finite(forecaster: Forecaster, data: st.DataObject) -> None:
    extremes = st.sampled_from([LEAST_CLOSE, 0.01, 1.0, LARGEST_CLOSE])
    closes = data.draw(arrays(np.float64, forecaster.lookback, elements=extremes))
    assert_sound(prices(forecaster, closes))


@settings(max_examples=25)
@given(seed=st.integers(0, 1000), missing=st.floats(0, 1), market=st.floats(0, 1e6))
def test_whatever_bars_may_hold_the_forecast_is_finite(
    forecaster: Forecaster, seed: int, missing: float, market: float
) -> None:
    random = np.random.default_rng(seed)
    drawn = random.choice([LEAST_CLOSE, 0.01, 1.0, LARGEST_CLOSE], (5, 70))
    drawn[1:, random.random(70) < missing] = np.nan  # no order of low, open, close and high either
    drawn[4] *= random.choice([0.0, 1.0], 70)
    beside = random.normal(0, 2, (70, 18)) + market
    beside[random.random(70) < missing] = np.nan
    context = Context(drawn[0], bars=Bars(*drawn[1:]), market=beside)
    [forecast] = forecaster.forecast([context])
    assert_sound(forecast.prices)


def test_the_same_context_gives_the_same_forecast(forecaster: Forecaster, exchange: Exchange) -> None:
    context = exchange.context(forecaster.horizon)
    assert context.bars is not None
    assert context.market is not None
    columns = (context.closes, context.bars.open, context.bars.volume, context.market)
    before = [column.copy() for column in columns]
    [first] = forecaster.forecast([context])
    [second] = forecaster.forecast([context])
    np.testing.assert_array_equal(second.log_returns, first.log_returns)
    for column, copy in zip(columns, before, strict=True):
        np.testing.assert_array_equal(column, copy)


def test_a_bundle_round_trip_gives_the_same_forecasts(
    forecaster: Forecaster, exchange: Exchange, tmp_path: Path
) -> None:
    bundle = pack(
        forecaster,
        tickers=("MSFT",),
        config=Config().model_dump(mode="json"),
        data_fingerprint="f" * 64,
        drift_reference=None,
        scorecard=None,
    )
    write_bundle(bundle, tmp_path / "bundle")
    again = unpack(read_bundle(tmp_path / "bundle"), threads=1)
    assert type(again) is type(forecaster)
    for name in ("kind", "lookback", "history", "horizon", "groups", "adaptation", "trained_until"):
        assert getattr(again, name) == getattr(forecaster, name), name
    contexts = [
        window.context
        for market in (None, exchange.market)
        for window in windows(exchange.frame, range(100, 300, 20), forecaster.horizon, 300, market)
    ]
    for expected, found in zip(forecaster.forecast(contexts), again.forecast(contexts), strict=True):
        np.testing.assert_array_equal(found.log_returns, expected.log_returns)
    assert again.state() == forecaster.state()


def test_the_baselines_expect_the_last_close_and_widen_with_the_horizon(frame: PriceFrame) -> None:
    for baseline in (NaiveForecaster(), EwmaForecaster()):
        contexts = [window.context for window in windows(frame, range(60, 390, 7), 5, 251)]
        for forecast in baseline.forecast(contexts):
            np.testing.assert_array_equal(forecast.median, np.full(5, forecast.context.last_close))
            np.testing.assert_array_equal(forecast.log_returns[:, MEDIAN], np.zeros(5))
            lower, upper = forecast.interval(0.95)
            assert (np.diff(upper - lower) > 0).all()


def test_the_median_of_every_scale_model_is_the_last_close(forecaster: Forecaster, exchange: Exchange) -> None:
    [forecast] = forecaster.forecast([exchange.context(forecaster.horizon)])
    if forecaster.kind == "lstm":  # a drift is small beside the spread
        assert np.abs(forecast.log_returns[:, MEDIAN]).max() < 0.2 * np.ptp(forecast.log_returns)
    else:
        np.testing.assert_array_equal(forecast.log_returns[:, MEDIAN], 0.0)


def test_what_a_forecaster_has_seen_is_never_later_than_its_training(
    forecaster: Forecaster, small_split: SmallSplit, market_split: SmallSplit, request: pytest.FixtureRequest
) -> None:
    parts = (small_split[0], market_split[0])
    calibrated = forecaster.kind == "lstm" or "recalibrated" in request.node.name
    if forecaster.trained_until is None:
        assert forecaster.kind in ("naive", "ewma")
    else:
        assert forecaster.trained_until in [
            part.validation_end if calibrated else part.train_end for part in parts
        ]
