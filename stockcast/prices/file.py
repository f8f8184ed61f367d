"""Prices from somebody's file: CSV, XLSX or Parquet."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from stockcast.prices.cleaning import clean_bars
from stockcast.prices.reading.read_as import AS_IT_STANDS, ReadAs
from stockcast.prices.reading.sniff import read_bytes, safe_name
from stockcast.prices.reading.table import RawTable, read_table
from stockcast.prices.source import FetchedPrices, PriceQuestion
from stockcast.prices.windowfile import read_window

__all__ = ["FilePrices", "RawTable", "ReadAs", "read_table", "read_window"]


class FilePrices:
    """A price source that reads one file, which holds the prices of the one ticker that is asked."""

    incremental = False

    def __init__(self, name: str, content: bytes, read_as: ReadAs = AS_IT_STANDS) -> None:
        self._file_name = safe_name(name)
        self.name = f"file: {self._file_name}"
        self._content = content
        self._read_as = read_as

    @classmethod
    def at(cls, path: Path, read_as: ReadAs = AS_IT_STANDS) -> FilePrices:
        """The file at a path. Raises UnreadableFile when it cannot be opened or is too large."""
        return cls(path.name, read_bytes(path), read_as)

    def fetch(self, question: PriceQuestion) -> RawTable:
        """The table as the file holds it, whatever is asked; its `reading` says how it was understood."""
        return read_table(self._file_name, self._content, self._read_as)

    def normalise(self, question: PriceQuestion, raw: RawTable, now: datetime) -> FetchedPrices:
        """The table as a PriceFrame. Raises InvalidPrices or NoPricesFound."""
        return clean_bars(raw.rows, question, source=self.name, now=now, told=raw.repairs)
