from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from price_payloads import NOW, QUESTION, days_until, raw_bars

from stockcast.errors import InvalidPrices, NoPricesFound
from stockcast.prices.cleaning import clean_bars
from stockcast.prices.source import FetchedPrices, PriceQuestion

DAYS = days_until("2024-05-15", 10)


def clean(rows: pd.DataFrame, question: PriceQuestion = QUESTION, now: datetime = NOW) -> FetchedPrices:
    return clean_bars(rows, question, source="test", now=now)


def told(fetched: FetchedPrices) -> dict[str, int]:
    return {repair.kind: repair.count for repair in fetched.report.repairs}


def test_a_clean_table_passes_without_a_word() -> None:
    fetched = clean(raw_bars(DAYS))
    assert fetched.report.repairs == ()
    assert fetched.report.rows_read == len(fetched.frame) == 10
    assert fetched.frame.as_of == NOW


def test_the_bar_of_a_session_that_still_trades_is_left_out_by_exchange_time() -> None:
    rows = raw_bars(days_until("2024-05-15", 3, "BVMF"))
    question = PriceQuestion("CMIG4.SA")
    during = datetime(2024, 5, 15, 18, 40, tzinfo=UTC)  # 15:40 in Sao Paulo
    fetched = clean(rows, question, during)
    assert f"{fetched.frame.last_session}" == "2024-05-14"
    assert told(fetched) == {"unfinished_bar": 1}
    assert fetched.report.repairs[0].sentence == (
        "1 bar was left out, because its session is not over yet (2024-05-15)."
    )
    assert f"{clean(rows, question, NOW).frame.last_session}" == "2024-05-15"


def test_a_holiday_filled_in_without_trade_is_left_out_and_dated() -> None:
    rows = raw_bars(DAYS)
    rows.loc[4, ["open", "high", "low", "volume"]] = [104, 104, 104, 0]
    fetched = clean(rows)
    assert told(fetched) == {"phantom_session": 1}
    assert DAYS[4] in fetched.report.repairs[0].sentence
    assert len(fetched.frame) == 9


def test_a_weekend_without_volume_is_left_out_but_a_traded_one_is_kept_and_told() -> None:
    silent = clean(raw_bars([*DAYS[:5], "2024-05-11"], volume=[1, 1, 1, 1, 1, np.nan]))
    assert told(silent) == {"phantom_session": 1}
    traded = clean(raw_bars([*DAYS[:7], "2024-05-11"]))
    assert told(traded) == {"off_calendar": 1}
    assert f"{traded.frame.last_session}" == "2024-05-11"


def test_a_volume_of_zero_throughout_says_nothing_about_trading() -> None:
    flat = np.full(10, 50.0)
    rows = raw_bars(DAYS, flat, open=flat, high=flat, low=flat, volume=np.zeros(10))
    assert len(clean(rows, PriceQuestion("^VIX")).frame) == 10


def test_rows_before_the_first_year_of_the_calendar_are_not_held_against_anyone() -> None:
    rows = raw_bars(["1985-01-05", *DAYS], volume=[np.nan] * 11)  # a Saturday, before any known session
    assert f"{clean(rows).frame.first_session}" == "1985-01-05"


def test_equal_rows_of_a_session_are_merged_and_counted() -> None:
    rows = raw_bars(DAYS)
    fetched = clean(pd.concat([rows, rows.iloc[[2, 3]]], ignore_index=True))
    assert told(fetched) == {"duplicate_row": 2}
    assert len(fetched.frame) == 10


def test_rows_that_disagree_about_a_session_are_refused_with_their_dates() -> None:
    rows = raw_bars([*DAYS, DAYS[1], DAYS[7]])
    with pytest.raises(InvalidPrices) as refused:
        clean(rows)
    assert refused.value.message == f"AAPL has rows that disagree about the same session: {DAYS[1]}, {DAYS[7]}."


def test_newest_first_is_turned_round_and_told() -> None:
    rows = raw_bars(DAYS)
    fetched = clean(rows.iloc[::-1])
    assert told(fetched) == {"unsorted_rows": 10}
    assert fetched.frame.content_hash == clean(rows).frame.content_hash


def test_rows_without_a_close_are_left_out_by_their_line() -> None:
    rows = raw_bars(DAYS, [np.nan, 1, 2, 3, 4, np.nan, 6, 7, 8, 9]).set_axis(pd.RangeIndex(2, 12, name="line"))
    fetched = clean(rows)
    assert fetched.report.repairs[0].sentence == "2 rows without a readable close were left out (lines 2, 7)."
    assert len(fetched.frame) == 8


def test_rows_without_a_date_are_left_out_and_counted() -> None:
    rows = raw_bars(DAYS)
    rows.loc[9, "session"] = pd.NaT
    assert told(clean(rows)) == {"undated_row": 1}


