"""Prices from somebody's file: CSV, XLSX or Parquet."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from stockcast.prices.cleaning import clean_bars
from stockcast.prices.reading.datestyle import DateOrder
from stockcast.prices.reading.sniff import read_bytes, safe_name
from stockcast.prices.reading.table import RawTable, read_table
from stockcast.prices.source import FetchedPrices, PriceQuestion
from stockcast.prices.windowfile import read_window

__all__ = ["DateOrder", "FilePrices", "RawTable", "read_table", "read_window"]


class FilePrices:
    """A price source that reads one file, which holds the prices of the one ticker that is asked."""

    incremental = False

    def __init__(self, name: str, content: bytes, date_order: DateOrder = "auto") -> None:
        self._file_name = safe_name(name)
        self.name = f"file: {self._file_name}"
        self._content = content
        self._date_order = date_order

    @classmethod
    def at(cls, path: Path, date_order: DateOrder = "auto") -> FilePrices:
        """The file at a path. Raises UnreadableFile when it cannot be opened or is too large."""
        return cls(path.name, read_bytes(path), date_order)

    def fetch(self, question: PriceQuestion) -> RawTable:
        """The table as the file holds it, whatever is asked; its `reading` says how it was understood."""
        return read_table(self._file_name, self._content, self._date_order)

    def normalise(self, question: PriceQuestion, raw: RawTable, now: datetime) -> FetchedPrices:
        """The table as a PriceFrame. Raises InvalidPrices or NoPricesFound."""
        return clean_bars(raw.rows, question, source=self.name, now=now, told=raw.repairs)
