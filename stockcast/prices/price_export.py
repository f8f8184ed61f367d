"""A price history as a file for other programs, which `prices import` reads back.

A CSV is the same history to the last bit; a workbook keeps sixteen digits.
"""

from __future__ import annotations

import io

import numpy as np

from stockcast.prices.frame import COLUMNS, PriceFrame
from stockcast.prices.source import PriceReport

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def export_name(frame: PriceFrame, extension: str) -> str:
    """A file name of ticker and dates: CMIG4.SA_2018-01-02_2024-05-15.csv."""
    ticker = "".join(mark for mark in frame.ticker if mark.isalnum() or mark in ".-")
    return f"{ticker}_{frame.first_session}_{frame.last_session}.{extension}"


def export_csv(frame: PriceFrame) -> bytes:
    """One row a session, adjusted prices at full precision, with their ticker and currency."""
    table = frame.to_dataframe()
    table.insert(0, "ticker", frame.ticker)
    table.insert(1, "currency", frame.currency)
    return table.to_csv(date_format="%Y-%m-%d", lineterminator="\n").encode()


def export_xlsx(frame: PriceFrame, report: PriceReport) -> bytes:
    """A workbook: the bars, and a sheet that says what they are and what was mended."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    prices = book.create_sheet("Prices")
    prices.freeze_panes = "A2"
    prices.column_dimensions["A"].width = 12
    prices.append(["session", *COLUMNS])
    bars = [getattr(frame, name).tolist() for name in COLUMNS]
    for session, *values in zip(frame.sessions.tolist(), *bars, strict=True):
        prices.append([session, *(None if np.isnan(value) else value for value in values)])
    about = book.create_sheet("About")
    about.column_dimensions["A"].width, about.column_dimensions["B"].width = 14, 100
    for name, text in (
        ("Ticker", frame.ticker),
        ("Exchange", frame.exchange),
        ("Currency", frame.currency),
        ("Prices", "adjusted for splits and dividends as far as the source adjusts them; volume in shares"),
        ("Source", frame.source),
        ("As of", f"{frame.as_of:%Y-%m-%d %H:%M} UTC"),
        *(("Mended", repair.sentence) for repair in report.repairs),
    ):
        about.append([name, harmless(text)])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
