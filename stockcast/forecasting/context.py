"""Context: the bars up to the cutoff, which is all that a forecaster ever sees; and the window that keeps
the answer to itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np

from stockcast.errors import InvalidWindow
from stockcast.forecasting.returns import Floats, log_returns
from stockcast.prices.frame import PriceFrame
from stockcast.prices.sessions import Sessions, next_sessions

# No currency and no coin quotes a close outside these; beyond them, exp of a forecast is not finite any more.
LEAST_CLOSE = 1e-9
LARGEST_CLOSE = 1e12


class Market(Protocol):
    """What is known of all tickers of an exchange together; see market.py."""

    def at(self, sessions: Sessions) -> Floats:
        """Its features on these sessions, NaN where not known. [T] -> [T, F]"""
        ...


@dataclass(frozen=True, eq=False)
class Bars:
    """What a session is known by beside its close; NaN where the source had none. All [T]."""

    open: Floats
    high: Floats
    low: Floats
    volume: Floats

    @staticmethod
    def of(frame: PriceFrame, rows: slice) -> Bars:
        """Views of these rows of a frame."""
        return Bars(frame.open[rows], frame.high[rows], frame.low[rows], frame.volume[rows])


@dataclass(frozen=True, eq=False)
class Context:
    """The bars up to and including the cutoff, oldest first.

    An uploaded window may carry no ticker and no dates: then `ticker`, `cutoff` and `sessions` are None. It may
    be closes alone: then `bars` is None. `market` holds the features of the market beside each close.
    """

    closes: Floats  # [T] adjusted, T >= lookback of the forecaster that reads it
    ticker: str | None = None
    currency: str | None = None
    cutoff: date | None = None
    sessions: tuple[date, ...] | None = None  # [H] the coming sessions, or None when there are no dates
    bars: Bars | None = None
    market: Floats | None = None  # [T, F] in the order of features.FEATURES, NaN where not known

    @property
    def last_close(self) -> float:
        return float(self.closes[-1])

    def require(self, lookback: int) -> None:
        """Raises InvalidWindow when there are fewer than `lookback` closes."""
        if len(self.closes) < lookback:
            raise InvalidWindow(
                f"{self.ticker or 'The window'} has {len(self.closes)} closes; this model reads {lookback}.",
                "Provide a longer history.",
            )

    @property
    def fingerprint(self) -> str:
        """sha256 of the ticker and of all that is known of its sessions, in hex."""
        digest = hashlib.sha256((self.ticker or "").encode())
        bars = (self.bars.open, self.bars.high, self.bars.low, self.bars.volume) if self.bars else ()
        for known in (self.closes, *bars, *(() if self.market is None else (self.market,))):
            digest.update(np.ascontiguousarray(known, dtype=np.float64).tobytes())
        return digest.hexdigest()


def context_at_end(frame: PriceFrame, horizon: int, market: Market | None = None) -> Context:
    """The whole frame as a context, the coming sessions from its exchange calendar."""
    return Context(
        closes=frame.close,
        ticker=frame.ticker,
        currency=frame.currency,
        cutoff=frame.last_session,
        sessions=next_sessions(frame.exchange, frame.last_session, horizon),
        bars=Bars.of(frame, slice(None)),
        market=None if market is None else market.at(frame.sessions),
    )


def require_window(closes: Floats, lookback: int) -> None:
    """Raises InvalidWindow when a window has not exactly `lookback` closes."""
    if closes.ndim != 1 or len(closes) != lookback:
        raise InvalidWindow(
            f"A window needs exactly {lookback} closes; this one has {closes.size}.",
            f"Provide the last {lookback} closes, oldest first, one per session.",
        )


def context_of_closes(
    closes: Sequence[float] | Floats,
    lookback: int,
    *,
    ticker: str | None = None,
    currency: str | None = None,
    cutoff: date | None = None,
    sessions: tuple[date, ...] | None = None,
) -> Context:
    """A context from an uploaded window of exactly `lookback` closes, oldest first.

    Raises InvalidWindow when the count is another or a close is not a number that a price can be.
    """
    values = np.asarray(closes, dtype=np.float64)
    require_window(values, lookback)
    if not (values.min() >= LEAST_CLOSE and values.max() <= LARGEST_CLOSE):  # also where one is no number
        wrong = np.flatnonzero(~((values >= LEAST_CLOSE) & (values <= LARGEST_CLOSE)))
        raise InvalidWindow(
            f"Close number {wrong[0] + 1} of {lookback} is {values[wrong[0]]:g}; closes must be positive numbers "
            f"between {LEAST_CLOSE:g} and {LARGEST_CLOSE:g}.",
            "Correct the value and try again.",
        )
    return Context(values, ticker, currency, cutoff, sessions)


@dataclass(frozen=True, eq=False)
class Window:
    """One step of a backtest: hand `context` to the forecaster, keep `actuals` for the scorer."""

    context: Context
    actuals: Floats  # [H] closes 1..H sessions later, NaN where not known yet. Never given to a forecaster!


def windows(
    frame: PriceFrame, cutoffs: Iterable[int], horizon: int, history: int, market: Market | None = None
) -> Iterator[Window]:
    """Windows of one frame whose cutoffs are the rows `cutoffs`, each context of up to `history` bars.

    The rows of the frame are its sessions: horizon h is h rows ahead; beyond the last row the exchange
    calendar names the sessions.
    """
    beyond = next_sessions(frame.exchange, frame.last_session, horizon)
    days = (*frame.sessions.astype(object), *beyond)
    closes = np.concatenate([frame.close, np.full(horizon, np.nan)])
    beside = None if market is None else market.at(frame.sessions)
    currency = frame.currency  # looked up once: it takes longer than all the rest
    for row in cutoffs:
        seen = slice(max(0, row + 1 - history), row + 1)
        context = Context(
            closes=frame.close[seen],
            ticker=frame.ticker,
            currency=currency,
            cutoff=days[row],
            sessions=days[row + 1 : row + 1 + horizon],
            bars=Bars.of(frame, seen),
            market=None if beside is None else beside[seen],
        )
        yield Window(context, closes[row + 1 : row + 1 + horizon])


def stack_returns(contexts: Sequence[Context], lookback: int) -> Floats:
    """Log returns of the last `lookback` closes of each context. [N, L - 1]

    Raises InvalidWindow when a context holds fewer closes.
    """
    for context in contexts:
        context.require(lookback)
    return log_returns(np.stack([context.closes[-lookback:] for context in contexts]))
