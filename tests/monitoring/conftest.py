"""Histories and windows of heavy-tailed returns on real sessions of the exchange."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from stockcast.monitoring.drift import window_at_end
from stockcast.prices.frame import PriceFrame
from stockcast.prices.sessions import sessions_between
from stockcast.prices.window import PriceWindow

TODAY = date(2024, 6, 28)
MakeFrame = Callable[..., PriceFrame]
MakeWindow = Callable[..., PriceWindow]


def heavy_tailed_closes(seed: int, count: int, daily: float) -> np.ndarray:
    """Closes whose log returns are Student-t with 5 degrees of freedom and standard deviation `daily`. [count]"""
    returns = daily * np.random.default_rng(seed).standard_t(5, count - 1) / np.sqrt(5 / 3)
    return 30 * np.exp(np.concatenate(([0.0], np.cumsum(returns))))


@pytest.fixture(scope="session")
def make_frame() -> MakeFrame:
    def make(seed: int = 1, count: int = 60, daily: float = 0.015, ticker: str = "AAPL") -> PriceFrame:
        days = sessions_between("XNYS", date(2010, 1, 4), TODAY)[-count:]
        bars = pd.DataFrame({"close": heavy_tailed_closes(seed, count, daily)}, index=pd.DatetimeIndex(days))
        return PriceFrame.from_dataframe(
            bars, ticker=ticker, source="test", as_of=datetime(2024, 6, 29, tzinfo=UTC)
        )

    return make


@pytest.fixture(scope="session")
def make_window(make_frame: MakeFrame) -> MakeWindow:
    def make(**arguments: object) -> PriceWindow:
        return window_at_end(make_frame(**arguments), 60)

    return make
