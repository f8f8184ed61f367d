from __future__ import annotations

import time
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from stockcast.config import DriftConfig
from stockcast.errors import TooShortHistory
from stockcast.forecasting.returns import log_returns, to_prices
from stockcast.monitoring.drift import check_window, window_at_end
from stockcast.monitoring.findings import DriftReport
from stockcast.monitoring.regime import VolatilityReference
from stockcast.prices.frame import PriceFrame
from stockcast.prices.window import PriceWindow

TODAY = date(2024, 6, 28)


@pytest.fixture(scope="module")
def history(make_frame) -> PriceFrame:
    return make_frame(seed=5, count=1000)


@pytest.fixture(scope="module")
def reference(history) -> VolatilityReference:
    return VolatilityReference.fit([history.rows(0, 800)], 60)


def check(window: PriceWindow, reference: VolatilityReference | None, stored: PriceFrame | None) -> DriftReport:
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
    closes = window_at_end(history, 60).closes.copy()
    closes[30:] /= 2
    report = check(replace(window_at_end(history, 60), closes=closes), reference, None)
    assert {finding.layer for finding in report.findings} == {"integrity"}
    assert any("cannot be trusted" in sentence for sentence in report.unchecked)


def test_a_fault_that_leaves_returns_alone_leaves_the_regime_too(history, reference) -> None:
    window = wilder(window_at_end(history, 60), 3)
    report = check_window(window, reference, DriftConfig(), today=date(2024, 6, 20), stored=None)
    assert {finding.layer for finding in report.findings} == {"integrity", "regime"}
    assert report.severity == "red"


def test_a_model_without_a_reference_is_said_to_have_none(history) -> None:
    report = check(window_at_end(history, 60), None, history)
    assert report.unchecked == ("The model carries no drift reference: the volatility regime was not checked.",)


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


def test_one_check_takes_less_than_two_milliseconds(history, reference) -> None:
    window = window_at_end(history, 60)
    check(window, reference, history)
    seconds = []
    for _ in range(30):
        began = time.perf_counter()
        check(window, reference, history)
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.002
