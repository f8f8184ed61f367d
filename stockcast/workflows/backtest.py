"""Backtests a model over a range of sessions and writes every forecast to a file."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from stockcast.config import Config
from stockcast.errors import TooShortHistory, TrainingFailed
from stockcast.evaluation.diagnose import diagnose
from stockcast.evaluation.diagnosis import Diagnosis
from stockcast.evaluation.refits import RefitPolicy, garch_reference, refitted_backtest
from stockcast.evaluation.rolling import Backtest, TickerBacktest, rolling_backtest
from stockcast.evaluation.scorecard import Scorecard
from stockcast.forecasting.context import Market
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.forecaster import Forecaster
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.quantiles import MEDIAN, level_position
from stockcast.prices.frame import PriceFrame
from stockcast.workflows.choose_estimator import choose_estimator
from stockcast.workflows.write_file import write_whole

# Levels in the file, as scripts rely on them.
FILE_LEVELS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)


@dataclass(frozen=True, eq=False)
class Judged:
    """A backtest with all that is said about it."""

    backtest: Backtest
    diagnosis: Diagnosis

    @property
    def scorecard(self) -> Scorecard:
        """Its figures beside the naive ones."""
        return self.diagnosis.scorecard


@dataclass(frozen=True, eq=False)
class Subject:
    """What is backtested: a version as it is, or what its configuration would have made of the past."""

    label: str  # as it is named to a person
    name: str  # of the version or the baseline, whatever becomes of aliases meanwhile
    config: Config
    forecaster: Forecaster | None  # None for a baseline, which is fitted to what lies before the backtest
    teachers: Callable[[], Sequence[PriceFrame]]  # what it learns from anew
    market: Callable[[], Mapping[str, Market]]  # what it reads as it is

    @property
    def known(self) -> Forecaster | None:
        """What forecasts without learning anything first."""
        kind, lookback = self.config.model.kind, self.config.windows.lookback
        if self.forecaster is None and kind == "naive":
            return NaiveForecaster(self.config.windows.max_horizon, lookback)
        if self.forecaster is None and kind == "ewma":
            return EwmaForecaster(lookback=lookback)
        return self.forecaster

    @property
    def is_garch(self) -> bool:
        """Whether it is the reference opponent itself."""
        return self.forecaster is None and self.config.model.kind == "garch"


def backtest(
    subject: Subject,
    frames: Sequence[PriceFrame],
    start: date,
    end: date,
    refit: RefitPolicy,
    scratch: Path,
    threads: int,
) -> Judged:
    """Forecasts every session from `start` to `end` and scores it beside naive, EWMA and GARCH.

    With a `refit` the model learns anew before each year or quarter. Raises LeakDetected, TooShortHistory or
    InvalidRequest.
    """
    judged = model_backtest(subject, frames, start, end, refit, scratch, threads)
    return judge_backtest(judged, frames, start, end, subject.config.windows.lookback, subject.label)


def model_backtest(
    subject: Subject,
    frames: Sequence[PriceFrame],
    start: date,
    end: date,
    refit: RefitPolicy,
    scratch: Path,
    threads: int,
) -> Backtest:
    """What the model alone says and what came true; raises as `backtest` does."""
    lookback = subject.config.windows.lookback
    if subject.is_garch:
        horizon = subject.config.windows.max_horizon
        return garch_reference(frames, start, end, refit, horizon=horizon, lookback=lookback, threads=threads)
    known = subject.known
    if known is None or refit != "never":
        return learnt_backtest(subject, frames, start, end, refit, scratch, threads)
    read = subject.market() if "market" in known.groups else None
    return rolling_backtest(known, frames, start, end, read)


def learnt_backtest(
    subject: Subject,
    frames: Sequence[PriceFrame],
    start: date,
    end: date,
    refit: RefitPolicy,
    scratch: Path,
    threads: int,
) -> Backtest:
    """The same of a model that learns anew before each block of `refit`, with `never` once."""
    config = subject.config
    if subject.forecaster is None:  # the plain rung, as others are held against it
        config = config.with_overrides(["calibration.recalibration=none"])
    return refitted_backtest(
        choose_estimator(config, scratch, threads),
        frames,
        start,
        end,
        refit,
        lookback=config.windows.lookback,
        embargo=config.split.embargo,
        teachers=subject.teachers(),
    )


def judge_backtest(
    judged: Backtest, frames: Sequence[PriceFrame], start: date, end: date, lookback: int, label: str
) -> Judged:
    """Holds a backtest against naive, EWMA and GARCH on the same question.

    GARCH is left out where the past of a ticker gives it too little to be fitted to.
    """
    horizon = judged.parts[0].forecasts[0].horizon
    naive, *opponents = light_opponents(frames, start, end, horizon, lookback)
    with contextlib.suppress(TooShortHistory, TrainingFailed):
        opponents.append(garch_reference(frames, start, end, horizon=horizon, lookback=lookback))
    return Judged(judged, diagnose(judged, naive, opponents, label))


def light_opponents(
    frames: Sequence[PriceFrame], start: date, end: date, horizon: int, lookback: int
) -> list[Backtest]:
    """Naive and EWMA, which need no fit. Raises InvalidRequest when no session is left."""
    both = NaiveForecaster(horizon, lookback), EwmaForecaster(lookback=lookback)
    return [rolling_backtest(each, frames, start, end) for each in both]


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
