"""The contract that every forecaster keeps, baselines and network alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stockcast.config import Config
from stockcast.errors import InvalidWindow
from stockcast.evaluation.split import Split
from stockcast.forecasting.bundle import pack, read_bundle, write_bundle
from stockcast.forecasting.context import (
    LARGEST_CLOSE,
    LEAST_CLOSE,
    Context,
    context_at_end,
    context_of_closes,
    windows,
)
from stockcast.forecasting.ewma import EwmaEstimator, EwmaForecaster
from stockcast.forecasting.forecaster import Forecaster, TrainingPair
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.quantiles import LEVELS, MEDIAN
from stockcast.forecasting.unpack import unpack
from stockcast.prices.frame import PriceFrame
from stockcast.prices.sessions import next_sessions

MakeFrame = Callable[..., PriceFrame]
TrainLstm = Callable[..., Forecaster]
SmallSplit = tuple[Split, list[TrainingPair]]
# ONNX Runtime computes in 32 bits, and may sum a batch in another order than a single window.
SAME = 1e-5


@pytest.fixture(scope="module", params=["naive", "ewma", "fitted ewma", "lstm", "lstm of 20 closes"])
def forecaster(
    request: pytest.FixtureRequest, small_split: SmallSplit, small_config: Config, train_lstm: TrainLstm
) -> Forecaster:
    if request.param == "naive":
        return NaiveForecaster()
    if request.param == "ewma":
        return EwmaForecaster()
    if request.param == "fitted ewma":
        return EwmaEstimator(horizon=3, lookback=40).fit(small_split[1])
    if request.param == "lstm":
        return request.getfixturevalue("trained_lstm")  # type: ignore[no-any-return]
    short = small_config.with_overrides(
        ["windows.lookback=20", "windows.max_horizon=1", "network.layers=2", "training.max_epochs=1"]
    )
    return train_lstm(short, small_split[1])


@pytest.fixture(scope="module")
def frame(make_frame: MakeFrame) -> PriceFrame:
    return make_frame("MSFT", 400, seed=9)


def last_window(frame: PriceFrame, forecaster: Forecaster) -> np.ndarray:
    return np.array(frame.close[-forecaster.lookback :])


def prices(forecaster: Forecaster, closes: np.ndarray) -> np.ndarray:
    """Quantiles of the close from one window. [H, Q]"""
    return forecaster.forecast([context_of_closes(closes, forecaster.lookback)])[0].prices


@given(row=st.integers(60, 390), change=st.floats(0.01, 100))
def test_nothing_after_the_cutoff_changes_a_forecast(
    forecaster: Forecaster, frame: PriceFrame, make_frame: MakeFrame, row: int, change: float
) -> None:
    truncated = context_at_end(frame.rows(0, row + 1), forecaster.horizon)
    closes = np.array(frame.close)
    closes[row + 1 :] *= change
    perturbed = make_frame("MSFT", closes=closes)
    [seen] = windows(frame, [row], forecaster.horizon, forecaster.history)
    [other] = windows(perturbed, [row], forecaster.horizon, forecaster.history)
    expected, found, again = forecaster.forecast([truncated, seen.context, other.context])
    np.testing.assert_array_equal(found.log_returns, expected.log_returns)
    np.testing.assert_array_equal(again.log_returns, expected.log_returns)
    assert found.context.sessions == expected.context.sessions
    assert not np.shares_memory(seen.actuals, seen.context.closes)


def test_the_forecast_does_depend_on_the_window(forecaster: Forecaster, frame: PriceFrame) -> None:
    closes = last_window(frame, forecaster)
    calm = closes[-1] * (closes / closes[-1]) ** 0.5
    assert not np.allclose(prices(forecaster, closes), prices(forecaster, calm), rtol=1e-3)


@given(factor=st.sampled_from([1e-3, 0.1, 10.0, 1234.5]))
def test_a_currency_unit_scales_the_quantiles_and_nothing_else(
    forecaster: Forecaster, frame: PriceFrame, factor: float
) -> None:
    closes = last_window(frame, forecaster)
    np.testing.assert_allclose(prices(forecaster, closes * factor), prices(forecaster, closes) * factor, rtol=SAME)


@given(seed=st.integers(0, 2**32 - 1), volatility=st.floats(1e-5, 0.3))
def test_quantiles_are_sorted_finite_and_positive(forecaster: Forecaster, seed: int, volatility: float) -> None:
    returns = np.random.default_rng(seed).standard_t(3, forecaster.lookback) * volatility
    found = prices(forecaster, 20 * np.exp(np.cumsum(returns)))
    assert found.shape == (forecaster.horizon, len(LEVELS))
    assert np.isfinite(found).all()
    assert (found > 0).all()
    assert (np.diff(found, axis=1) >= 0).all()


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


def test_a_batch_equals_its_single_calls(forecaster: Forecaster, frame: PriceFrame) -> None:
    contexts = [window.context for window in windows(frame, range(100, 340, 3), forecaster.horizon, 300)]
    together = forecaster.forecast(contexts)
    assert [forecast.context for forecast in together] == contexts
    for context, forecast in zip(contexts, together, strict=True):
        [alone] = forecaster.forecast([context])
        np.testing.assert_allclose(forecast.log_returns, alone.log_returns, rtol=SAME, atol=1e-8)


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


def test_closes_before_its_history_are_ignored(forecaster: Forecaster, frame: PriceFrame) -> None:
    assert forecaster.history >= forecaster.lookback
    whole, cut = forecaster.forecast([Context(frame.close), Context(frame.close[-forecaster.history :])])
    np.testing.assert_array_equal(whole.log_returns, cut.log_returns)


@pytest.mark.parametrize("price", [0.0001, 1.0, 350_000.0])
def test_constant_prices_give_a_finite_and_narrow_forecast(forecaster: Forecaster, price: float) -> None:
    found = prices(forecaster, np.full(forecaster.lookback, price))
    assert np.isfinite(found).all()
    assert (np.abs(found / price - 1) < 0.01).all()


@pytest.mark.parametrize("position", [1, 10, -10, -1])
@pytest.mark.parametrize("factor", [100.0, 0.01])
def test_a_hundredfold_jump_gives_a_finite_forecast(
    forecaster: Forecaster, frame: PriceFrame, position: int, factor: float
) -> None:
    closes = last_window(frame, forecaster)
    closes[position:] *= factor
    found = prices(forecaster, closes)
    assert np.isfinite(found).all()
    assert (found > 0).all()
    assert (np.diff(found, axis=1) >= 0).all()


@given(data=st.data())
def test_whatever_a_window_may_hold_the_forecast_is_finite(forecaster: Forecaster, data: st.DataObject) -> None:
    extremes = st.sampled_from([LEAST_CLOSE, 0.01, 1.0, LARGEST_CLOSE])
    closes = data.draw(arrays(np.float64, forecaster.lookback, elements=extremes))
    found = prices(forecaster, closes)
    assert np.isfinite(found).all()
    assert (found > 0).all()


def test_the_same_context_gives_the_same_forecast(forecaster: Forecaster, frame: PriceFrame) -> None:
    closes = last_window(frame, forecaster)
    before = closes.copy()
    first = prices(forecaster, closes)
    np.testing.assert_array_equal(prices(forecaster, closes), first)
    np.testing.assert_array_equal(closes, before)


def test_a_bundle_round_trip_gives_the_same_forecasts(
    forecaster: Forecaster, frame: PriceFrame, tmp_path: Path
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
    assert (again.kind, again.lookback, again.history, again.horizon, again.trained_until) == (
        forecaster.kind,
        forecaster.lookback,
        forecaster.history,
        forecaster.horizon,
        forecaster.trained_until,
    )
    contexts = [window.context for window in windows(frame, range(100, 300, 20), forecaster.horizon, 300)]
    for expected, found in zip(forecaster.forecast(contexts), again.forecast(contexts), strict=True):
        np.testing.assert_array_equal(found.log_returns, expected.log_returns)


def test_the_baselines_expect_the_last_close_and_widen_with_the_horizon(frame: PriceFrame) -> None:
    for baseline in (NaiveForecaster(), EwmaForecaster()):
        contexts = [window.context for window in windows(frame, range(60, 390, 7), 5, 251)]
        for forecast in baseline.forecast(contexts):
            np.testing.assert_array_equal(forecast.median, np.full(5, forecast.context.last_close))
            np.testing.assert_array_equal(forecast.log_returns[:, MEDIAN], np.zeros(5))
            lower, upper = forecast.interval(0.95)
            assert (np.diff(upper - lower) > 0).all()


def test_what_a_forecaster_has_seen_is_never_later_than_its_training(
    forecaster: Forecaster, small_split: SmallSplit
) -> None:
    split, _ = small_split
    assert forecaster.trained_until in (None, split.train_end, split.validation_end)
    assert (forecaster.trained_until == split.validation_end) == (forecaster.kind == "lstm")
