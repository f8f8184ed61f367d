"""A window to try the API with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stockcast.api.histories import Histories
from stockcast.client.schemas import EXAMPLE_PRICES, SampleData


async def sample_window(histories: Histories, preferred: Sequence[str], lookback: int) -> SampleData:
    """The end of a stored history of one of the preferred tickers, or of any; closes of the program otherwise."""
    await histories.refresh()
    for ticker in dict.fromkeys((*preferred, *histories.tickers)):
        frame = await histories.find(ticker) if histories.known(ticker) else None
        if frame is not None and len(frame) >= lookback:
            days = frame.sessions[-lookback:].astype(object).tolist()
            return SampleData(
                description=f"The last {lookback} stored closes of {ticker}, {days[0]} to {days[-1]}.",
                last_prices=frame.close[-lookback:].tolist(),
                ticker=ticker,
                dates=days,
            )
    prices: list[float] = np.resize(np.array(EXAMPLE_PRICES), lookback).tolist()
    return SampleData(
        description=f"{lookback} closes that come with the program: nothing is stored.",
        last_prices=prices, ticker=None, dates=None,
    )  # fmt: skip
