"""How a window is read before it is forecast: every row that is not taken is told with its line."""

from __future__ import annotations

import contextlib
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from price_payloads import days_until

from stockcast.errors import UnreadableFile
from stockcast.prices.reading.read_as import ReadAs
from stockcast.workflows.preview_window import WindowPreview, preview_window

LOOKBACK = 60
DAYS = days_until("2024-05-15", LOOKBACK)
CLOSES = [round(1000 + number * 0.37, 2) for number in range(LOOKBACK)]


def preview(text: str, **how: object) -> WindowPreview:
    return preview_window("paste", text.encode(), LOOKBACK, **how)  # type: ignore[arg-type]


def brazilian(value: float) -> str:
    """1234.5 as 1.234,50"""
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


def day(iso: str) -> str:
    """2024-05-15 as 15/05/2024"""
    return "/".join(reversed(iso.split("-")))


def sheet(rows: list[str]) -> str:
    return "\r\n".join(["Data\tFechamento", *rows, ""])


ROWS = [f"{day(iso)}\t{brazilian(close)}" for iso, close in zip(DAYS, CLOSES, strict=True)]


def test_cells_of_a_brazilian_spreadsheet_are_read_to_the_cent() -> None:
    found = preview(sheet(ROWS), ticker="PETR4.SA")
    assert found.window.closes.tolist() == CLOSES
    assert found.window.sessions is not None
    assert [str(each) for each in found.window.sessions] == DAYS
    assert found.window.ticker == "PETR4.SA"
    assert (found.faults, found.changes, found.cautions) == ((), (), ())
    assert found.reading is not None
    assert found.reading.decimal_mark == ","
    assert found.lines == tuple(range(2, LOOKBACK + 2))


@pytest.mark.parametrize("prefix", ["", "R$ "])
def test_a_column_of_reais_without_a_header_or_dates_is_read_too(prefix: str) -> None:
    found = preview("\n".join(f"{prefix}{brazilian(close)}" for close in CLOSES))
    assert found.window.closes.tolist() == CLOSES
    assert found.window.sessions is None
    assert not found.faults
    assert "There are no dates" in found.cautions[0]


@given(st.lists(st.integers(1, 10**8), min_size=1, max_size=70))
def test_closes_pasted_with_decimal_commas_come_back_as_they_are(cents: list[int]) -> None:
    found = preview("Fechamento\n" + "\n".join(brazilian(each / 100) for each in cents))
    assert found.window.closes.tolist() == [each / 100 for each in cents]
    assert bool(found.faults) == (len(cents) != LOOKBACK)


def test_every_row_that_is_left_out_is_told_with_its_line_and_what_it_says() -> None:
    rows = [*ROWS[:10], "16/03/2024\tn/d", *ROWS[10:], "Média\t1.010,00", "Fonte: B3\t"]
    found = preview(sheet(rows))
    assert found.window.closes.tolist() == CLOSES
    assert not found.faults
    assert found.changes == (
        "Line 12 ('16/03/2024 · n/d') has no close that can be read and was left out.",
        "Line 64 ('Fonte: B3 · ') has no close that can be read and was left out.",
        "Line 63 ('Média · 1.010,00') has no date that can be read and was left out.",
    )


def test_the_newest_row_first_is_turned_and_told() -> None:
    found = preview(sheet(ROWS[::-1]))
    assert found.window.closes.tolist() == CLOSES
    assert found.changes == ("The newest row stands first: they were turned into the order of time.",)
    assert found.lines[0] == LOOKBACK + 1


def test_equal_rows_are_merged_and_contradicting_ones_refused_with_their_lines() -> None:
    merged = preview(sheet([*ROWS, ROWS[-1]]))
    assert not merged.faults
    assert merged.changes == (f"Lines 61 and 62 both give {DAYS[-1]} the close {CLOSES[-1]:g} and were merged.",)
    refused = preview(sheet([*ROWS, f"{day(DAYS[3])}\t9,99"]))
    assert refused.faults == (
        f"Lines 5 and 62 give {DAYS[3]} two closes, {CLOSES[3]:g} and 9.99; keep one of them.",
    )


