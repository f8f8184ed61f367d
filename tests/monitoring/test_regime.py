from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.config import DriftConfig
from stockcast.forecasting.returns import log_returns, to_prices
from stockcast.monitoring.findings import Finding
from stockcast.monitoring.regime import VolatilityReference, check_regime, swing_of

CONFIG = DriftConfig()


@pytest.fixture(scope="module")
def reference(make_frame) -> VolatilityReference:
    quiet = make_frame(seed=1, count=1000, daily=0.01, ticker="QUIET")
    wild = make_frame(seed=2, count=1000, daily=0.04, ticker="WILD")
    young = make_frame(seed=3, count=100, daily=0.02, ticker="YOUNG")
    return VolatilityReference.fit([quiet, wild, young], 60)


def closes_of(daily: float) -> np.ndarray:
    """Sixty closes whose mean absolute log return is that of a normal variable of sd `daily`."""
    return to_prices(30.0, np.resize([0.0, daily * np.sqrt(2 / np.pi)], 60))


def told(
    closes: np.ndarray, ticker: str | None, reference: VolatilityReference, config: DriftConfig, **more: np.ndarray
) -> list[Finding]:
    return check_regime(log_returns(closes), ticker, reference, config, **more)


def test_three_times_the_usual_volatility_is_told_against_the_tickers_own_windows(reference) -> None:
    (finding,) = told(closes_of(0.03), "QUIET", reference, CONFIG)
    assert (finding.layer, finding.severity, finding.measure) == ("regime", "info", "volatility")
    assert finding.value > finding.threshold > 1
    assert finding.sentence.startswith("Volatility is 3")
    assert "the training median of QUIET, higher than in all of the training windows" in finding.sentence
    assert "intervals are wider" in finding.sentence


def test_a_third_of_the_usual_volatility_is_told_as_calm(reference) -> None:
    (finding,) = told(closes_of(0.013), "WILD", reference, CONFIG)
    assert finding.value < finding.threshold < 1
    assert "lower than in all" in finding.sentence
    assert "narrower" in finding.sentence


def test_the_usual_volatility_is_not_told(reference) -> None:
    assert told(closes_of(0.01), "QUIET", reference, CONFIG) == []


@pytest.mark.parametrize("ticker", [None, "YOUNG", "NEVER"])
def test_a_ticker_without_windows_enough_is_held_against_all_tickers(reference, ticker) -> None:
    assert told(closes_of(0.025), ticker, reference, CONFIG) == []
    (finding,) = told(closes_of(0.12), ticker, reference, CONFIG)
    assert "all tickers" in finding.sentence


def test_a_jump_in_volatility_is_told_though_training_saw_worse(reference) -> None:
    before = np.resize(closes_of(0.013), reference.sessions_before + 1)
    found = told(closes_of(0.039), "WILD", reference, CONFIG, before=before)
    (finding,) = found
    assert finding.measure == "volatility_change"
    assert finding.value == pytest.approx(3, rel=0.01)
    assert "that of the 120 sessions before" in finding.sentence


def test_a_share_that_did_not_trade_before_gives_no_change_to_tell(reference) -> None:
    flat = np.full(reference.sessions_before + 1, 30.0)
    assert told(closes_of(0.04), "WILD", reference, CONFIG, before=flat) == []


def test_the_percentile_of_the_config_decides(reference, make_frame) -> None:
    frame = make_frame(seed=1, count=1000, daily=0.01, ticker="QUIET")
    windows = [frame.close[end - 60 : end] for end in range(60, 1000, 5)]

    def count_told(percentile: float) -> int:
        config = DriftConfig(regime_percentile=percentile, regime_ratio=20)
        return sum(bool(told(closes, "QUIET", reference, config)) for closes in windows)

    assert count_told(0.99) <= 9 < 60 < count_told(0.8)


@given(st.floats(1e-3, 1e3))
def test_another_unit_changes_nothing(reference, factor: float) -> None:
    closes = closes_of(0.03)
    (before,) = told(closes, "QUIET", reference, CONFIG)
    (after,) = told(closes * factor, "QUIET", reference, CONFIG)
    assert after.value == pytest.approx(before.value)


def test_histories_too_short_for_a_change_give_a_reference_without_it(make_frame) -> None:
    reference = VolatilityReference.fit([make_frame(count=100)], 60)
    assert reference.change is None
    assert reference.by_ticker == {}


def test_flat_histories_give_a_reference_that_tells_nothing(make_frame) -> None:
    frame = make_frame(count=600)
    flat = VolatilityReference.fit([replace(frame, close=np.full(600, 7.0))], 60)
    assert told(closes_of(0.03), "AAPL", flat, CONFIG) == []


def calm_end(make_frame, ticker: str = "CALM") -> VolatilityReference:
    """Training that was wild for three years and calm in the last one."""
    wild, calm = (
        make_frame(seed=seed, count=n, daily=daily) for seed, n, daily in ((4, 900, 0.04), (5, 260, 0.01))
    )
    closes = np.concatenate([wild.close, wild.close[-1] * calm.close[1:] / calm.close[0]])
    frame = make_frame(seed=4, count=len(closes), ticker=ticker)
    return VolatilityReference.fit([replace(frame, close=closes)], 60)


def test_what_training_knew_long_ago_is_told_when_its_last_year_was_calmer(make_frame) -> None:
    reference = calm_end(make_frame)
    (finding,) = told(closes_of(0.025), "CALM", reference, CONFIG)
    assert (finding.measure, finding.threshold) == ("volatility_last_year", CONFIG.regime_ratio)
    assert finding.sentence.startswith("Volatility is 2.")
    assert "of the last year of training of CALM" in finding.sentence


def test_the_sessions_before_are_asked_instead_of_the_last_year_of_training(make_frame) -> None:
    reference = calm_end(make_frame)
    before = np.resize(closes_of(0.025), reference.sessions_before + 1)
    assert told(closes_of(0.025), "CALM", reference, CONFIG, before=before) == []


def test_the_ratio_of_the_config_decides_where_training_is_all_there_is(reference) -> None:
    assert told(closes_of(0.016), "QUIET", reference, CONFIG)
    bold = DriftConfig(regime_ratio=2, regime_percentile=0.999)
    assert (
        told(closes_of(0.01 * reference.by_ticker["QUIET"].grid[-1] / 0.01 * 0.99), "QUIET", reference, bold) == []
    )


def test_a_market_that_grew_wilder_within_the_window_is_told(reference) -> None:
    sizes = np.concatenate([np.full(40, 0.009), np.full(19, 0.03)])
    returns = np.resize([1.0, -1.0], 59) * sizes
    found = {finding.measure: finding for finding in check_regime(returns, None, reference, CONFIG)}
    assert "in the last third of the window is 3.3x that of the rest" in found["volatility_swing"].sentence
    even = np.resize([0.015, -0.015], 59)
    assert "volatility_swing" not in {finding.measure for finding in check_regime(even, None, reference, CONFIG)}


def test_a_window_that_stood_still_but_for_its_end_has_no_swing() -> None:
    assert swing_of(np.concatenate([np.zeros(40), np.full(19, 0.01)])) is None
