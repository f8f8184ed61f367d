"""Daily bars drawn as weekly ones where a chart would hold too many: a price frame in, a data frame out."""

from __future__ import annotations

import pandas as pd

from stockcast.prices.frame import PriceFrame

MOST_BARS = 800  # what a browser draws and a person sees


def drawable_bars(frame: PriceFrame) -> tuple[pd.DataFrame, bool]:
    """The bars to draw, indexed by session, and whether they are weekly.

    A week is named by its last session; its range counts only where all of its sessions have one.
    """
    daily = frame.to_dataframe()
    if len(daily) <= MOST_BARS:
        return daily, False
    sessions = pd.DatetimeIndex(daily.index)
    weeks = sessions.to_period("W")
    by_week = daily.groupby(weeks)
    weekly = pd.DataFrame(
        {
            "open": by_week["open"].first(skipna=False),
            "high": by_week["high"].max(skipna=False),
            "low": by_week["low"].min(skipna=False),
            "close": by_week["close"].last(),
            "volume": by_week["volume"].sum(min_count=1),
        }
    )
    weekly.index = pd.DatetimeIndex(sessions.to_series().groupby(weeks).max())
    return weekly, True
