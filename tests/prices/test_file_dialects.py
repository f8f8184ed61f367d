"""Whatever dialect a file is written in, the same closes come out, and the reading is told."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from price_payloads import NOW, days_until

from stockcast.errors import UnreadableFile
from stockcast.prices.file import FilePrices, ReadAs, read_table
from stockcast.prices.source import PriceQuestion, ask

DAYS = days_until("2024-05-15", 40)
ENGLISH = ("Date", "Open", "High", "Low", "Close", "Volume")
PORTUGUESE = ("Data", "Abertura", "Máxima", "Mínima", "Fechamento", "Volume")
INVESTING = ("Data", "Abertura", "Máx.", "Mín.", "Último", "Vol.")


@dataclass(frozen=True)
class Dialect:
    encoding: str
    separator: str
    mark: str
    grouped: bool
    dates: str
    header: tuple[str, ...]
    line_end: str

    def number(self, cents: int) -> str:
        text = f"{cents / 100:,.2f}" if self.grouped else f"{cents / 100:.2f}"
        return text if self.mark == "." else text.translate(str.maketrans(",.", ".,"))

    def write(self, closes: list[int]) -> bytes:
        """A CSV of bars around closes that are given in cents."""
        text = io.StringIO()
        writer = csv.writer(text, delimiter=self.separator, lineterminator=self.line_end)
        writer.writerow(self.header)
        for day, close in zip(DAYS, closes, strict=False):
            prices = (close, close + 50, close - 50, close, 100_000)
            writer.writerow([date.fromisoformat(day).strftime(self.dates), *map(self.number, prices)])
        return text.getvalue().encode(self.encoding)


dialects = st.builds(
    Dialect,
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]),
    separator=st.sampled_from([";", ",", "\t", "|"]),
    mark=st.sampled_from([".", ","]),
    grouped=st.booleans(),
    dates=st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y%m%d", "%d/%m/%y", "%d-%b-%Y"]),
    header=st.sampled_from([ENGLISH, PORTUGUESE, INVESTING]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
)


@given(dialects, st.lists(st.integers(100, 500_000_00), min_size=15, max_size=40))
def test_every_dialect_gives_the_same_closes(dialect: Dialect, closes: list[int]) -> None:
    fetched = ask(FilePrices("prices.csv", dialect.write(closes)), PriceQuestion("AAPL"), NOW)
    np.testing.assert_array_equal(fetched.frame.close, [close / 100 for close in closes])
    assert [f"{day}" for day in fetched.frame.sessions] == DAYS[: len(closes)]
    assert fetched.report.repairs == ()


def test_the_reading_is_told_in_one_line() -> None:
    dialect = Dialect("cp1252", ";", ",", True, "%d/%m/%Y", PORTUGUESE, "\r\n")
    reading = read_table("preços.csv", dialect.write([123_456] * 30)).reading
    assert reading.sentence == (
        "CSV (Windows-1252, separated by semicolons), 30 rows, decimal comma, dates as dd/mm/yyyy; session from "
        "'Data', open from 'Abertura', high from 'Máxima', low from 'Mínima', close from 'Fechamento', volume "
        "from 'Volume'."
    )


def closes_of(text: str, **said: Any) -> list[float]:
    return read_table("x.csv", text.encode(), ReadAs(**said)).rows["close"].tolist()


def days_of(text: str, **said: Any) -> list[str]:
    days = read_table("x.csv", text.encode(), ReadAs(**said)).rows["session"]
    return [f"{day:%Y-%m-%d}" for day in days if not pd.isna(day)]


def test_investing_com_files_are_read_with_their_suffixes() -> None:
    text = (
        '"Data","Último","Abertura","Máxima","Mínima","Vol.","Var%"\n'
        '"15.05.2024","10,50","10,40","10,60","10,30","1,23M","0,96%"\n'
        '"14.05.2024","10,40","10,45","10,50","10,20","810,5K","-0,48%"\n'
        '"13.05.2024","10,45","10,30","10,55","10,25","-","1,46%"\n'
    )
    rows = read_table("CMIG4.csv", text.encode()).rows
    assert rows["close"].tolist() == [10.5, 10.4, 10.45]
    np.testing.assert_array_equal(rows["volume"], [1_230_000, 810_500, np.nan])
    assert days_of(text) == ["2024-05-15", "2024-05-14", "2024-05-13"]


def test_points_without_decimals_are_told_apart_by_the_other_columns() -> None:
    text = '"Data","Último","Var%"\n"15.05.2024","128.481","0,62%"\n"14.05.2024","127.690","-0,10%"\n'
    assert closes_of(text) == [128_481, 127_690]


def test_nasdaq_files_with_dollar_signs_are_read() -> None:
    text = "Date,Close/Last,Volume,Open,High,Low\n05/15/2024,$189.72,70399990,$187.91,$190.65,$187.37\n"
    assert closes_of(text) == [189.72]


def test_a_file_written_by_yfinance_download_is_read() -> None:
    text = "Price,Close,High,Low,Volume\nTicker,AAPL,AAPL,AAPL,AAPL\nDate,,,,\n2024-05-15,189.7,190,187,7\n"
    assert (closes_of(text), days_of(text)) == ([189.7], ["2024-05-15"])


def test_an_adjusted_close_beside_the_close_is_used() -> None:
    text = "Date,Open,High,Low,Close,Adj Close,Volume\n2024-05-15,20,22,18,20,10,5\n2024-05-14,20,22,18,20,10,5\n"
    frame = ask(FilePrices("x.csv", text.encode()), PriceQuestion("AAPL"), NOW).frame
    assert (frame.close[0], frame.high[0], frame.low[0]) == (10, 11, 9)


def test_an_adjusted_close_alone_is_the_close_and_the_range_beside_it_is_unknown() -> None:
    rows = read_table("x.csv", b"Date,High,Low,Adj Close\n2024-05-15,22,18,10\n").rows
    assert rows["close"].tolist() == [10]
    assert rows[["high", "low"]].isna().all(axis=None)


def test_notes_above_and_footers_below_the_table_do_no_harm() -> None:
    text = "B3;;\nEm 15/05/2024;;\nData;Fechamento;Volume\n14/05/2024;9,87;1\n15/05/2024;9,90;N/A\nTotal;;\n"
    table = read_table("x.csv", text.encode())
    assert table.rows["close"].tolist()[:2] == [9.87, 9.90]
    fetched = ask(FilePrices("x.csv", text.encode()), PriceQuestion("CMIG4.SA"), NOW)
    assert [repair.sentence for repair in fetched.report.repairs] == [
        "1 row lacks an open, high, low or volume, which is taken as unknown (line 5).",
        "1 row without a readable date was left out (line 6).",
    ]


def test_words_in_place_of_a_volume_are_told_by_their_line() -> None:
    fetched = ask(
        FilePrices("x", b"Date,Close,Volume\n2024-05-14,9,many\n2024-05-15,9,2\n"), PriceQuestion("A"), NOW
    )
    assert fetched.report.repairs[0].sentence == (
        "1 open, high, low or volume is not a number and is taken as unknown (line 2)."
    )


@pytest.mark.parametrize(
    ("first", "expected"),
    [("03/04/2024", "2024-04-03"), ("3/4/24", "2024-04-03"), ("03-04-2024", "2024-04-03")],
)
def test_a_day_above_twelve_anywhere_decides_the_date_order(first: str, expected: str) -> None:
    assert days_of(f"Date,Close\n{first},1.5\n25/04/2024,1.5\n")[0] == expected
    assert days_of(f"Date,Close\n{first},1.5\n04/25/2024,1.5\n")[0] == "2024-03-04"


def test_an_undecided_date_order_follows_a_portuguese_file() -> None:
    assert days_of("Data,Close\n03/04/2024,1.5\n") == ["2024-04-03"]
    assert days_of("Date;Close\n03/04/2024;1,5\n") == ["2024-04-03"]


def test_an_undecided_date_order_is_asked_for_and_then_obeyed() -> None:
    text = "Date,Close\n03/04/2024,1.5\n"
    with pytest.raises(UnreadableFile, match="--date-order"):
        days_of(text)
    assert days_of(text, date_order="dmy") == ["2024-04-03"]
    assert days_of(text, date_order="mdy") == ["2024-03-04"]


def test_a_date_order_that_the_file_contradicts_is_refused() -> None:
    with pytest.raises(UnreadableFile, match=r"25/04/2024 \(line 2\) is not written as mm/dd/yyyy"):
        days_of("Date,Close\n25/04/2024,1.5\n", date_order="mdy")
    with pytest.raises(UnreadableFile, match=r"two ways: 25/04/2024 \(line 2\) and 04/26/2024 \(line 3\)"):
        days_of("Date,Close\n25/04/2024,1.5\n04/26/2024,1.5\n")


@pytest.mark.parametrize(
    "written",
    ["2024-05-15 00:00:00-04:00", "2024-05-15T00:00:00", "2024/05/15", "20240515", "May 15, 2024", "15 mai 2024",
     "15 de maio de 2024", "15-May-24"],
)  # fmt: skip
def test_dates_are_read_however_they_are_spelled(written: str) -> None:
    assert days_of(f'Date,Close\n"{written}",1.5\n') == ["2024-05-15"]


def test_impossible_dates_count_as_unreadable() -> None:
    assert days_of("Data,Close\n31/02/2024,1.5\n15/05/2024,1.5\n") == ["2024-05-15"]


def test_a_number_that_may_be_thousands_or_decimals_is_refused_where_nothing_tells() -> None:
    with pytest.raises(UnreadableFile, match=r"'1,234' \(line 2\) may have three decimals"):
        closes_of("Date\tClose\n2024-05-15\t1,234\n")
    assert closes_of('Date,Close\n2024-05-15,"1,234"\n') == [1234]
    assert closes_of("Date;Close\n2024-05-15;1,234\n") == [1.234]
    assert closes_of("Date;Close\n2024-05-15;1.234\n") == [1.234]
    assert closes_of("Data;Close\n2024-05-15;1.234\n") == [1234]


def test_a_file_that_mixes_decimal_marks_is_refused() -> None:
    with pytest.raises(UnreadableFile, match=r"'10.50' \(line 2\) and '10,50' \(line 3\)"):
        closes_of("Date;Close\n2024-05-14;10.50\n2024-05-15;10,50\n")


def test_two_columns_that_could_be_the_close_are_refused_by_name() -> None:
    with pytest.raises(UnreadableFile, match="2 columns could hold the close: 'Fechamento', 'Último'"):
        closes_of("Data;Fechamento;Último\n15/05/2024;1,5;1,6\n")


def test_two_nameless_columns_are_dates_and_closes() -> None:
    assert closes_of("2024-05-14,1.5\n2024-05-15,1.6\n") == [1.5, 1.6]


def test_an_unnamed_first_column_holds_the_dates() -> None:
    assert days_of(",Open,Close\n2024-05-15,1,1.5\n") == ["2024-05-15"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2024-05-15,1,2,3,4,5\n", "No column of dates"),
        ("Day;Profit\n2024-05-15;3\n", "No column of dates"),
        ("Date,Close\n", "no rows below it"),
        ("Date,Close\nyesterday,1\n", "'Date' holds no dates, for example 'yesterday'"),
        ("Date,Close\n2024-05-15,n/a\n", "'Close' holds no numbers"),
    ],
)
def test_a_table_that_cannot_be_prices_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(UnreadableFile, match=message) as refused:
        closes_of(text)
    assert refused.value.hint


def workbook(rows: list[list[object]], title: str = "Plan1") -> bytes:
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def test_a_workbook_is_read_with_typed_dates_and_portuguese_headers() -> None:
    content = workbook([["Data", "Fechamento"], [date(2024, 5, 14), 9.87], [date(2024, 5, 15), 9]])
    table = read_table("x.csv", content)  # the content decides, not the name
    assert table.rows["close"].tolist() == [9.87, 9]
    assert table.reading.kind == "XLSX"
    assert "sheet 'Plan1'" in table.reading.sentence


def test_a_workbook_of_texts_is_read_like_a_text() -> None:
    content = workbook([["Data", "Fechamento"], ["14/05/2024", "9,87"], ["15/05/2024", "1.009,90"]])
    assert read_table("x.xlsx", content).rows["close"].tolist() == [9.87, 1009.90]


def test_a_formula_that_was_never_calculated_is_a_missing_close() -> None:
    content = workbook([["Date", "Close"], [date(2024, 5, 14), 9.87], [date(2024, 5, 15), "=B2*2"]])
    assert np.isnan(read_table("x.xlsx", content).rows["close"].iloc[1])


@pytest.mark.parametrize("indexed", [True, False])
def test_parquet_is_read_with_dates_as_column_or_index(indexed: bool) -> None:
    frame = pd.DataFrame({"Date": pd.to_datetime(DAYS), "Close": np.arange(40) + 0.1, "Note": "x"})
    content = io.BytesIO()
    (frame.set_index("Date") if indexed else frame).to_parquet(content)
    table = read_table("x", content.getvalue())
    assert table.rows["close"].tolist() == frame["Close"].tolist()
    assert [f"{day:%Y-%m-%d}" for day in table.rows["session"]] == DAYS
