"""Chooses the histories that a universe's model learns from or is judged on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from stockcast.config import Config
from stockcast.errors import TooShortHistory, UnknownTicker
from stockcast.evaluation.split import least_sessions
from stockcast.prices.frame import PriceFrame
from stockcast.prices.store import PriceStore
from stockcast.prices.tickers import normalise_ticker


@dataclass(frozen=True)
class Chosen:
    """Histories with enough sessions, and the tickers left out with the reason."""

    frames: tuple[PriceFrame, ...]
    left_out: dict[str, str]

    @property
    def tickers(self) -> tuple[str, ...]:
        return tuple(frame.ticker for frame in self.frames)


def choose_histories(store: PriceStore, config: Config, tickers: Sequence[str], until: date | None) -> Chosen:
    """The histories of `tickers`, or of the universe when none are named, up to `until`.

    A named ticker that is too short is an error; one of a universe is left out with a sentence. Raises
    InvalidTicker, UnknownTicker or TooShortHistory.
    """
    # In one order, so that the same tickers give the same training however they were listed.
    named = tuple(sorted({normalise_ticker(ticker) for ticker in tickers}))
    wanted = named or universe_tickers(store, config)
    least = least_sessions(config)
    when = "" if until is None else f" on prices up to {until}"
    purpose = f"training{when} with a lookback of {config.windows.lookback}"
    frames: list[PriceFrame] = []
    left_out: dict[str, str] = {}
    for ticker in wanted:
        frame = store.load(ticker)
        if until is not None:
            frame = frame.until(until)
        try:
            frame.require(least, purpose)
        except TooShortHistory as problem:
            if named:
                raise
            left_out[ticker] = problem.message
        else:
            frames.append(frame)
    if not frames:
        raise TooShortHistory(
            f"No history of this universe is long enough: {purpose} needs at least {least} sessions.",
            "Download or import longer histories.",
        )
    return Chosen(tuple(frames), left_out)


def require_histories(store: PriceStore, config: Config, tickers: Sequence[str], until: date | None) -> None:
    """Raises what `choose_histories` would raise, mostly without reading a bar."""
    if until is None and not tickers:
        least = least_sessions(config)
        stored = {history.ticker: history.sessions for history in store.list()}
        if any(stored.get(ticker, 0) >= least for ticker in universe_tickers(store, config)):
            return
    choose_histories(store, config, tickers, until)


def universe_tickers(store: PriceStore, config: Config) -> tuple[str, ...]:
    """Tickers of a universe: those its configuration names, or else every stored one.

    Raises UnknownTicker when nothing is stored at all.
    """
    named = tuple(sorted({normalise_ticker(ticker) for ticker in config.universe.tickers}))
    found = named or tuple(history.ticker for history in store.list())
    if not found:
        raise UnknownTicker(
            "No prices are stored yet.",
            "Start with the bundled sample (stockcast prices sample), or import or fetch a ticker.",
        )
    return found
