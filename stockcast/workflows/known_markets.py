"""Stored histories as models read them, and their markets, worked out once while nothing new is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stockcast.forecasting.market import MedianMarket, markets
from stockcast.prices.frame import PriceFrame
from stockcast.prices.store import PriceStore
from stockcast.workflows.forecast import Speaker


class KnownMarkets:
    """The histories of one store."""

    def __init__(self, store: PriceStore) -> None:
        self._store = store
        self._last: tuple[object, Mapping[str, MedianMarket]] | None = None

    def histories(self, tickers: Sequence[str]) -> tuple[PriceFrame, ...]:
        """Those of the tickers that are stored."""
        return tuple(self._store.load(ticker) for ticker in tickers if self._store.has(ticker))

    def history(self, ticker: str | None) -> PriceFrame | None:
        """That of a ticker, None when it is not named or not stored."""
        return None if ticker is None else next(iter(self.histories([ticker])), None)

    def read_by(self, speaker: Speaker) -> Mapping[str, MedianMarket]:
        """The markets that a version reads, from the stored histories it has learnt from."""
        if "market" not in speaker.forecaster.groups:
            return {}
        tickers = speaker.version.tickers
        key = tuple((each.ticker, each.content_hash) for each in self._store.list() if each.ticker in tickers)
        if self._last is None or self._last[0] != key:
            self._last = key, markets(self.histories(tickers))
        return self._last[1]
