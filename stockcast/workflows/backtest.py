"""Backtests a model over a range of sessions and writes every forecast to a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from stockcast.evaluation.rolling import Backtest, TickerBacktest, rolling_backtest
from stockcast.evaluation.scorecard import Scorecard, score
from stockcast.forecasting.forecaster import Forecaster
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.quantiles import MEDIAN, level_position
from stockcast.prices.frame import PriceFrame
from stockcast.workflows.write_file import write_whole

# Levels in the file, as scripts rely on them.
FILE_LEVELS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)


@dataclass(frozen=True, eq=False)
class Judged:
    """A backtest with its scorecard."""

    backtest: Backtest
    scorecard: Scorecard


def backtest(forecaster: Forecaster, frames: Sequence[PriceFrame], start: date, end: date) -> Judged:
    """Forecasts every session from `start` to `end` and scores it. Raises LeakDetected or InvalidRequest."""
    judged = rolling_backtest(forecaster, frames, start, end)
    naive = rolling_backtest(NaiveForecaster(forecaster.horizon, lookback=forecaster.lookback), frames, start, end)
    return Judged(judged, score(judged, naive))


def write_forecasts(judged: Backtest, file: Path) -> int:
    """Writes one row per ticker, session and horizon; returns the number of rows.

    Raises InvalidRequest when the file cannot be written.
    """
    table = pd.concat([_rows(part) for part in judged.parts], ignore_index=True)
    write_whole(file, table.to_csv(index=False).encode())
    return len(table)


def _rows(part: TickerBacktest) -> pd.DataFrame:
    horizons = part.actuals.shape[1]
    prices = part.last_closes[:, None, None] * np.exp(part.quantile_returns)  # [N, H, Q]
    blocks = []
    for horizon in range(1, horizons + 1):
        known = ~np.isnan(part.actuals[:, horizon - 1])
        shown = prices[known, horizon - 1]
        blocks.append(
            pd.DataFrame(
                {
                    "ticker": part.ticker,
                    "cutoff": np.array([forecast.context.cutoff for forecast in part.forecasts])[known],
                    "session": np.array(part.sessions(horizon))[known],
                    "horizon": horizon,
                    "last_close": part.last_closes[known],
                    "actual_close": part.actuals[known, horizon - 1],
                    "median": shown[:, MEDIAN],
                    **{f"q{level:g}": shown[:, level_position(level)] for level in FILE_LEVELS},
                }
            )
        )
    return pd.concat(blocks).sort_values(["cutoff", "horizon"])