def test_what_can_be_no_price_is_refused_with_its_line() -> None:
    found = preview(sheet([*ROWS[:-1], f"{day(DAYS[-1])}\t0,00"]))
    [fault] = found.faults
    assert fault.startswith("Line 61 ('15/05/2024 · 0,00'): closes must be positive numbers")
    [fault] = preview(json.dumps([*CLOSES[:-1], -1.5])).faults
    assert fault.startswith("Close number 60 ('-1.5')")


def test_too_many_closes_are_refused_until_the_last_ones_are_asked_for() -> None:
    closes = [900.0, 950.0, *CLOSES]
    text = "\n".join(map(str, closes))
    assert preview(text).faults == ("A window needs exactly 60 closes; this one has 62.",)
    found = preview(text, last_only=True)
    assert found.window.closes.tolist() == CLOSES
    assert (found.found, found.faults) == (62, ())
    assert "Of 62 closes the last 60 are taken." in found.changes


def test_a_hundred_bad_rows_are_not_a_hundred_sentences() -> None:
    found = preview("Close\n" + "\n".join(["n/a"] * 100 + list(map(str, CLOSES))))
    assert len(found.changes) == 21
    assert found.changes[-1] == "So were 80 more, up to line 101."


def test_dates_that_could_mean_two_things_are_asked_about() -> None:
    text = "Date\tClose\n" + "\n".join(f"{at:02d}/03/2024\t{at}.5" for at in range(1, 13))
    with pytest.raises(UnreadableFile, match="begin with the day or with the month"):
        preview(text)
    found = preview(text, read_as=ReadAs("mdy"))
    assert found.window.sessions is not None
    assert str(found.window.sessions[-1]) == "2024-12-03"


def test_another_currency_than_that_of_the_ticker_is_told() -> None:
    found = preview(sheet(ROWS).replace("Fechamento", "Fechamento (R$)"), ticker="AAPL")
    assert any("speak of BRL, and AAPL is quoted in USD" in each for each in found.cautions)


def test_a_workbook_is_read_like_a_paste() -> None:
    book = Workbook()
    book.active.append(["Data", "Fechamento"])  # type: ignore[union-attr]
    for iso, close in zip(DAYS, CLOSES, strict=True):
        book.active.append([day(iso), close])  # type: ignore[union-attr]
    content = io.BytesIO()
    book.save(content)
    found = preview_window("janela.xlsx", content.getvalue(), LOOKBACK)
    np.testing.assert_array_equal(found.window.closes, CLOSES)
    assert not found.faults


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_whatever_is_pasted_is_read_or_refused_in_one_sentence(content: bytes) -> None:
    with contextlib.suppress(UnreadableFile):  # whose hint a test of the error tree asks for
        found = preview_window("paste", content, LOOKBACK)
        assert found.faults or len(found.window.closes) == LOOKBACK


def test_of_two_columns_that_could_be_the_close_one_is_chosen() -> None:
    text = "Data;Fechamento;Último\n" + "\n".join(
        f"{day(iso)};{brazilian(close)};{brazilian(close + 1)}" for iso, close in zip(DAYS, CLOSES, strict=True)
    )
    with pytest.raises(UnreadableFile, match="2 columns could hold the close"):
        preview(text)
    found = preview(text, read_as=ReadAs(columns=(("close", 3), ("adjusted", 0))))
    assert found.window.closes.tolist() == [close + 1 for close in CLOSES]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_whatever_a_spreadsheet_writes_is_decoded(encoding: str) -> None:
    text = sheet(ROWS).replace("Fechamento", "Último")
    found = preview_window("janela.csv", text.encode(encoding), LOOKBACK)
    assert found.window.closes.tolist() == CLOSES


def test_a_formula_is_no_close_and_is_told() -> None:
    found = preview(sheet([*ROWS, "16/05/2024\t=1+1"]))
    assert found.window.closes.tolist() == CLOSES
    assert found.changes == ("Line 62 ('16/05/2024 · =1+1') has no close that can be read and was left out.",)
