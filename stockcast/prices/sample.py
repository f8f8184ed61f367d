"""The bundled sample: real daily prices that need no network, from the package bokeh-sampledata.

Its bars are unadjusted with an adjusted close beside them, 2000-03-01 to 2013-03-01, public domain.
"""

from __future__ import annotations

import importlib.resources
from datetime import datetime

import pandas as pd

from stockcast.errors import NoPricesFound
from stockcast.prices.cleaning import clean_bars
from stockcast.prices.source import FetchedPrices, PriceQuestion

SAMPLE_TICKERS = ("AAPL", "GOOG", "IBM", "MSFT", "FB")  # FB has 196 sessions: too few for most purposes


class SamplePrices:
    """The price source behind `stockcast prices sample` and the first run of the dashboard."""

    name = "sample"
    incremental = False

    def fetch(self, question: PriceQuestion) -> pd.DataFrame:
        """The rows of one ticker as the package holds them. Raises NoPricesFound for any other ticker."""
        if question.ticker not in SAMPLE_TICKERS:
            raise NoPricesFound(
                f"The sample holds no prices of {question.ticker}.",
                f"It holds {', '.join(SAMPLE_TICKERS)}; other tickers come from Yahoo or from a file.",
            )
        packed = importlib.resources.files("bokeh_sampledata") / "_data" / "stocks.csv.gz"
        with importlib.resources.as_file(packed) as path:
            rows = pd.read_csv(path)
        return rows[rows["Ticker"] == question.ticker].drop(columns="Ticker")

    def normalise(self, question: PriceQuestion, raw: pd.DataFrame, now: datetime) -> FetchedPrices:
        """The rows as an adjusted PriceFrame. Raises NoPricesFound for a range outside 2000 to 2013."""
        rows = pd.DataFrame(
            {
                "session": pd.to_datetime(raw["Date"]),
                **{name.lower(): raw[name].astype(float) for name in ("Open", "High", "Low", "Close", "Volume")},
                "adjusted": raw["Adj Close"].astype(float),
            }
        )
        return clean_bars(rows, question, source=self.name, now=now)
