"""The Scorecard: figures that add up, beside the naive ones, on one question only."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pytest
from scipy import stats

from stockcast.errors import CorruptBundle, UnlikeFingerprints
from stockcast.evaluation.rolling import Backtest, rolling_backtest
from stockcast.evaluation.scorecard import Scorecard, compare, score
from stockcast.forecasting.context import Context
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.forecaster import ForecasterState
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.quantiles import LEVELS, QuantileForecast
from stockcast.prices.frame import PriceFrame

MakeFrame = Callable[..., PriceFrame]
START, END = date(2018, 1, 2), date(2019, 12, 30)


@dataclass(frozen=True)
class Fixed:
    """The same normal distribution every day."""

    scale: float
    mean: float = 0.0
    kind: str = "fixed"
    lookback: int = 60
    history: int = 60
    horizon: int = 1
    trained_until: date | None = None
    adaptation: float = 0.0

    def forecast(self, contexts: Sequence[Context]) -> list[QuantileForecast]:
        row = stats.norm.ppf(LEVELS, self.mean, self.scale)[None, :]
        return [QuantileForecast(context, self.kind, row) for context in contexts]

    def state(self) -> ForecasterState:
        return ForecasterState(self.kind, {})


def normal_closes(count: int, seed: int) -> np.ndarray:
    return 50 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.02, count)))


@pytest.fixture(scope="module")
def frames(make_frame: MakeFrame) -> list[PriceFrame]:
    return [make_frame("AAPL", 900, seed=1), make_frame("IBM", 700, seed=2), make_frame("CMIG4.SA", 900, seed=3)]


def run(forecaster: object, frames: Sequence[PriceFrame]) -> Backtest:
    return rolling_backtest(forecaster, frames, START, END)  # type: ignore[arg-type]


def test_figures_are_those_written_out_from_the_prices(make_frame: MakeFrame) -> None:
    frame = make_frame("AAPL", 700, seed=1)
    card = score(run(Fixed(0.02, mean=0.001), [frame]), run(NaiveForecaster(), [frame]))
    begin = int(np.searchsorted(frame.sessions, np.datetime64(START)))
    last, actual = frame.close[begin - 1 : -1], frame.close[begin:]
    said = last * np.exp(0.001)
    assert card.count == len(actual)
    assert (card.first_session, card.last_session) == (START, END)
    assert card.currency == "USD"
    assert card.mae == pytest.approx(np.abs(said - actual).mean())
    assert card.naive_mae == pytest.approx(np.abs(last - actual).mean())
    assert card.rmse == pytest.approx(np.sqrt(((said - actual) ** 2).mean()))
    assert card.naive_rmse == pytest.approx(np.sqrt(((last - actual) ** 2).mean()))
    assert card.mape == pytest.approx((np.abs(said - actual) / actual).mean() * 100)
    assert card.naive_mape == pytest.approx((np.abs(last - actual) / actual).mean() * 100)
    assert card.mape_ratio == pytest.approx(card.mape / card.naive_mape)
    assert card.skill == pytest.approx(1 - card.crps / card.naive_crps)
    returns = np.log(actual / last)
    low, high = 0.001 + 0.02 * np.array([stats.norm.ppf(0.1), stats.norm.ppf(0.9)])
    assert card.coverage_80 == pytest.approx(((returns >= low) & (returns <= high)).mean())


def test_the_naive_forecast_beside_itself_has_no_skill(frames: list[PriceFrame]) -> None:
    naive = run(NaiveForecaster(), frames)
    card = score(naive, naive)
    assert (card.skill, card.mape_ratio, card.dm_statistic, card.dm_p_value) == (0.0, 1.0, 0.0, 1.0)


def test_the_true_distribution_is_calibrated_and_beats_a_wrong_one(make_frame: MakeFrame) -> None:
    frames = [
        make_frame(name, closes=normal_closes(1500, seed)) for seed, name in enumerate(("AAPL", "IBM", "KO"))
    ]
    true, wide = (rolling_backtest(Fixed(scale), frames, date(2014, 6, 2), END) for scale in (0.02, 0.04))
    card = score(true, wide)
    assert card.coverage_80 == pytest.approx(0.80, abs=0.02)
    assert card.coverage_95 == pytest.approx(0.95, abs=0.01)
    better, worse = compare(true, wide), compare(wide, true)
    assert better.skill > 0.1 > 0 > worse.skill
    assert better.test.statistic > 5
    assert better.test.p_value < 1e-6
    assert worse.test.statistic == pytest.approx(-better.test.statistic)
    assert (better.opponent, card.dm_statistic) == ("fixed", better.test.statistic)


def test_several_currencies_have_no_common_error_but_one_relative_error(frames: list[PriceFrame]) -> None:
    card = score(run(EwmaForecaster(), frames), run(NaiveForecaster(), frames))
    assert card.currency is None
    assert card.mae is card.naive_mae is card.rmse is card.naive_rmse is None
    assert card.mape > 0
    assert [ticker.currency for ticker in card.tickers] == ["USD", "USD", "BRL"]
    one = score(run(EwmaForecaster(), frames[:2]), run(NaiveForecaster(), frames[:2]))
    assert one.currency == "USD"
    assert one.mae is not None


def test_the_figures_of_the_tickers_add_up(frames: list[PriceFrame]) -> None:
    card = score(run(EwmaForecaster(), frames), run(NaiveForecaster(), frames))
    counts = np.array([ticker.count for ticker in card.tickers])
    assert counts.sum() == card.count
    for name in ("mape", "naive_mape", "crps", "naive_crps", "coverage_80", "naive_coverage_80", "coverage_95"):
        each = np.array([getattr(ticker, name) for ticker in card.tickers])
        assert getattr(card, name) == pytest.approx((each * counts).sum() / card.count), name
    alone = score(run(EwmaForecaster(), frames[:1]), run(NaiveForecaster(), frames[:1]))
    assert alone.tickers[0] == card.tickers[0]
    assert alone.mae == card.tickers[0].mae


def test_tickers_that_move_together_are_one_witness_a_session(make_frame: MakeFrame) -> None:
    one = make_frame("AAPL", 700, seed=1)
    twins = [one, make_frame("IBM", closes=one.close), make_frame("KO", closes=one.close)]
    alone = compare(run(EwmaForecaster(), [one]), run(Fixed(0.02), [one]))
    together = compare(run(EwmaForecaster(), twins), run(Fixed(0.02), twins))
    assert together.skill == pytest.approx(alone.skill)
    assert together.test.p_value == pytest.approx(alone.test.p_value)
    assert together.test.count == alone.test.count


def test_a_scorecard_survives_json(frames: list[PriceFrame]) -> None:
    card = score(run(EwmaForecaster(), frames), run(NaiveForecaster(), frames))
    assert Scorecard.from_json(json.loads(json.dumps(card.to_json()))) == card


def test_backtests_on_unlike_data_are_not_compared(make_frame: MakeFrame, frames: list[PriceFrame]) -> None:
    closes = np.array(frames[0].close)
    closes[-1] *= 1.001
    restated = [make_frame("AAPL", closes=closes), *frames[1:]]
    ours = run(EwmaForecaster(), frames)
    for other in (run(NaiveForecaster(), frames[:2]), run(NaiveForecaster(), restated)):
        with pytest.raises(UnlikeFingerprints, match="ewma and naive were run on different data"):
            compare(ours, other)
        with pytest.raises(UnlikeFingerprints):
            score(ours, other)


def test_prices_that_stand_still_have_a_scorecard(make_frame: MakeFrame) -> None:
    flat = make_frame(closes=np.full(700, 10.0))
    card = score(run(EwmaForecaster(), [flat]), run(NaiveForecaster(), [flat]))
    figures = [value for value in card.to_json().values() if isinstance(value, float)]
    assert np.isfinite(figures).all()
    assert card.mape_ratio == 1.0
    assert card.skill <= 0


def test_a_scorecard_of_another_version_is_refused_in_words() -> None:
    with pytest.raises(CorruptBundle, match="The scorecard cannot be read") as caught:
        Scorecard.from_json({"forecaster": "lstm", "count": 3})
    assert "Train the model again" in caught.value.hint
