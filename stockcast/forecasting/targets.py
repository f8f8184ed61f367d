"""Targets: log returns from the cutoff close to the close h sessions later."""

from __future__ import annotations

import numpy as np

from stockcast.forecasting.returns import Floats, log_returns
from stockcast.forecasting.volatility import ewma_volatility
from stockcast.prices.frame import PriceFrame


def targets(closes: Floats, horizon: int) -> Floats:
    """Targets of every cutoff that knows its `horizon` coming closes. [T] -> [T - H, H]"""
    logs = np.log(closes)
    count = len(logs) - horizon
    return np.stack([logs[h : h + count] - logs[:count] for h in range(1, horizon + 1)], axis=1)


def standardised_targets(frame: PriceFrame, lookback: int, horizon: int) -> Floats:
    """Targets over the EWMA volatility of the `lookback` closes up to their cutoff. [N, H]

    Raises TooShortHistory when the frame holds no whole window.
    """
    frame.require(lookback + horizon, "fitting")
    returns = np.lib.stride_tricks.sliding_window_view(log_returns(frame.close), lookback - 1)  # [*, L - 1]
    volatility = ewma_volatility(returns)[:, -1]  # one per cutoff from row lookback - 1 on
    wanted = targets(frame.close, horizon)[lookback - 1 :]  # [N, H]
    return wanted / volatility[: len(wanted), None]
