"""The parts of the Monitor page and of the banners that need no page: words, orders, pictures."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from stockcast.monitoring.drift_history import DriftDay
from stockcast.monitoring.evidence import FeatureEvidence
from stockcast.monitoring.findings import DriftReport, Finding, Layer, Severity
from stockcast.monitoring.live_coverage import LiveCoverage
from stockcast.monitoring.miss_cusum import MissCusum
from stockcast.monitoring.record import LiveScores, Promise, RecordPart, SkillPoint
from stockcast.ui.drift_banner import ways_out
from stockcast.ui.drift_charts import drift_strip, measure_strip, range_chart
from stockcast.ui.drift_words import SIGNS, marked_positions, measure_words
from stockcast.ui.monitor_drift import by_gravity, measure_table, newest_cutoffs
from stockcast.ui.monitor_tables import by_attention
from stockcast.ui.track_charts import coverage_chart, cusum_chart, skill_path_chart
from stockcast.ui.track_words import concerns, cusum_words, standing, verdict

DAY = date(2024, 1, 2)


def coverage(promised: float, share: float, low: float, high: float) -> LiveCoverage:
    return LiveCoverage(promised, 232, round(232 * share), share, promised, 150, low, high)


def scores(skill: float = 0.011, p: float = 0.21, held: float = 0.793, sessions: int = 58) -> LiveScores:
    return LiveScores(
        count=4 * sessions,
        sessions=sessions,
        first_session=DAY,
        last_session=DAY + timedelta(days=sessions),
        mape=1.0,
        naive_mape=1.0,
        mape_ratio=1.0,
        crps=1.0,
        naive_crps=1.0,
        skill=skill,
        dm_statistic=0.0,
        p_value=p,
        coverages=(
            coverage(0.8, held, 0.741, 0.852),
            coverage(0.9, 0.9, 0.85, 0.94),
            coverage(0.95, 0.95, 0.92, 0.98),
        ),
    )


PROMISE = Promise(232, 1.0, 0.02, 0.8, 0.9, 0.95)


def finding(layer: Layer, severity: Severity, measure: str, *positions: int) -> Finding:
    return Finding(layer, severity, measure, 2.0, 1.0, f"{measure} <b>told</b>.", positions)


def day(ticker: str, number: int, *found: Finding) -> DriftDay:
    return DriftDay(ticker, DAY + timedelta(days=number), DriftReport(found))


@pytest.mark.parametrize(
    ("made", "found", "sentence"),
    [
        (
            scores(),
            "open",
            "Over 58 sessions and 232 forecasts, 1.10 % better than naive (p = 0.210, cannot be told from luck); "
            "the 80 % interval held 79.3 % (chance allows 74.1 – 85.2 %)",
        ),
        (scores(p=0.01), "good", "1.10 % better than naive (p = 0.010);"),
        (scores(skill=-0.02, p=0.01), "bad", "2.00 % worse than naive (p = 0.010);"),
        (scores(held=0.7, p=0.01), "bad", "the 80 % interval held 70.0 %"),
        (scores(p=0.001, sessions=19), "few", "Too few to tell: 19 sessions and 76 forecasts so far."),
    ],
)
def test_the_verdict_says_no_more_than_the_record_holds(made: LiveScores, found: str, sentence: str) -> None:
    assert standing(made) == found
    assert sentence in verdict(made).replace("\N{NO-BREAK SPACE}", " ")


def test_what_needs_a_look_comes_first_and_what_is_too_short_last() -> None:
    parts = [
        RecordPart("FINE", scores(skill=-0.01)),
        RecordPart("FEW", scores(skill=-0.5, sessions=5)),
        RecordPart("NARROW", scores(skill=0.1, held=0.6)),
        RecordPart("WORSE", scores(skill=-0.2, p=0.001)),
    ]
    assert [part.name for part in by_attention(parts)] == ["WORSE", "NARROW", "FINE", "FEW"]
    told = [concerns(part.scores).replace("\N{NO-BREAK SPACE}", " ") for part in by_attention(parts)]
    assert told == ["worse than naive", "80 % interval too narrow", "", "too few to tell"]


def test_the_first_sessions_of_a_record_do_not_stretch_its_picture() -> None:
    path = [
        SkillPoint(DAY + timedelta(days=at), 4 * (at + 1), -5.0 if at < 3 else 0.01, 0.1 * at) for at in range(40)
    ]
    low, high = skill_path_chart(path, PROMISE).layout.yaxis.range
    assert -3 < low < 0 < 2 < high < 4
    long = [replace(path[-1], session=DAY + timedelta(days=at)) for at in range(5000)]
    drawn = skill_path_chart(long, None).data[0]
    assert len(drawn.x) <= 1000
    assert drawn.x[-1] == str(long[-1].session)


def test_coverage_is_drawn_as_points_from_the_promise_with_its_band() -> None:
    figure = coverage_chart(scores().coverages, PROMISE)
    band, backtest, naive, live = figure.data
    assert band.base[0] == pytest.approx(-5.9)
    assert band.x[0] == pytest.approx(11.1)
    assert live.x[0] == pytest.approx(-0.7)
    assert [backtest.name, naive.x[0]] == ["In the backtest", 0.0]
    assert sum(figure.layout.xaxis.range) == 0
    assert not figure.layout.xaxis.tickformat.endswith("d"), "many forecasts lie within a point of the promise"
    assert len(coverage_chart(scores().coverages, None).data) == 3


def test_the_cusum_shows_its_threshold_and_says_since_when_it_rings() -> None:
    days = tuple(DAY + timedelta(days=at) for at in range(3))
    ringing = MissCusum(days, (0.0, 5.5, 6.0), (0.0, 0.0, 0.0))
    figure = cusum_chart(ringing)
    assert [shape.y0 for shape in figure.layout.shapes] == [5.25]
    assert cusum_words(ringing) == "Alarm: too many misses of the 80 % interval since 2024-01-03."
    assert cusum_words(replace(ringing, too_many=(0.0, 0.0, 0.0))).startswith("No alarm")


def test_drift_over_time_is_told_by_form_and_colour_the_gravest_ticker_first() -> None:
    days = [
        day("AAPL", 0),
        day("AAPL", 1, finding("regime", "info", "volatility")),
        day("IBM", 1, finding("integrity", "red", "jump", 3), finding("shape", "amber", "roughness")),
        day("KO", 0, finding("shape", "amber", "roughness")),
    ]
    cutoffs = newest_cutoffs(days, 60)
    assert by_gravity(days) == ["IBM", "KO", "AAPL"]
    assert newest_cutoffs(days, 1) == [DAY + timedelta(days=1)]
    traces = drift_strip(days, by_gravity(days), cutoffs).data
    assert [(trace.name, list(trace.y)) for trace in traces] == [
        ("healthy", ["AAPL"]),
        ("another regime", ["AAPL"]),
        ("unusual", ["KO"]),
        ("wrong", ["IBM"]),
    ]
    assert len({trace.marker.symbol for trace in traces}) == 4
    assert "<b>told" not in traces[-1].customdata[0]
    assert [trace.y[0] for trace in measure_strip(days[2:3], ["jump", "roughness"], cutoffs).data] == [
        "Roughness",
        "Jump",
    ]
    table = measure_table(days)
    assert table["Rule"].tolist() == ["Jump", "Roughness", "Volatility"]
    assert table["Windows"].tolist() == [1, 2, 1]


def test_a_feature_is_drawn_inside_its_band_exactly_when_it_is() -> None:
    plain = FeatureEvidence("roughness", "Roughness", "share", "…", 0.3, 0.1, 0.2, 0.3, 0.4, 0.5, 0.5)
    made = [
        plain,
        replace(plain, label="Far out", value=40.0),
        replace(plain, label="A little", value=0.51),
        replace(plain, label="One-sided", low=0.0, lower=0.0, median=0.0, value=0.0),
        replace(plain, label="Below all", low=0.2, lower=0.2, median=0.2, value=0.1),
    ]
    *_, inside, outside = range_chart(made).data
    assert set(inside.y) == {"Roughness", "One-sided"}
    assert set(outside.y) == {"Far out", "A little", "Below all"}
    assert all(-1 <= place <= 1 for place in inside.x)
    assert all(1 < abs(place) <= 1.9 for place in outside.x)
    assert "40 share" in outside.customdata[0]


def test_each_offending_close_is_marked_once_with_its_worst() -> None:
    report = DriftReport(
        (finding("shape", "amber", "largest_move", 7, 9), finding("integrity", "red", "split_or_unit", 7))
    )
    assert marked_positions(report) == {
        7: ("red", "Split or unit error, Largest move"),
        9: ("amber", "Largest move"),
    }
    assert measure_words("something_new") == "Something new"
    assert len({sign.symbol for sign in SIGNS.values()}) == len(SIGNS)


@pytest.mark.parametrize(
    ("found", "pages"),
    [
        ([finding("integrity", "red", "jump"), finding("regime", "info", "volatility")], ["pages/data.py"]),
        (
            [finding("shape", "amber", "roughness"), finding("regime", "info", "volatility")],
            ["pages/data.py", "pages/train.py"],
        ),
        ([finding("regime", "info", "volatility")], ["pages/train.py"]),
        ([], []),
    ],
)
def test_the_way_out_fits_what_was_found(found: list[Finding], pages: list[str]) -> None:
    assert [way.page for way in ways_out(DriftReport(tuple(found)))] == pages
