from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.config import DriftConfig
from stockcast.errors import InvalidWindow
from stockcast.monitoring.findings import Finding
from stockcast.monitoring.integrity import check_integrity
from stockcast.prices.frame import PriceFrame
from stockcast.prices.window import PriceWindow

TODAY = date(2024, 6, 28)
Edit = Callable[[np.ndarray, np.ndarray], object]


def faults(
    window: PriceWindow, stored: PriceFrame | None = None, config: DriftConfig | None = None
) -> list[Finding]:
    return check_integrity(window, config or DriftConfig(), today=TODAY, stored=stored)[0]


def edited(window: PriceWindow, edit: Edit) -> PriceWindow:
    """A copy whose closes and dates `edit` changes in place, or returns anew."""
    closes, days = window.closes.copy(), window.sessions.copy()
    changed = edit(closes, days)
    closes, days = changed if isinstance(changed, tuple) else (closes, days)
    return replace(window, closes=closes, sessions=days)


def set_close(row: int, value: float) -> Edit:
    return lambda closes, days: closes.__setitem__(row, value)


def scale_from(row: int, factor: float) -> Edit:
    return lambda closes, days: closes.__setitem__(slice(row, None), closes[row:] * factor)


def scale_one(row: int, factor: float) -> Edit:
    return lambda closes, days: closes.__setitem__(row, closes[row] * factor)


def set_day(row: int, day: str) -> Edit:
    return lambda closes, days: days.__setitem__(row, np.datetime64(day))


def drop(*rows: int) -> Edit:
    return lambda closes, days: (np.delete(closes, rows), np.delete(days, rows))


