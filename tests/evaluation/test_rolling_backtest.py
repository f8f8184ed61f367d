"""The rolling backtest: every session in the range once, from the bars before it alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.errors import InvalidRequest, LeakDetected
from stockcast.evaluation.rolling import rolling_backtest
from stockcast.forecasting.context import Context, context_at_end
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.forecaster import ForecasterState
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.network_forecaster import NetworkForecaster
from stockcast.forecasting.quantiles import LEVELS, QuantileForecast
from stockcast.prices.frame import PriceFrame

MakeFrame = Callable[..., PriceFrame]


@dataclass
class Witness:
    """Forecasts nothing in particular and remembers every context that it was shown."""

    trained_until: date | None = None
    lookback: int = 10
    history: int = 12
    horizon: int = 3
    kind: str = "witness"

    def __post_init__(self) -> None:
        self.seen: list[Context] = []

    def forecast(self, contexts: Sequence[Context]) -> list[QuantileForecast]:
        self.seen.extend(contexts)
        flat = np.zeros((self.horizon, len(LEVELS)))
        return [QuantileForecast(context, self.kind, flat) for context in contexts]

    def state(self) -> ForecasterState:
        return ForecasterState(self.kind, {})


@pytest.fixture(scope="module")
def frame(make_frame: MakeFrame) -> PriceFrame:
    return make_frame("AAPL", 120, seed=6)


def day(frame: PriceFrame, row: int) -> date:
    return frame.sessions[row].astype(object)  # type: ignore[no-any-return]


@given(start=st.integers(-30, 160), length=st.integers(0, 200), weekend=st.integers(0, 3))
def test_every_session_of_the_range_is_forecast_once_and_none_beyond(
    frame: PriceFrame, start: int, length: int, weekend: int
) -> None:
    begin = frame.first_session + timedelta(days=start + weekend)
    end = begin + timedelta(days=length)
    witness = Witness()
    days = frame.sessions.astype(object)
    expected = [d for row, d in enumerate(days) if row >= witness.lookback and begin <= d <= end]
    if not expected:
        with pytest.raises(InvalidRequest, match=f"from {begin} to {end}.*AAPL"):
            rolling_backtest(witness, [frame], begin, end)
        return
    [part] = rolling_backtest(witness, [frame], begin, end).parts
    assert part.sessions(1) == expected
    assert [forecast.context.cutoff for forecast in part.forecasts] == [
        days[np.flatnonzero(days == session)[0] - 1] for session in expected
    ]
    for horizon in (1, 2, 3):
        inside = np.array([session <= min(end, frame.last_session) for session in part.sessions(horizon)])
        actuals = part.actuals[:, horizon - 1]
        assert (np.isfinite(actuals) == inside).all()
        rows = np.searchsorted(frame.sessions, np.array(part.sessions(horizon), dtype="datetime64[D]"))
        np.testing.assert_array_equal(actuals[inside], frame.close[rows[inside]])


def test_a_forecaster_is_shown_the_bars_up_to_its_cutoff_and_nothing_else(frame: PriceFrame) -> None:
    witness = Witness()
    rolling_backtest(witness, [frame], day(frame, 30), day(frame, 60))
    assert len(witness.seen) == 31
    for row, context in enumerate(witness.seen, start=29):
        assert context.cutoff == day(frame, row)
        np.testing.assert_array_equal(context.closes, frame.close[row - 11 : row + 1])


@pytest.mark.parametrize("forecaster", [NaiveForecaster(), EwmaForecaster(lookback=20)], ids=["naive", "ewma"])
def test_a_backtest_says_what_would_have_been_said_on_the_day(
    frame: PriceFrame, forecaster: NaiveForecaster | EwmaForecaster
) -> None:
    [part] = rolling_backtest(forecaster, [frame], day(frame, 70), day(frame, 119)).parts
    for row, forecast in enumerate(part.forecasts, start=69):
        [then] = forecaster.forecast([context_at_end(frame.rows(0, row + 1), forecaster.horizon)])
        np.testing.assert_allclose(forecast.log_returns, then.log_returns, rtol=1e-9, atol=1e-12)
        assert forecast.context.sessions == then.context.sessions


def test_returns_and_quantiles_are_laid_out_by_cutoff_and_horizon(frame: PriceFrame) -> None:
    [part] = rolling_backtest(EwmaForecaster(lookback=20), [frame], day(frame, 50), day(frame, 80)).parts
    assert part.quantile_returns.shape == (31, 5, len(LEVELS))
    np.testing.assert_array_equal(part.last_closes, frame.close[49:80])
    np.testing.assert_allclose(part.actual_returns[:, 0], np.diff(np.log(frame.close))[49:80])
    np.testing.assert_allclose(part.actual_returns[3, 4], np.log(frame.close[57] / frame.close[52]))


def test_a_cutoff_before_the_end_of_training_is_a_leak(frame: PriceFrame) -> None:
    with pytest.raises(LeakDetected, match=f"learnt from sessions up to {day(frame, 50)}.*AAPL") as refused:
        rolling_backtest(Witness(trained_until=day(frame, 50)), [frame], day(frame, 50), day(frame, 60))
    assert f"after {day(frame, 50)}" in refused.value.hint
    rolling_backtest(Witness(trained_until=day(frame, 50)), [frame], day(frame, 51), day(frame, 60))


def test_a_trained_network_is_not_judged_on_the_session_it_stopped_on(
    make_frame: MakeFrame, trained_lstm: NetworkForecaster
) -> None:
    seen = trained_lstm.trained_until
    assert seen is not None
    frame = make_frame("AAPL", 300)
    with pytest.raises(LeakDetected, match="The lstm model"):
        rolling_backtest(trained_lstm, [frame], seen, date(2019, 12, 1))
    [part] = rolling_backtest(trained_lstm, [frame], seen + timedelta(days=1), date(2019, 12, 1)).parts
    assert part.forecasts[0].context.cutoff == seen


def test_a_leak_in_the_second_ticker_is_found_too(make_frame: MakeFrame) -> None:
    late, early = make_frame("AAPL", 30), make_frame("IBM", 120)
    witness = Witness(trained_until=day(early, 80))
    with pytest.raises(LeakDetected, match="IBM"):
        rolling_backtest(witness, [late, early], day(early, 40), day(early, 119))


def test_a_ticker_without_sessions_in_the_range_is_skipped(make_frame: MakeFrame, frame: PriceFrame) -> None:
    old = make_frame("IBM", 120, last=date(2010, 12, 30))
    found = rolling_backtest(Witness(), [old, frame], day(frame, 40), day(frame, 60))
    assert [part.ticker for part in found.parts] == ["AAPL"]
    with pytest.raises(InvalidRequest, match="IBM"):
        rolling_backtest(Witness(), [old], day(frame, 40), day(frame, 60))


def test_the_fingerprint_is_that_of_the_question_not_of_the_forecaster(
    make_frame: MakeFrame, frame: PriceFrame
) -> None:
    start, end = day(frame, 40), day(frame, 60)
    ours = rolling_backtest(Witness(), [frame], start, end).fingerprint
    assert rolling_backtest(EwmaForecaster(lookback=10), [frame], start, end).fingerprint == ours
    closes = np.array(frame.close)
    closes[60] += 0.01
    others = [
        rolling_backtest(Witness(), [make_frame("AAPL", closes=closes)], start, end).fingerprint,
        rolling_backtest(Witness(), [make_frame("IBM", closes=frame.close)], start, end).fingerprint,
        rolling_backtest(Witness(), [frame], start, day(frame, 59)).fingerprint,
        rolling_backtest(Witness(), [frame], day(frame, 41), end).fingerprint,
    ]
    assert len({ours, *others}) == 5
