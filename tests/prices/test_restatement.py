from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from price_payloads import NOW, QUESTION, days_until, raw_bars

from stockcast.prices.cleaning import clean_bars
from stockcast.prices.frame import PriceFrame
from stockcast.prices.restatement import compare_overlap, splice

DAYS = days_until("2024-05-15", 60)
CLOSES = 100 * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.02, 60)))


def frame_of(
    start: int, stop: int, factor: float = 1.0, closes: np.ndarray = CLOSES, shares: float = 1.0
) -> PriceFrame:
    volume = np.arange(1000.0, 1060.0)[start:stop] * shares
    rows = raw_bars(DAYS[start:stop], closes[start:stop] * factor, volume=volume)
    return clean_bars(rows, QUESTION, source="test", now=NOW).frame


def test_downloads_of_another_level_agree_because_their_returns_do() -> None:
    overlap = compare_overlap(frame_of(0, 50), frame_of(30, 60, factor=0.97))
    assert overlap.agreed
    assert overlap.sessions == 20
    assert overlap.price_factor == pytest.approx(0.97)
    assert overlap.volume_factor == 1.0


def test_rounding_of_the_vendor_is_no_restatement_and_moves_no_level() -> None:
    rounded = np.round(CLOSES.astype(np.float32).astype(float), 4)
    overlap = compare_overlap(frame_of(0, 50), frame_of(30, 60, closes=rounded))
    assert overlap.agreed
    assert overlap.price_factor == 1.0


def test_a_dividend_told_late_is_found_on_its_day() -> None:
    restated = CLOSES.copy()
    restated[:40] *= 0.99
    overlap = compare_overlap(frame_of(0, 50), frame_of(30, 60, closes=restated))
    assert not overlap.agreed
    assert overlap.first_disagreement == date.fromisoformat(DAYS[40])
    assert overlap.difference == pytest.approx(-np.log(0.99))


def test_a_session_that_only_one_of_both_knows_is_a_disagreement() -> None:
    fetched = frame_of(30, 60)
    without = clean_bars(
        fetched.to_dataframe().reset_index().drop(index=5), QUESTION, source="test", now=NOW
    ).frame
    overlap = compare_overlap(frame_of(0, 50), without)
    assert overlap.first_disagreement == date.fromisoformat(DAYS[35])
    assert overlap.difference is None


@pytest.mark.parametrize("start", [49, 50, 55])
def test_too_small_an_overlap_proves_nothing(start: int) -> None:
    assert not compare_overlap(frame_of(0, 50), frame_of(start, 60)).agreed


def test_a_splice_has_no_seam() -> None:
    stored, fetched = frame_of(0, 50), frame_of(30, 60, factor=0.5, shares=2.0)  # a split since
    joined = splice(stored, fetched, compare_overlap(stored, fetched))
    whole = frame_of(0, 60, factor=0.5, shares=2.0)
    np.testing.assert_array_equal(joined.sessions, whole.sessions)
    for name in ("open", "high", "low", "close", "volume"):
        np.testing.assert_allclose(getattr(joined, name), getattr(whole, name), rtol=1e-12)


def test_histories_that_disagree_are_never_spliced() -> None:
    stored, fetched = frame_of(0, 50), frame_of(55, 60)
    with pytest.raises(ValueError, match="only histories that agree"):
        splice(stored, fetched, compare_overlap(stored, fetched))
