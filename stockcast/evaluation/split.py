"""The chronological split: the same dates for every ticker, with an embargo after each cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from stockcast.config import Config
from stockcast.errors import TooShortHistory
from stockcast.forecasting.forecaster import TrainingPair
from stockcast.prices.frame import PriceFrame

# A price that stands still on most sessions is hardly traded; its zeros would teach the others calm.
MOST_STILL = 0.5
LEAST_VALIDATION = 15  # cutoffs; fewer decide nothing, and would shorten the chunks of all others


@dataclass(frozen=True)
class Split:
    """Dates that cut every history alike; all are sessions and inclusive."""

    train_end: date  # last session that fitting may see
    validation_start: date  # first validation cutoff
    validation_end: date  # last session that stopping and calibration may see
    test_start: date  # first session that is forecast in the test
    test_end: date


def split_dates(frames: Sequence[PriceFrame], config: Config) -> Split:
    """Cuts the union of all sessions into train, validation and test shares.

    Raises TooShortHistory when a part could not hold a single window.
    """
    days = np.unique(np.concatenate([frame.sessions for frame in frames]))
    count = len(days)
    needed = least_sessions(config)
    if count < needed:
        raise TooShortHistory(
            f"{_names(frames)} with {count} sessions cannot be split into train, validation and test; "
            f"at least {needed} are needed for a lookback of {config.windows.lookback}.",
            "Download a longer history or lower windows.lookback.",
        )
    train = int(count * config.split.train)
    validation = int(count * (config.split.train + config.split.validation))
    embargo = config.split.embargo
    as_dates = days.astype(object)
    return Split(
        train_end=as_dates[train - 1],
        validation_start=as_dates[train + embargo],
        validation_end=as_dates[validation - 1],
        test_start=as_dates[validation + embargo],
        test_end=as_dates[-1],
    )


def least_sessions(config: Config) -> int:
    """Fewest sessions of a history that can be trained on and judged: every part must hold real work."""
    lookback, horizon, embargo = config.windows.lookback, config.windows.max_horizon, config.split.embargo
    test = 1 - config.split.train - config.split.validation
    by_train = (2 * lookback + horizon) / config.split.train
    by_validation = (20 + embargo + horizon) / config.split.validation
    by_test = (20 + embargo + horizon) / test
    return int(np.ceil(max(by_train, by_validation, by_test)))


def training_pairs(
    frames: Sequence[PriceFrame], split: Split, config: Config
) -> tuple[list[TrainingPair], dict[str, str]]:
    """The parts of each history that fitting may see, and the tickers left out with the reason."""
    pairs: list[TrainingPair] = []
    left_out: dict[str, str] = {}
    lookback, horizon = config.windows.lookback, config.windows.max_horizon
    for frame in frames:
        train = frame.until(split.train_end)
        until = frame.until(split.validation_end)
        first = int(np.searchsorted(until.sessions, np.datetime64(split.validation_start, "D")))
        # A younger one would shorten the chunks of all others, and so multiply the cost of training.
        if len(train) < 2 * lookback:
            left_out[frame.ticker] = (
                f"{frame.ticker} has {len(train)} sessions up to {split.train_end}, too few to learn from"
            )
            continue
        still = float(np.mean(np.diff(train.close) == 0))
        if still > MOST_STILL:
            left_out[frame.ticker] = (
                f"{frame.ticker} closed unchanged on {100 * still:.0f} % of its sessions up to {split.train_end}; "
                "nothing about a moving price can be learnt from it"
            )
            continue
        if len(until) < first + horizon + LEAST_VALIDATION:
            left_out[frame.ticker] = (
                f"{frame.ticker} has {len(until) - first} sessions from {split.validation_start} to "
                f"{split.validation_end}, too few to decide when training stops"
            )
            continue
        pairs.append(TrainingPair(until, len(train), first))
    if not pairs:
        raise TooShortHistory(
            f"There is nothing to learn from: {'; '.join(list(left_out.values())[:3])}.",
            "Download a longer history, or look at the prices: stockcast prices show TICKER",
        )
    return pairs, left_out


def _names(frames: Sequence[PriceFrame]) -> str:
    names = [frame.ticker for frame in frames]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
