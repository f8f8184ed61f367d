"""What is listed of a history: each place once, with the session at which it can be looked at."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from price_payloads import NOW, QUESTION, days_until, raw_bars

from stockcast.prices.cleaning import clean_bars
from stockcast.prices.quality import assess_quality, standstills
from stockcast.prices.quality_findings import QualityFinding, list_findings
from stockcast.prices.repairs import MOST_SESSIONS, repair
from stockcast.prices.source import FetchedPrices, PriceReport, Repair

DAYS = days_until("2024-05-15", 120)
CLOSES = 100 * np.exp(np.cumsum(np.random.default_rng(5).normal(0, 0.02, 120)))


def day(at: int) -> date:
    return date.fromisoformat(DAYS[at])


def listed(fetched: FetchedPrices) -> list[QualityFinding]:
    return list(list_findings(fetched.frame, assess_quality(fetched.frame), fetched.report))


def troubled() -> FetchedPrices:
    closes = CLOSES.copy()
    closes[40:] *= 0.5 * closes[39] / closes[40]
    closes[70:] *= 100 * closes[69] / closes[70]
    closes[90:] *= 1.7 * closes[89] / closes[90]
    closes[100:105] = closes[100]
    volume = np.full(120, 1000.0)
    volume[[20, 60]] = 0
    rows = raw_bars(DAYS, closes, volume=volume).drop(index=[10, 11, 12, 30])
    rows.loc[50, "high"] = rows.loc[50, "low"] / 2
    return clean_bars(rows, QUESTION, source="test", now=NOW)


def test_every_kind_is_found_where_it_is() -> None:
    found = {(each.kind, each.first, each.last, each.sessions) for each in listed(troubled())}
    assert found == {
        ("gap", day(10), day(12), 3),
        ("gap", day(30), day(30), 1),
        ("zero_volume", day(20), day(20), 1),
        ("zero_volume", day(60), day(60), 1),
        ("split", day(40), day(40), 1),
        ("unit_error", day(70), day(70), 1),
        ("extreme_move", day(90), day(90), 1),
        ("standstill", day(100), day(104), 5),
        ("repair", day(50), day(50), 1),
    }


def test_the_findings_are_in_the_order_of_time_and_say_what_they_are() -> None:
    found = listed(troubled())
    assert [each.first for each in found] == sorted(each.first for each in found if each.first)
    split = next(each for each in found if each.kind == "split")
    assert split.sentence == "The close moved by -50.0 % in one session: looks like a split."


def test_a_good_history_has_nothing_to_look_at() -> None:
    assert listed(clean_bars(raw_bars(DAYS, CLOSES), QUESTION, source="test", now=NOW)) == []


def test_a_repair_without_a_session_is_listed_once_and_a_passing_one_not_at_all() -> None:
    frame = clean_bars(raw_bars(DAYS, CLOSES), QUESTION, source="test", now=NOW).frame
    repairs = (repair("undated_row", 3, "lines 4, 7 and 9"), repair("unfinished_bar", 1, sessions=[day(1)]))
    [found] = listed(FetchedPrices(frame, PriceReport(120, repairs)))
    assert (found.first, found.sessions) == (None, 3)
    assert "(lines 4, 7 and 9)" in found.sentence


def test_a_report_is_stored_with_its_sessions_and_one_from_before_is_read_without() -> None:
    report = PriceReport(9, (repair("phantom_session", 2, sessions=[day(3), day(1)]),), findings=4)
    assert report.repairs[0].sessions == (day(1), day(3))
    assert PriceReport.from_json(report.to_json()) == report
    old = {"rows_read": 9, "repairs": [{"kind": "unsorted_rows", "count": 2, "sentence": "Two."}]}
    assert PriceReport.from_json(old) == PriceReport(9, (Repair("unsorted_rows", 2, "Two."),))


def test_of_very_many_repairs_the_first_are_kept_and_the_rest_is_counted() -> None:
    days = [date.fromordinal(730_000 + at) for at in range(2 * MOST_SESSIONS)]
    many = repair("phantom_session", len(days), sessions=days)
    assert many.sessions == tuple(days[:MOST_SESSIONS])
    frame = clean_bars(raw_bars(DAYS, CLOSES), QUESTION, source="test", now=NOW).frame
    found = listed(FetchedPrices(frame, PriceReport(1, (many,))))
    assert sum(each.sessions for each in found) == len(days)


@given(st.lists(st.sampled_from([1.0, 2.0]), min_size=1, max_size=40))
def test_runs_of_equal_closes_cover_a_history_once(closes: list[float]) -> None:
    runs = standstills(np.array(closes))
    rows = [row for first, last in runs for row in range(first, last + 1)]
    assert rows == list(range(len(closes)))
    assert all(len(set(closes[first : last + 1])) == 1 for first, last in runs)
    assert all(closes[last] != closes[last + 1] for _, last in runs[:-1])


@pytest.mark.parametrize("clock", [NOW, datetime.fromisoformat("2024-05-16T15:00:00+00:00")])
def test_the_sessions_of_a_repair_are_those_of_its_rows(clock: datetime) -> None:
    rows = raw_bars([*DAYS, "2024-05-18"], [*CLOSES, CLOSES[-1]], volume=[*[1000.0] * 120, 0.0])
    fetched = clean_bars(rows, QUESTION, source="test", now=clock)
    [left_out] = fetched.report.repairs
    assert (left_out.kind, left_out.sessions) == ("unfinished_bar", (date(2024, 5, 18),))
