from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from price_payloads import days_until

from stockcast.errors import UnreadableFile
from stockcast.prices.file import read_window

DAYS = days_until("2024-05-15", 60)
finite = st.floats(0.01, 1e6).map(lambda value: round(value, 4))


def closes_of(content: str) -> list[float]:
    return read_window("window", content.encode()).closes.tolist()


@given(st.lists(finite, min_size=1, max_size=80))
def test_a_column_of_numbers_is_taken_as_it_stands(values: list[float]) -> None:
    assert closes_of("\n".join(f"{value!r}" for value in values)) == values


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=80), st.sampled_from(["", "Close\n", "Fechamento\n"]))
def test_a_column_with_decimal_commas_is_not_cut_in_two(cents: list[int], header: str) -> None:
    text = header + "\n".join(f"{value / 100:.2f}".replace(".", ",") for value in cents)
    assert closes_of(text) == [value / 100 for value in cents]


@given(st.lists(st.one_of(finite, st.none()), min_size=1, max_size=80))
def test_json_lists_and_requests_of_the_api_are_taken_as_they_stand(values: list[float | None]) -> None:
    expected = [np.nan if value is None else value for value in values]
    np.testing.assert_array_equal(closes_of(json.dumps(values)), expected)
    np.testing.assert_array_equal(closes_of(json.dumps({"last_prices": values, "ticker": "A"})), expected)


def test_a_single_line_of_numbers_is_turned_on_its_side() -> None:
    assert closes_of("10.5, 10.6, 10.7") == [10.5, 10.6, 10.7]
    assert closes_of("10,5;10,6;10,7") == [10.5, 10.6, 10.7]


def test_a_table_gives_its_dates_in_the_order_of_the_file() -> None:
    rows = [f"{day},{100 + number}" for number, day in enumerate(DAYS)]
    window = read_window("window.csv", "\n".join(["Date,Close", *reversed(rows)]).encode())
    assert window.closes.tolist() == [float(159 - number) for number in range(60)]
    assert window.sessions is not None
    assert [f"{day}" for day in window.sessions] == DAYS[::-1]


def test_nothing_is_repaired() -> None:
    text = "Date,Close\n2024-05-14,1.5\n2024-05-14,1.5\nnonsense,-2\n2031-01-01,0\n2024-05-11,n/a\n"
    window = read_window("window.csv", text.encode())
    np.testing.assert_array_equal(window.closes, [1.5, 1.5, -2, 0, np.nan])
    assert window.sessions is not None
    assert np.isnat(window.sessions).tolist() == [False, False, True, False, False]


def test_dates_and_closes_need_no_header() -> None:
    window = read_window("window.csv", b"14/05/2024;10,5\n15/05/2024;10,6\n")
    assert window.closes.tolist() == [10.5, 10.6]
    assert window.sessions is not None
    assert f"{window.sessions[-1]}" == "2024-05-15"


def test_a_table_without_dates_has_no_sessions() -> None:
    assert read_window("window.csv", b"Open,Close\n1,2\n3,4\n").sessions is None


def test_numbers_beyond_any_price_are_kept_for_the_drift_check_to_find() -> None:
    assert closes_of("[1e400, -0.0, 1e-320]") == [np.inf, 0.0, 1e-320]
    assert closes_of(f"[{'9' * 400}]") == [np.inf]
    np.testing.assert_array_equal(closes_of("[NaN, Infinity]"), [np.nan, np.inf])


@pytest.mark.parametrize(
    "content",
    ['["12.5"]', "[true]", "[[1]]", "[{}]", "[]", "{}", '{"last_prices": 3}', "[1,", "[1] trailing", "[" * 100_000,
     f"[{'9' * 5000}]", "Date,Open,High\n2024-05-15,1,2\n", "a,b,c\n1,2,3\n", "word\nword\n"],
)  # fmt: skip
def test_what_holds_no_list_of_closes_is_refused_with_a_way_out(content: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        closes_of(content)
    assert refused.value.hint
    assert len(f"{refused.value}") < 400