def turn_round(closes: np.ndarray, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return closes[::-1], days[::-1]


def swap_days(one: int, other: int) -> Edit:
    return lambda closes, days: days.__setitem__([one, other], days[[other, one]])


def repeat_day(row: int) -> Edit:
    return lambda closes, days: days.__setitem__(row, days[row - 1])


def stand_still(start: int, stop: int) -> Edit:
    return lambda closes, days: closes.__setitem__(slice(start, stop), closes[start])


FAULTS = [
    pytest.param(set_close(30, np.nan), "not_finite", "red", (30,), id="a missing close"),
    pytest.param(set_close(0, np.inf), "not_finite", "red", (0,), id="an infinite close"),
    pytest.param(set_close(59, 0.0), "not_positive", "red", (59,), id="a close of zero"),
    pytest.param(set_close(59, -0.0), "not_positive", "red", (59,), id="a close of minus zero"),
    pytest.param(set_close(30, -12.5), "not_positive", "red", (30,), id="a negative close"),
    pytest.param(set_day(30, "NaT"), "unreadable_dates", "red", (30,), id="an unreadable date"),
    pytest.param(turn_round, "unsorted_dates", "red", tuple(range(1, 60)), id="newest first"),
    pytest.param(swap_days(20, 21), "unsorted_dates", "red", (21,), id="two dates swapped"),
    pytest.param(repeat_day(20), "duplicate_dates", "red", (20,), id="a date twice"),
    pytest.param(set_day(59, "2025-06-30"), "future_dates", "red", (59,), id="a date in the future"),
    pytest.param(drop(30), "missing_sessions", "amber", (30,), id="one session missing"),
    pytest.param(drop(10, 20, 30), "missing_sessions", "red", (10, 19, 28), id="three sessions missing"),
    pytest.param(set_day(58, "2024-06-23"), "closed_dates", "amber", (58,), id="a Sunday"),
    pytest.param(stand_still(10, 14), "identical_closes", "red", (10, 11, 12, 13), id="four identical closes"),
    pytest.param(scale_from(30, 0.498), "split_or_unit", "red", (30,), id="a plain fall of 50.2 %"),
    pytest.param(scale_from(30, 1 / 3), "split_or_unit", "red", (30,), id="a 3:1 split"),
    pytest.param(scale_from(30, 2), "split_or_unit", "red", (30,), id="a 1:2 reverse split"),
    pytest.param(scale_from(30, 0.1), "split_or_unit", "red", (30,), id="a 10:1 split"),
    pytest.param(scale_from(30, 1000), "split_or_unit", "red", (30,), id="units of a thousand"),
    pytest.param(scale_one(30, 100), "split_or_unit", "red", (30,), id="one close in cents"),
    pytest.param(scale_one(59, 0.01), "split_or_unit", "red", (59,), id="the last close in hundreds"),
    pytest.param(scale_from(30, 0.6), "jump", "red", (30,), id="a fall of 40 %"),
    pytest.param(scale_from(30, 0.7), "jump", "amber", (30,), id="a fall of 30 %"),
    pytest.param(scale_from(30, 1.3), "jump", "amber", (30,), id="a rise of 30 %"),
    pytest.param(scale_one(30, 1.3), "jump", "amber", (30,), id="one close 30 % too high"),
    pytest.param(scale_one(30, 1.6), "jump", "red", (30,), id="one close 60 % too high"),
    pytest.param(set_close(30, 1e308), "jump", "red", (30,), id="an absurd close"),
    pytest.param(set_close(30, 1e-320), "jump", "red", (30,), id="a denormal close"),
]


@pytest.mark.parametrize(("edit", "measure", "severity", "positions"), FAULTS)
def test_every_fault_is_caught_where_it_stands(make_window, edit, measure, severity, positions) -> None:
    found = {finding.measure: finding for finding in faults(edited(make_window(), edit))}
    assert measure in found
    assert (found[measure].severity, found[measure].positions) == (severity, positions)
    assert found[measure].sentence.endswith(".")
    assert np.isfinite([found[measure].value, found[measure].threshold]).all()


def test_a_split_is_told_with_its_size_and_its_date(make_window) -> None:
    window = make_window()
    closes = window.closes.copy()
    closes[30:] *= 0.498 * closes[29] / closes[30]
    (finding,) = faults(replace(window, closes=closes))
    assert finding.sentence == (
        f"Close fell 50.2 % on {window.sessions[30]}: this looks like a 2:1 split that was not adjusted."
    )


@pytest.mark.parametrize("daily", [0.01, 0.03, 0.06])
def test_an_ordinary_crash_of_35_percent_is_never_called_a_split(make_window, daily: float) -> None:
    for seed in range(20):
        closes = make_window(seed=seed, daily=daily).closes.copy()
        closes[30:] *= 0.65 * closes[29] / closes[30]
        assert "split_or_unit" not in {finding.measure for finding in faults(PriceWindow(closes))}


def test_heavy_tailed_but_healthy_windows_are_not_accused(make_window) -> None:
    window, moves = make_window(), np.random.default_rng(4).standard_t(5, (250, 60)) / np.sqrt(5 / 3)
    found = [
        finding
        for daily in (0.008, 0.02, 0.04)
        for closes in 30 * np.exp(np.cumsum(daily * moves, axis=1))
        for finding in faults(replace(window, closes=closes))
    ]
    assert [finding for finding in found if finding.severity == "red"] == []
    assert len(found) <= 0.02 * 750


@given(seed=st.integers(0, 10**6), factor=st.floats(1e-6, 1e6), row=st.integers(1, 59), broken=st.booleans())
def test_another_unit_of_all_closes_changes_nothing(make_window, seed, factor, row, broken) -> None:
    window = make_window(seed=seed % 50)
    closes = window.closes.copy()
    if broken:
        closes[row:] *= 0.498
    before = faults(replace(window, closes=closes))
    after = faults(replace(window, closes=closes * factor))
    assert [(finding.measure, finding.positions, finding.sentence) for finding in before] == [
        (finding.measure, finding.positions, finding.sentence) for finding in after
    ]


@given(
    st.lists(st.floats() | st.sampled_from([1e308, 1e-320, -0.0]), max_size=70).map(np.array),
    st.sampled_from([None, "AAPL", "12!!", "A.ZZ"]),
)
def test_no_closes_however_absurd_break_the_check(closes: np.ndarray, ticker: str | None) -> None:
    for finding in faults(PriceWindow(closes.astype(float), None, ticker)):
        assert np.isfinite([finding.value, finding.threshold]).all()
        assert all(0 <= position < len(closes) for position in finding.positions)


@given(st.lists(st.floats() | st.sampled_from([1e308, 1e-320, -0.0]), min_size=60, max_size=60).map(np.array))
def test_no_closes_however_absurd_break_the_comparison_with_the_stored_ones(
    make_frame, make_window, closes
) -> None:
    for finding in faults(replace(make_window(), closes=closes), make_frame(count=200)):
        assert np.isfinite([finding.value, finding.threshold]).all()


@given(st.lists(st.dates(date(1960, 1, 1), date(2040, 1, 1)) | st.none(), min_size=1, max_size=20))
def test_no_dates_however_absurd_break_the_check(days: list[date | None]) -> None:
    sessions = np.array(days, dtype="datetime64[D]")
    for finding in faults(PriceWindow(np.arange(1.0, 1 + len(days)), sessions, "AAPL")):
        assert all(0 <= position < len(days) for position in finding.positions)


def test_a_window_of_nothing_but_rubbish_does_not_excuse_itself() -> None:
    assert "jump" in {finding.measure for finding in faults(PriceWindow(np.tile([1e308, 1e-300], 30)))}


def test_what_cannot_be_checked_is_said(make_window) -> None:
    bare = PriceWindow(make_window().closes)
    found, unchecked = check_integrity(bare, DriftConfig(), today=TODAY, stored=None)
    assert found == []
    assert any("dates" in sentence for sentence in unchecked)
    assert any("stored history" in sentence for sentence in unchecked)
    for ticker, told in ((None, "No ticker"), ("VALE.ZZ", ".ZZ")):
        window = replace(make_window(), ticker=ticker)
        _, unchecked = check_integrity(window, DriftConfig(), today=TODAY, stored=None)
        assert any(told in sentence for sentence in unchecked)


def test_a_date_too_few_is_refused_with_a_hint(make_window) -> None:
    window = make_window()
    with pytest.raises(InvalidWindow, match="60 closes and 59 dates") as refused:
        faults(replace(window, sessions=window.sessions[1:]))
    assert "one date for each close" in refused.value.hint


def test_the_limits_are_the_analysts(make_window) -> None:
    window = edited(make_window(), scale_from(30, 0.6))
    assert faults(window, config=DriftConfig(jump=1.0, jump_sigmas=100.0, jump_amber=1.0)) == []


def test_a_window_that_agrees_with_the_stored_history_is_left_alone(make_frame, make_window) -> None:
    found, unchecked = check_integrity(make_window(), DriftConfig(), today=TODAY, stored=make_frame(count=60))
    assert (found, unchecked) == ([], [])


def test_a_restated_level_is_no_disagreement_because_returns_are_compared(make_frame, make_window) -> None:
    window = make_window()
    assert faults(replace(window, closes=window.closes * 1.2), make_frame(count=60)) == []


def test_another_unit_than_the_stored_one_is_amber_while_returns_agree(make_frame, make_window) -> None:
    window = make_window()
    (finding,) = faults(replace(window, closes=window.closes * 100), make_frame(count=60))
    assert (finding.measure, finding.severity, finding.positions) == ("last_close", "amber", (59,))


def test_a_wrong_price_disagrees_with_the_stored_history(make_frame, make_window) -> None:
    (finding,) = faults(edited(make_window(), scale_from(30, 0.85)), make_frame(count=60))
    assert (finding.measure, finding.severity, finding.positions) == ("returns_disagree", "red", (30,))
    assert str(make_window().sessions[30]) in finding.sentence


def test_a_dividend_that_one_side_adjusts_for_is_amber(make_frame, make_window) -> None:
    (finding,) = faults(edited(make_window(), scale_from(30, 0.95)), make_frame(count=60))
    assert (finding.measure, finding.severity) == ("returns_disagree", "amber")


@pytest.mark.parametrize("other", [{"seed": 2}, {"seed": 2, "daily": 0.03}])
def test_the_prices_of_another_ticker_are_unlike_the_stored_ones(make_frame, make_window, other) -> None:
    assert "unlike_history" in {finding.measure for finding in faults(make_window(**other), make_frame(count=60))}


def test_prices_shifted_by_one_session_are_unlike_the_stored_ones(make_frame) -> None:
    frame = make_frame(count=61)
    shifted = PriceWindow(frame.close[:-1], frame.sessions[1:], "AAPL")
    assert "unlike_history" in {finding.measure for finding in faults(shifted, frame)}


def test_an_undated_window_far_from_the_last_stored_close_is_red(make_frame, make_window) -> None:
    closes = make_window().closes
    (finding,) = faults(PriceWindow(closes * 3, None, "AAPL"), make_frame(count=60))
    assert (finding.measure, finding.severity) == ("last_close", "red")
    assert faults(PriceWindow(closes * 1.2, None, "AAPL"), make_frame(count=60)) == []


def test_a_large_move_may_be_news_and_a_larger_one_hardly(make_window) -> None:
    window = make_window()
    (amber,) = faults(edited(window, scale_from(30, 0.75)))
    (red,) = faults(edited(window, scale_from(30, 0.6)))
    assert amber.sentence.endswith(
        "times the usual move of this window: check this price, or read that day's news."
    )
    assert red.sentence.endswith("times the usual move of this window: check this price.")
    assert amber.threshold < amber.value < red.threshold < red.value


def test_the_levels_of_a_jump_are_those_of_the_config(make_window) -> None:
    window = edited(make_window(), scale_from(30, 0.75))
    assert faults(window, config=DriftConfig(jump_amber=0.4)) == []
    assert faults(window, config=DriftConfig(jump_amber_sigmas=100)) == []
    assert faults(window, config=DriftConfig(jump=0.2))[0].severity == "red"


@pytest.mark.parametrize(("others", "severity"), [(0, "red"), (2, "red"), (6, "amber"), (20, "amber")])
def test_a_run_of_equal_closes_is_no_proof_where_closes_often_repeat(
    make_window, others: int, severity: str
) -> None:
    window = edited(make_window(), stand_still(10, 14))
    closes = window.closes.copy()
    for row in range(15, 15 + 2 * others, 2):
        closes[row + 1] = closes[row]
    (finding,) = [found for found in faults(replace(window, closes=closes)) if found.measure == "identical_closes"]
    assert (finding.severity, finding.value) == (severity, 4)


def test_a_feed_that_stands_still_for_long_is_a_fault_of_any_share(make_window) -> None:
    closes = edited(make_window(), stand_still(5, 30)).closes.copy()
    closes[31:59:4] = closes[30:58:4]
    assert faults(PriceWindow(closes))[0].severity == "red"
