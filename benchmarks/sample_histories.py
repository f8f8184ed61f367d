"""The four long histories of the bundled sample."""

from __future__ import annotations

from datetime import UTC, datetime

from stockcast.prices.frame import PriceFrame
from stockcast.prices.sample import SamplePrices
from stockcast.prices.source import ask, shape_question

TICKERS = ("AAPL", "GOOG", "IBM", "MSFT")


def sample_histories() -> list[PriceFrame]:
    """AAPL, GOOG, IBM and MSFT, adjusted, 2000 to 2013."""
    now = datetime.now(UTC)
    return [ask(SamplePrices(), shape_question(ticker), now).frame for ticker in TICKERS]
