"""How an uploaded price file was read, before anything is stored."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from stockcast.errors import InvalidTicker
from stockcast.prices.file import FilePrices
from stockcast.prices.reading.datestyle import DateOrder
from stockcast.prices.source import FetchedPrices, ask, shape_question
from stockcast.prices.tickers import exchange_of, normalise_ticker
from stockcast.ui.shared import workspace


@dataclass(frozen=True, eq=False)
class Preview:
    """A reading in words, and the prices that would be stored."""

    sentence: str
    fetched: FetchedPrices

    @property
    def table(self) -> pd.DataFrame:
        """The first and the last bars."""
        bars = self.fetched.frame.to_dataframe()
        bars.index = pd.DatetimeIndex(bars.index).strftime("%Y-%m-%d").rename("Session")
        return pd.concat([bars.head(3), bars.tail(3)]) if len(bars) > 6 else bars


@st.cache_data(max_entries=4, ttl=900, show_spinner="Reading the file …")
def read_preview(name: str, content: bytes, ticker: str, date_order: DateOrder) -> Preview:
    """Reads a file as the prices of a ticker.

    Raises UnreadableFile, InvalidPrices, NoPricesFound or InvalidTicker.
    """
    source, question = FilePrices(name, content, date_order), shape_question(ticker)
    sentence = source.fetch(question).reading.sentence
    return Preview(sentence, ask(source, question, workspace().clock()))


def ticker_of_name(file_name: str) -> str:
    """The ticker that a file name seems to mean, such as CMIG4.SA of CMIG4.SA.csv; empty where it means none."""
    stem = file_name.rsplit(".", 1)[0]
    try:
        ticker = normalise_ticker(stem)
        exchange_of(ticker)
    except InvalidTicker:
        return ""
    return ticker