@pytest.mark.parametrize("close", [0.0, -1.5, np.inf])
def test_an_impossible_close_is_refused_with_the_first_date(close: float) -> None:
    closes = [10.0] * 10
    closes[3] = closes[6] = close
    with pytest.raises(InvalidPrices, match=rf"AAPL on {DAYS[3]} is {close:g}, and 1 more") as refused:
        clean(raw_bars(DAYS, closes).iloc[::-1])
    assert DAYS[6] in refused.value.hint


@pytest.mark.parametrize(
    "changes",
    [{"low": 120.0}, {"high": 90.0}, {"open": 150.0}, {"open": -1.0}, {"high": np.inf}, {"low": 0.0}],
)
def test_a_range_that_contradicts_itself_becomes_unknown_and_the_close_is_kept(changes: dict[str, float]) -> None:
    rows = raw_bars(DAYS)
    rows.loc[5, list(changes)] = list(changes.values())
    fetched = clean(rows)
    assert told(fetched) == {"inconsistent_range": 1}
    assert np.isnan([fetched.frame.open[5], fetched.frame.high[5], fetched.frame.low[5]]).all()
    assert fetched.frame.close[5] == 105.0


def test_a_range_that_rounding_moved_by_a_hair_is_kept() -> None:
    rows = raw_bars(DAYS)
    rows["high"] = rows["close"] * (1 - 1e-6)
    rows["open"] = rows["low"]
    assert clean(rows).report.repairs == ()


def test_an_impossible_volume_becomes_unknown() -> None:
    fetched = clean(raw_bars(DAYS, volume=[-5, np.inf, *range(1, 9)]))
    assert told(fetched) == {"unusable_volume": 2}
    assert np.isnan(fetched.frame.volume[:2]).all()


def test_an_adjusted_close_becomes_the_close_and_moves_the_range_with_it() -> None:
    rows = raw_bars(DAYS)
    fetched = clean(rows.assign(adjusted=rows["close"] / 4))
    np.testing.assert_allclose(fetched.frame.close, rows["close"] / 4)
    np.testing.assert_allclose(fetched.frame.high, rows["high"] / 4)
    np.testing.assert_array_equal(fetched.frame.volume, rows["volume"])


def test_a_range_keeps_both_its_ends() -> None:
    question = PriceQuestion("AAPL", pd.Timestamp(DAYS[2]).date(), pd.Timestamp(DAYS[6]).date())
    fetched = clean(raw_bars(DAYS), question)
    assert (f"{fetched.frame.first_session}", f"{fetched.frame.last_session}") == (DAYS[2], DAYS[6])
    assert fetched.report.rows_read == 5


def test_a_range_without_prices_says_what_there_is() -> None:
    question = PriceQuestion("AAPL", pd.Timestamp("1999-01-04").date(), pd.Timestamp("1999-12-31").date())
    with pytest.raises(NoPricesFound, match=f"test has {DAYS[0]} to {DAYS[-1]}"):
        clean(raw_bars(DAYS), question)


def test_a_table_without_one_usable_session_says_why() -> None:
    with pytest.raises(InvalidPrices, match=r"None of the 2 rows .* sessions are not over yet"):
        clean(raw_bars(["2031-01-06", "2031-01-07"]))


@st.composite
def messy_tables(draw: st.DrawFn) -> pd.DataFrame:
    """Calendar days of one month in any order, with repeated, silent, empty and contradictory rows."""
    days = draw(st.lists(st.integers(1, 31), min_size=3, max_size=25))
    rows = raw_bars([f"2024-05-{day:02d}" for day in days], [100.0 + day for day in days])
    rows["volume"] = [float(day) for day in days]
    for column, values in (
        ("volume", st.sampled_from([0.0, np.nan, -1.0, np.inf])),
        ("close", st.just(np.nan)),
        ("high", st.sampled_from([np.nan, 1.0, 101.0, np.inf])),
    ):
        for day in draw(st.sets(st.integers(1, 31), max_size=4)):
            rows.loc[[other == day for other in days], column] = draw(values)
    return rows


@given(messy_tables())
def test_cleaning_twice_changes_nothing_more(rows: pd.DataFrame) -> None:
    try:
        once = clean(rows)
    except (InvalidPrices, NoPricesFound):
        return
    again = clean(once.frame.to_dataframe().reset_index())
    assert again.frame.content_hash == once.frame.content_hash
    assert set(told(again)) <= {"off_calendar"}


@given(messy_tables())
def test_every_row_is_either_in_the_frame_or_in_the_report(rows: pd.DataFrame) -> None:
    try:
        fetched = clean(rows)
    except (InvalidPrices, NoPricesFound):
        return
    left_out = {"unfinished_bar", "phantom_session", "missing_close", "duplicate_row", "undated_row"}
    assert len(fetched.frame) + sum(told(fetched).get(kind, 0) for kind in left_out) == len(rows)
