"""What is exported reads back as the same history, in every spreadsheet harmless."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import openpyxl
import pytest

from stockcast.prices.file import FilePrices
from stockcast.prices.frame import COLUMNS, PriceFrame
from stockcast.prices.price_export import export_csv, export_name, export_xlsx, harmless
from stockcast.prices.repairs import repair
from stockcast.prices.source import PriceReport, ask, shape_question

REPORT = PriceReport(9, (repair("phantom_session", 2),))


@pytest.mark.parametrize("ticker", ["AAPL", "CMIG4.SA"])
def test_an_exported_csv_is_read_back_as_the_same_bars(ticker: str, make_frame: Callable[..., PriceFrame]) -> None:
    frame = make_frame(count=70, ticker=ticker)
    again = ask(FilePrices("x", export_csv(frame)), shape_question(ticker), frame.as_of)
    assert again.frame.content_hash == frame.content_hash
    assert again.report.repairs == ()


def test_a_workbook_is_read_back_as_the_same_bars_to_the_sixteen_digits_that_it_keeps(
    make_frame: Callable[..., PriceFrame],
) -> None:
    frame = make_frame(count=70, ticker="CMIG4.SA")
    again = ask(FilePrices("x", export_xlsx(frame, REPORT)), shape_question("CMIG4.SA"), frame.as_of)
    assert again.frame.sessions.tolist() == frame.sessions.tolist()
    for name in COLUMNS:
        np.testing.assert_allclose(getattr(again.frame, name), getattr(frame, name), rtol=1e-15, atol=0)
    assert again.report.repairs == ()


def test_a_workbook_says_what_it_holds(make_frame: Callable[..., PriceFrame]) -> None:
    frame = make_frame(count=70, ticker="CMIG4.SA")
    about = openpyxl.load_workbook(io.BytesIO(export_xlsx(frame, REPORT)))["About"]
    told = dict(about.values)
    assert (told["Ticker"], told["Currency"], told["Source"]) == ("CMIG4.SA", "BRL", "test")
    assert told["Mended"] == "2 rows were left out, because nothing was traded then."


def test_a_file_is_named_after_its_ticker_and_dates(make_frame: Callable[..., PriceFrame]) -> None:
    frame = make_frame(count=70, ticker="^BVSP")
    assert export_name(frame, "csv") == f"BVSP_{frame.first_session}_{frame.last_session}.csv"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\t=1"])
def test_text_never_becomes_a_formula(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert harmless("file: x.csv") == "file: x.csv"
