"""Prices as files for other programs."""

from __future__ import annotations

import numpy as np
import pytest

from stockcast.prices.file import FilePrices
from stockcast.prices.frame import COLUMNS, PriceFrame
from stockcast.prices.price_export import export_csv, export_name, export_xlsx
from stockcast.prices.reading.read_as import ReadAs
from stockcast.prices.source import PriceReport, shape_question


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_was_exported_is_read_again_as_the_same_history(
    sample_frames: tuple[PriceFrame, ...], kind: str
) -> None:
    frame = sample_frames[0].rows(0, 300)
    content = export_csv(frame) if kind == "csv" else export_xlsx(frame, PriceReport(len(frame)))
    source, question = FilePrices(export_name(frame, kind), content, ReadAs()), shape_question(frame.ticker)
    read = source.normalise(question, source.fetch(question), frame.as_of).frame
    assert read.sessions.tolist() == frame.sessions.tolist()
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(read, name), getattr(frame, name))


def test_a_file_is_named_after_its_ticker_and_its_sessions(sample_frames: tuple[PriceFrame, ...]) -> None:
    frame = sample_frames[0].rows(0, 300)
    assert export_name(frame, "csv") == f"AAPL_{frame.first_session}_{frame.last_session}.csv"
