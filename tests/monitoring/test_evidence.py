from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stockcast.forecasting.returns import log_returns
from stockcast.monitoring.drift import window_at_end
from stockcast.monitoring.drift_reference import DriftReference
from stockcast.monitoring.evidence import volatility_level, window_evidence
from stockcast.monitoring.window_features import FEATURES
from stockcast.prices.frame import PriceFrame
from stockcast.prices.window import PriceWindow


@pytest.fixture(scope="module")
def history(make_frame) -> PriceFrame:
    return make_frame(seed=5, count=1200)


@pytest.fixture(scope="module")
def reference(history) -> DriftReference:
    return DriftReference.fit([history.rows(0, 1000)], 60)


def test_every_feature_stands_beside_its_training_windows_in_order(history, reference) -> None:
    evidence = window_evidence(window_at_end(history, 60), reference)
    assert [one.name for one in evidence] == ["volatility", "volatility_swing", *(one.name for one in FEATURES)]
    for one in evidence:
        assert one.low <= one.lower <= one.median <= one.upper <= one.high
        assert 0 <= one.share <= 1
        assert one.label
        assert one.unit
        assert one.explanation.endswith(".")
    assert sum(one.inside for one in evidence) >= 6


def test_the_volatility_is_in_percent_a_day_and_of_the_ticker(history, reference) -> None:
    window = window_at_end(history, 60)
    volatility = window_evidence(window, reference)[0]
    mean = np.abs(log_returns(window.closes)).mean()
    assert volatility.value == pytest.approx(100 * mean * np.sqrt(np.pi / 2))
    assert "of AAPL" in volatility.explanation
    assert "all tickers" in window_evidence(PriceWindow(window.closes), reference)[0].explanation


def test_a_wrong_close_is_seen_where_it_stands_even_in_a_longer_window(history, reference) -> None:
    window = window_at_end(history, 70)
    closes = window.closes.copy()
    closes[40] *= 1.4
    evidence = {one.name: one for one in window_evidence(replace(window, closes=closes), reference)}
    assert evidence["move_and_back"].positions == (40,)
    assert evidence["move_and_back"].share == 1
    assert not evidence["move_and_back"].inside
    assert evidence["largest_move"].positions[0] in (40, 41)


@pytest.mark.parametrize("broken", [np.nan, 0.0, -1.0], ids=str)
def test_closes_that_are_no_prices_have_no_evidence(history, reference, broken: float) -> None:
    window = window_at_end(history, 60)
    closes = window.closes.copy()
    closes[7] = broken
    assert window_evidence(PriceWindow(closes), reference) == ()
    assert volatility_level(PriceWindow(closes), reference) is None
    assert window_evidence(PriceWindow(window.closes[1:]), reference) == ()


def test_without_a_shape_in_the_reference_there_is_the_regime_alone(history, reference) -> None:
    evidence = window_evidence(window_at_end(history, 60), replace(reference, shape=None))
    assert [one.name for one in evidence] == ["volatility", "volatility_swing"]


def test_a_window_that_stood_still_shows_what_it_has(reference) -> None:
    names = [one.name for one in window_evidence(PriceWindow(np.full(60, 7.0)), reference)]
    assert names == ["volatility", "repeated_closes"]


def test_the_level_of_volatility_is_told_in_one_line(history, reference) -> None:
    window = window_at_end(history, 60)
    level = volatility_level(window, reference)
    assert level is not None
    multiple, rank = f"{level.multiple:.2g}", int(100 * level.share)
    assert level.sentence == f"{multiple}x the training median of AAPL, higher than in {rank} % of its windows"
    assert 0.5 < level.multiple < 2
