"""Price payloads for tests: raw bar tables, and tables as yfinance returns them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd

from stockcast.prices.sessions import sessions_between
from stockcast.prices.source import PriceQuestion

# A Wednesday evening in New York and Sao Paulo: 2024-05-15 is over, 2024-05-16 is not.
NOW = datetime(2024, 5, 15, 23, tzinfo=UTC)
QUESTION = PriceQuestion("AAPL")


def days_until(last: str, count: int, exchange: str = "XNYS") -> list[str]:
    """The `count` sessions up to `last`, as ISO dates."""
    return [f"{day}" for day in sessions_between(exchange, date(2000, 1, 3), date.fromisoformat(last))[-count:]]


def raw_bars(
    days: Sequence[str], closes: Sequence[float] | None = None, **columns: Sequence[float]
) -> pd.DataFrame:
    """A raw bar table whose range holds the close; `columns` replace whole columns."""
    close = np.asarray(100.0 + np.arange(len(days)) if closes is None else closes, dtype=float)
    table = {
        "session": pd.to_datetime(list(days)),
        "open": close * 0.999,
        "high": close * 1.01,
        "low": close * 0.99,
        "close": close,
        "volume": 1000.0 + np.arange(len(days)),
    }
    return pd.DataFrame(table | {name: np.asarray(values, dtype=float) for name, values in columns.items()})


def yahoo_payload(days: Sequence[str], closes: Sequence[float] | None = None, factor: float = 1.0) -> pd.DataFrame:
    """What `yfinance.Ticker.history` returns for daily bars: exchange-local midnights, capitalised columns."""
    bars = raw_bars(days, closes)
    index = pd.DatetimeIndex(bars["session"]).tz_localize("America/New_York").rename("Date")
    table = bars.drop(columns="session").rename(columns=str.capitalize).set_axis(index)
    table[["Open", "High", "Low", "Close"]] *= factor
    return table.astype({"Volume": "int64"})
