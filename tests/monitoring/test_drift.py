from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from stockcast.config import DriftConfig
from stockcast.errors import TooShortHistory
from stockcast.forecasting.returns import log_returns, to_prices
from stockcast.monitoring.drift import NO_REFERENCE, check_window, window_at_end
from stockcast.monitoring.drift_reference import DriftReference
from stockcast.monitoring.findings import DriftReport
from stockcast.prices.frame import PriceFrame
from stockcast.prices.window import PriceWindow

TODAY = date(2024, 6, 28)


@pytest.fixture(scope="module")
def history(make_frame) -> PriceFrame:
    return make_frame(seed=6, count=1000)


@pytest.fixture(scope="module")
def reference(history) -> DriftReference:
    return DriftReference.fit([history.rows(0, 800)], 60)


def check(window: PriceWindow, reference: DriftReference | None, stored: PriceFrame | None) -> DriftReport:
    return check_window(window, reference, DriftConfig(), today=TODAY, stored=stored)


def wilder(window: PriceWindow, factor: float) -> PriceWindow:
    path = factor * np.concatenate(([0.0], np.cumsum(log_returns(window.closes))))
    return replace(window, closes=to_prices(float(window.closes[0]), path))


def test_the_end_of_a_healthy_history_is_healthy_and_all_of_it_was_checked(history, reference) -> None:
    report = check(window_at_end(history, 60), reference, history)
    assert report == DriftReport((), ())
    assert report.severity == "healthy"


def test_volatility_times_three_is_information_and_no_warning(history, reference) -> None:
    report = check(wilder(window_at_end(history, 60), 3), reference, history.rows(0, 940))
    assert {finding.measure for finding in report.findings} == {"volatility", "volatility_change"}
    assert (report.severity, report.warning, report.unchecked) == (
        "info",
        False,
        ("The window shares no two sessions with the stored history: returns were not compared.",),
    )


def test_the_regime_is_not_read_from_returns_that_cannot_be_trusted(history, reference) -> None:
    window = window_at_end(history, 60)
    days = window.sessions.copy()
    days[30] = days[29]
    report = check(replace(wilder(window, 3), sessions=days), reference, None)
    assert {finding.layer for finding in report.findings} == {"integrity"}
    assert [sentence for sentence in report.unchecked if "cannot be trusted" in sentence] == [
        "The returns cannot be trusted: the shape was not checked.",
        "The returns cannot be trusted: the volatility regime was not checked.",
    ]


def test_volatility_is_read_from_the_other_returns_where_a_single_close_is_wrong(history, reference) -> None:
    """A split makes no wild market, and a wild market is told though it has a split in it."""
    window = window_at_end(history, 60)

    def measures(window: PriceWindow) -> set[str]:
        closes = window.closes.copy()
        closes[30:] /= 2
        report = check(replace(window, closes=closes), reference, history.rows(0, 940))
        assert "The returns cannot be trusted: the shape was not checked." in report.unchecked
        return {finding.measure for finding in report.findings}

    assert measures(window) == {"split_or_unit"}
    assert measures(wilder(window, 3)) >= {"split_or_unit", "volatility"}


def test_where_many_closes_are_wrong_no_regime_is_read(history, reference) -> None:
    window = window_at_end(history, 60)
    closes = window.closes.copy()
    closes[::10] *= 100
    report = check(replace(window, closes=closes), reference, None)
    assert any("regime was not checked" in sentence for sentence in report.unchecked)


def test_lost_order_is_a_matter_of_shape_and_counts_from_the_start_of_the_window(history, reference) -> None:
    window = window_at_end(history, 60)
    closes = np.random.default_rng(2).permutation(window.closes)
    (shape,) = [found for found in check(PriceWindow(closes), reference, None).findings if found.layer == "shape"]
    assert (shape.severity, shape.measure) == ("red", "roughness")
    longer = window_at_end(history, 70)
    stopped = longer.closes.copy()
    stopped[41:60:2] = stopped[40:59:2]
    found = {one.measure: one for one in check(PriceWindow(stopped), reference, None).findings}
    assert found["repeated_closes"].positions == tuple(range(41, 60, 2))


def test_a_fault_that_leaves_returns_alone_leaves_the_regime_too(history, reference) -> None:
    window = wilder(window_at_end(history, 60), 3)
    report = check_window(window, reference, DriftConfig(), today=date(2024, 6, 20), stored=None)
    assert {finding.layer for finding in report.findings} == {"integrity", "regime"}
    assert report.severity == "red"


def test_a_model_without_a_reference_is_said_to_have_none(history) -> None:
    report = check(window_at_end(history, 60), None, history)
    assert report.unchecked == (NO_REFERENCE,)


def test_a_window_shorter_than_the_reference_reads_is_not_judged_by_it(history, reference) -> None:
    report = check(window_at_end(history, 30), reference, history)
    assert any("30 closes" in sentence for sentence in report.unchecked)


@pytest.mark.parametrize("stored_rows", [(0, 920), (900, 1000)], ids=["ends long before", "begins too late"])
def test_the_change_is_not_measured_against_sessions_that_are_not_stored(history, reference, stored_rows) -> None:
    report = check(window_at_end(history, 60), reference, history.rows(*stored_rows))
    assert any("120 sessions before" in sentence for sentence in report.unchecked)


def test_a_window_longer_than_the_history_is_refused(make_frame) -> None:
    with pytest.raises(TooShortHistory):
        window_at_end(make_frame(count=59), 60)
