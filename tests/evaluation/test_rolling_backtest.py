"""The rolling backtest: every session in the range once, from the bars before it alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stockcast.config import Config
from stockcast.errors import InvalidRequest, LeakDetected
from stockcast.evaluation.comparison import compare
from stockcast.evaluation.rolling import Backtest, rolling_backtest
from stockcast.evaluation.scorecard import score
from stockcast.evaluation.split import split_dates, training_pairs
from stockcast.forecasting.conformal import CENTRAL, WARM_UP
from stockcast.forecasting.context import Context, context_at_end
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.forecaster import Forecaster, ForecasterState, Group
from stockcast.forecasting.linear import LinearEstimator
from stockcast.forecasting.market import markets
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.network_forecaster import NetworkForecaster
from stockcast.forecasting.observer import UNWATCHED
from stockcast.forecasting.quantiles import LEVELS, MEDIAN, QuantileForecast
from stockcast.forecasting.recalibrated import RecalibratedForecaster, recalibrate
from stockcast.prices.frame import PriceFrame

MakeFrame = Callable[..., PriceFrame]
TrainLstm = Callable[..., NetworkForecaster]
ADAPTING = replace(EwmaForecaster(), adaptation=0.05)


@dataclass
class Witness:
    """Forecasts nothing in particular and remembers every context that it was shown."""

    trained_until: date | None = None
    lookback: int = 10
    history: int = 12
    horizon: int = 3
    kind: str = "witness"
    groups: tuple[Group, ...] = ()
    adaptation: float = 0.0

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


def test_a_forecaster_is_shown_the_market_of_its_ticker_on_the_day(
    market_frames: tuple[PriceFrame, ...], make_bars: MakeFrame
) -> None:
    tokyo = make_bars("7203.T", 620, seed=3)
    known = markets(market_frames)
    witness = Witness()
    rolling_backtest(witness, [market_frames[0], tokyo], date(2019, 6, 3), date(2019, 6, 20), known)
    assert {context.ticker for context in witness.seen} == {"AAPL", "7203.T"}
    for context in witness.seen:
        if context.ticker == "7203.T":
            assert context.market is None, "there is none of its exchange"
            continue
        row = int(np.searchsorted(market_frames[0].sessions, np.datetime64(context.cutoff, "D")))
        assert context.market is not None
        assert context.bars is not None
        np.testing.assert_array_equal(context.market, known["XNYS"].values[row - 11 : row + 1])
        np.testing.assert_array_equal(context.bars.high, market_frames[0].high[row - 11 : row + 1])
    rolling_backtest(witness := Witness(), market_frames[:1], date(2019, 6, 3), date(2019, 6, 20))
    assert all(context.market is None for context in witness.seen)


@pytest.fixture(scope="module")
def long(make_frame: MakeFrame) -> PriceFrame:
    return make_frame("AAPL", 600, seed=8)


def quantiles_by_cutoff(backtest: Backtest) -> dict[date | None, np.ndarray]:
    return {forecast.context.cutoff: forecast.log_returns for forecast in backtest.parts[0].forecasts}


@settings(max_examples=12)
@given(row=st.integers(420, 540), factor=st.floats(0.2, 5.0))
def test_what_an_adapting_forecaster_says_depends_on_nothing_that_came_later(
    long: PriceFrame, row: int, factor: float
) -> None:
    closes = np.array(long.close)
    closes[row + 1 :] *= factor ** np.arange(1, len(closes) - row)
    other = replace(long, close=np.clip(closes, 1e-6, 1e9))
    before, after = (
        quantiles_by_cutoff(rolling_backtest(ADAPTING, [frame], day(long, 421), day(long, 560)))
        for frame in (long, other)
    )
    known = [cutoff for cutoff in before if cutoff is not None and cutoff <= day(long, row)]
    assert known
    for cutoff in known:
        np.testing.assert_array_equal(after[cutoff], before[cutoff])


def test_a_truncated_history_gives_the_same_adapted_forecasts(long: PriceFrame) -> None:
    whole = quantiles_by_cutoff(rolling_backtest(ADAPTING, [long], day(long, 421), day(long, 560)))
    cut = quantiles_by_cutoff(rolling_backtest(ADAPTING, [long.rows(0, 502)], day(long, 421), day(long, 501)))
    assert max(cut) == day(long, 500)  # type: ignore[type-var]
    for cutoff, found in cut.items():
        np.testing.assert_allclose(found, whole[cutoff], rtol=1e-9, atol=1e-12)


def test_adaptation_asks_no_other_question_and_leaves_the_median_alone(long: PriceFrame) -> None:
    plain, adapted = (
        rolling_backtest(each, [long], day(long, 421), day(long, 560)) for each in (EwmaForecaster(), ADAPTING)
    )
    assert adapted.fingerprint == plain.fingerprint
    np.testing.assert_array_equal(adapted.parts[0].actuals, plain.parts[0].actuals)
    ours, theirs = adapted.parts[0].quantile_returns, plain.parts[0].quantile_returns
    np.testing.assert_array_equal(ours[:, :, MEDIAN], theirs[:, :, MEDIAN])
    assert not np.allclose(ours, theirs)
    assert (np.diff(ours, axis=2) >= 0).all()


def test_adaptation_begins_a_warm_up_before_the_first_cutoff_or_where_the_history_does(long: PriceFrame) -> None:
    for start, expected in ((500, 499 - WARM_UP), (100, 9)):
        witness = Witness(adaptation=0.01)
        [part] = rolling_backtest(witness, [long], day(long, start), day(long, start + 5)).parts
        assert len(part.forecasts) == len(part.actuals) == 6
        assert part.sessions(1)[0] == day(long, start)
        assert witness.seen[0].cutoff == day(long, expected)
        assert len(witness.seen) == start + 5 - expected


def test_misses_before_the_backtest_widen_its_first_forecast(long: PriceFrame) -> None:
    narrow = EwmaForecaster(scales=tuple(0.4 * scale for scale in EwmaForecaster().scales))
    first, last = (day(long, row) for row in (500, 505))
    plain = rolling_backtest(narrow, [long], first, last).parts[0].quantile_returns
    adapted = rolling_backtest(replace(narrow, adaptation=0.02), [long], first, last).parts[0].quantile_returns
    assert (np.ptp(adapted, axis=2) > 1.2 * np.ptp(plain, axis=2)).all()


@pytest.mark.parametrize("length", [61, 62, 64, 65, 70])
def test_a_ticker_with_hardly_a_window_is_adapted_to(long: PriceFrame, length: int) -> None:
    young = long.rows(0, length)
    [part] = rolling_backtest(ADAPTING, [young], young.first_session, young.last_session).parts
    assert len(part.forecasts) == length - 60


def test_a_cutoff_before_the_end_of_calibration_is_a_leak(make_frame: MakeFrame, small_config: Config) -> None:
    frames = [make_frame("AAPL", 700, seed=1), make_frame("IBM", 700, seed=2)]
    split = split_dates(frames, small_config)
    pairs, _ = training_pairs(frames, split, small_config)
    calibrated = recalibrate(EwmaForecaster(), pairs, 0.01)
    with pytest.raises(LeakDetected, match=f"learnt from sessions up to {split.validation_end}"):
        rolling_backtest(calibrated, frames, split.validation_end, split.test_end)
    [part, _] = rolling_backtest(calibrated, frames, split.test_start, split.test_end).parts
    assert part.sessions(1)[0] == split.test_start


def test_recalibrated_and_adapted_intervals_keep_their_promise_better_than_wrong_ones(
    make_frame: MakeFrame, small_config: Config
) -> None:
    frames = [make_frame(name, 900, seed=70 + number) for number, name in enumerate(("AAPL", "IBM", "KO"))]
    split = split_dates(frames, small_config)
    pairs, _ = training_pairs(frames, split, small_config)
    narrow = EwmaForecaster(scales=tuple(0.6 * scale for scale in EwmaForecaster().scales))
    promised = np.tile(CENTRAL, (5, 1))
    found = {}
    for name, forecaster in (
        ("as it is", RecalibratedForecaster(narrow, promised, 0.0, None)),
        ("recalibrated", recalibrate(narrow, pairs, 0.0)),
        ("both", recalibrate(narrow, pairs, 0.02)),
    ):
        judged, naive = (
            rolling_backtest(each, frames, split.test_start, split.test_end)
            for each in (forecaster, NaiveForecaster())
        )
        found[name] = abs(score(judged, naive).coverage_80 - 0.8)
    assert found["as it is"] > 0.12
    assert found["recalibrated"] < 0.75 * found["as it is"]
    assert found["both"] < 0.03


def test_returns_in_a_shuffled_order_teach_nothing(
    make_frame: MakeFrame, make_bars: MakeFrame, small_config: Config, train_lstm: TrainLstm
) -> None:
    """A label that leaked into what a model reads would show as skill where nothing can be known."""
    frames = []
    for number, name in enumerate(("AAPL", "IBM", "KO", "MSFT", "PEP")):
        returns = np.diff(np.log(make_frame(name, 1000, seed=90 + number).close))
        shuffled = np.random.default_rng(number).permutation(returns)
        frames.append(make_bars(name, closes=50 * np.exp(np.cumsum(shuffled)), seed=90 + number))
    split = split_dates(frames, small_config)
    pairs, _ = training_pairs(frames, split, small_config)
    known = markets(frames)
    config = small_config.with_overrides(["training.max_epochs=5", "training.learning_rate=0.01"])

    def judged(forecaster: Forecaster) -> Backtest:
        return rolling_backtest(forecaster, frames, split.test_start, split.test_end, known)

    naive = judged(NaiveForecaster())
    learnt: list[Forecaster] = [LinearEstimator().fit(pairs, UNWATCHED), train_lstm(config, pairs)]
    for forecaster in (*learnt, *(recalibrate(each, pairs, 0.005) for each in learnt)):
        assert forecaster.groups == ("range", "market")
        found = judged(forecaster)
        assert abs(compare(found, naive).skill) < 0.01, "against a scale that never changes"
        # The EWMA believes the latest returns, which say nothing here; to believe them less is no clairvoyance.
        assert -0.005 < compare(found, judged(EwmaForecaster())).skill < 0.02
        assert score(found, naive).mape_ratio == pytest.approx(1.0, abs=1e-3)
