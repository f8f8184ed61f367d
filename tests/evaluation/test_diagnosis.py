"""The Diagnosis: what a backtest says of a model, every figure with its count, its p-value and the naive one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pytest
from scipy import stats

from stockcast.errors import CorruptBundle, UnlikeFingerprints
from stockcast.evaluation.calibration import band
from stockcast.evaluation.diagnose import diagnose, verdict_sentence
from stockcast.evaluation.diagnosis import Diagnosis
from stockcast.evaluation.rolling import Backtest, rolling_backtest
from stockcast.evaluation.scorecard import score
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
    """The same normal distribution every day, wider with the root of the horizon."""

    scale: float
    mean: float = 0.0
    kind: str = "fixed"
    lookback: int = 60
    history: int = 60
    horizon: int = 5
    trained_until: date | None = None
    adaptation: float = 0.0

    def forecast(self, contexts: Sequence[Context]) -> list[QuantileForecast]:
        widths = self.scale * np.sqrt(np.arange(1, self.horizon + 1))[:, None]
        values = self.mean + widths * stats.norm.ppf(LEVELS)[None, :]
        return [QuantileForecast(context, self.kind, values) for context in contexts]

    def state(self) -> ForecasterState:
        return ForecasterState(self.kind, {})


def run(forecaster: object, frames: Sequence[PriceFrame]) -> Backtest:
    return rolling_backtest(forecaster, frames, START, END)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def frames(make_frame: MakeFrame) -> list[PriceFrame]:
    """Closes whose returns are normal with a standard deviation of 2 %."""
    walks = [np.random.default_rng(seed).normal(0, 0.02, 900) for seed in (1, 2, 3)]
    names = ("AAPL", "IBM", "KO")
    return [make_frame(name, closes=50 * np.exp(np.cumsum(walk))) for name, walk in zip(names, walks, strict=True)]


@pytest.fixture(scope="module")
def found(frames: list[PriceFrame]) -> Diagnosis:
    """The true distribution, held against naive and one that is far too wide."""
    wide = run(Fixed(0.05, kind="garch"), frames)
    return diagnose(run(Fixed(0.02), frames), run(NaiveForecaster(), frames), [wide], "lstm v3")


def test_the_verdict_names_what_was_beaten_by_how_much_and_over_how_much(found: Diagnosis) -> None:
    naive, wide = found.duels
    assert (naive.opponent, wide.opponent) == ("naive", "garch")
    assert found.verdict.startswith("lstm v3 beats ")
    assert "GARCH by " in found.verdict
    assert "(p < 0.001)" in found.verdict
    assert f"over {found.scorecard.count:,} forecasts" in found.verdict
    assert f"won against naive on {naive.won} of 3 tickers" in found.verdict
    assert found.verdict.endswith(f"its 80 % interval held {found.scorecard.coverage_80 * 100:.1f} %.")


def test_what_could_be_chance_is_not_called_a_victory(found: Diagnosis) -> None:
    naive, wide = found.duels
    doubtful = replace(naive, skill=0.004, p_value=0.3)
    lost = replace(wide, skill=-0.012, p_value=0.01)
    said = verdict_sentence("lstm v3", found.scorecard, [doubtful, lost])
    assert said.startswith(
        "lstm v3 loses to GARCH by 1.2 % (p = 0.010) and cannot be told from naive (+0.40 %, p = 0.300)"
    )
    assert "beats" not in said


def test_naive_is_not_held_against_itself(frames: list[PriceFrame]) -> None:
    naive = run(NaiveForecaster(), frames)
    found = diagnose(naive, naive, [naive, run(EwmaForecaster(), frames)])
    assert [duel.opponent for duel in found.duels] == ["naive", "ewma"]
    assert found.duels[0].skill == 0
    assert "EWMA" in found.verdict
    assert "from naive" not in found.verdict
    assert "held against nobody but itself" in diagnose(naive, naive).verdict


def test_periods_tickers_and_the_whole_add_up(found: Diagnosis) -> None:
    for duel in found.duels:
        assert sum(period.count for period in duel.periods) == duel.count == found.scorecard.count
        assert sum(ticker.count for ticker in duel.tickers) == duel.count
        assert [period.first_session for period in duel.periods] == sorted(
            period.first_session for period in duel.periods
        )
    naive = found.duels[0]
    assert naive.skill == pytest.approx(found.scorecard.skill)
    # All tickers share their sessions here, so that means per session are those over all forecasts.
    saved = sum(period.advantage for period in naive.periods) / naive.sessions
    assert saved == pytest.approx(found.scorecard.naive_crps - found.scorecard.crps)
    assert naive.periods[0].name == "2018-01"


def test_a_long_backtest_is_told_in_quarters(make_frame: MakeFrame) -> None:
    frame = make_frame(count=1200)
    both = [
        rolling_backtest(each, [frame], date(2016, 1, 4), END) for each in (EwmaForecaster(), NaiveForecaster())
    ]
    names = [period.name for period in diagnose(*both).duels[0].periods]
    assert names[:2] == ["2016 Q1", "2016 Q2"]
    assert names[-1] == "2019 Q4"


def test_the_true_distribution_keeps_its_promises(found: Diagnosis) -> None:
    inside = [point.low <= point.share <= point.high for point in found.calibration]
    assert np.mean(inside) > 0.9
    assert [point.level for point in found.calibration] == LEVELS.tolist()
    assert sum(found.pit.counts) == found.scorecard.count
    assert "the spread was about right" in found.pit.sentence
    assert [row.horizon for row in found.horizons] == [1, 2, 3, 4, 5]
    counts = [row.count for row in found.horizons]
    assert counts == [found.scorecard.count - 3 * ahead for ahead in range(5)], (
        "sessions after the end do not count"
    )
    assert found.horizons[0].coverage_90 == found.scorecard.coverage_90
    assert found.horizons[4].coverage_95 == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize(("scale", "words"), [(0.012, "too narrow"), (0.035, "too wide")])
def test_a_wrong_spread_is_told_in_plain_words(scale: float, words: str, frames: list[PriceFrame]) -> None:
    found = diagnose(run(Fixed(scale), frames), run(NaiveForecaster(), frames))
    assert f"the spread was {words}" in found.pit.sentence


def test_a_median_that_is_too_high_is_told(frames: list[PriceFrame]) -> None:
    found = diagnose(run(Fixed(0.02, mean=0.01), frames), run(NaiveForecaster(), frames))
    assert "it was too high" in found.pit.sentence


def test_each_tickers_sessions_are_cut_into_thirds_by_volatility(make_frame: MakeFrame) -> None:
    frames = [make_frame("AAPL", 700, seed=1), make_frame("IBM", 700, seed=2)]
    found = diagnose(run(Fixed(0.015), frames), run(NaiveForecaster(), frames))
    calm, usual, turbulent = found.regimes
    assert calm.count + usual.count + turbulent.count == found.scorecard.count
    assert max(calm.count, usual.count, turbulent.count) - min(calm.count, usual.count, turbulent.count) <= 4
    assert calm.volatility < usual.volatility < turbulent.volatility
    assert calm.coverage_80 > turbulent.coverage_80, "one spread for every day is too wide on calm days"


def test_the_worst_sessions_are_the_furthest_moves(found: Diagnosis) -> None:
    assert len(found.worst) == 10
    assert [each.crps for each in found.worst] == sorted((each.crps for each in found.worst), reverse=True)
    assert all(not each.low_95 <= each.actual <= each.high_95 for each in found.worst)


def test_a_diagnosis_survives_json(found: Diagnosis) -> None:
    assert Diagnosis.from_json(json.loads(json.dumps(found.to_json()))) == found
    with pytest.raises(CorruptBundle, match="The backtest cannot be read") as caught:
        Diagnosis.from_json({"label": "lstm v3"})
    assert "Run the backtest again" in caught.value.hint


def test_an_opponent_on_other_data_is_refused(frames: list[PriceFrame]) -> None:
    with pytest.raises(UnlikeFingerprints, match="garch were run on different data"):
        diagnose(
            run(Fixed(0.02), frames), run(NaiveForecaster(), frames), [run(Fixed(0.02, kind="garch"), frames[:2])]
        )


def test_a_handful_of_sessions_is_diagnosed_too(make_frame: MakeFrame) -> None:
    frame = make_frame(count=100)
    first = frame.sessions[-2].item()
    both = [
        rolling_backtest(each, [frame], first, frame.last_session)
        for each in (EwmaForecaster(), NaiveForecaster())
    ]
    found = diagnose(*both)
    assert found.scorecard.count == 2
    assert "cannot be told from naive" in found.verdict
    assert len(found.worst) == 2
    assert sum(row.count for row in found.regimes) == 2


def test_the_median_says_where_prices_go_only_where_it_is_not_the_last_close(frames: list[PriceFrame]) -> None:
    naive = run(NaiveForecaster(), frames)
    assert (score(naive, naive).direction, score(naive, naive).direction_count) == (None, 0)
    card = score(run(Fixed(0.02, mean=0.001), frames), naive)
    assert card.direction == pytest.approx(card.up_share), "it always says up"
    assert card.direction_count == card.count


@pytest.mark.parametrize(("probability", "count"), [(0.05, 2000), (0.5, 100), (0.975, 40), (0.025, 5)])
def test_the_band_of_chance_is_that_of_the_binomial_distribution(probability: float, count: int) -> None:
    low, high = band(probability, count)
    assert stats.binom.cdf(high, count, probability) - stats.binom.cdf(low - 1, count, probability) >= 0.95
    assert abs(low - stats.binom.ppf(0.025, count, probability)) <= 1
    assert abs(high - stats.binom.ppf(0.975, count, probability)) <= 1
