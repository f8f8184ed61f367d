"""Intervals that hold what they promise: recalibration on validation, then adaptation ticker by ticker.

Both work on the coverage of central intervals and leave the median alone. What is asked of a forecaster is the
interval of another coverage, the one that in the past held the share that was promised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stockcast.forecasting.distribution import Distribution
from stockcast.forecasting.quantiles import LEVELS, MEDIAN, QuantileForecast
from stockcast.forecasting.returns import Floats

CENTRAL: Floats = 2 * LEVELS[MEDIAN + 1 :] - 1  # 0.05, ..., 0.95: coverages of the central intervals [C]
CENTRAL.setflags(write=False)
LEAST, MOST = 0.001, 0.998  # coverages that are asked for; beyond, the tail is a guess
WARM_UP = 250  # sessions before a first forecast in which intervals adapt to their ticker
# Validation scores that weigh as much as the belief that a forecaster is right already.
PRIOR_SCORES = 500.0


def scores(forecasts: Sequence[QuantileForecast], returns: Floats) -> Floats:
    """Coverage of the central interval that just holds what came true. N forecasts, returns [N, H] -> [N, H]

    Even in [0, 1] when the intervals are right; NaN where the return is not known yet.
    """
    stacked = np.stack([forecast.log_returns for forecast in forecasts])  # [N, H, Q]
    found = np.full(returns.shape, np.nan)
    for column in range(returns.shape[1]):
        known = np.isfinite(returns[:, column])
        probability = Distribution.of(stacked[known, column]).probability(returns[known, column])
        found[known, column] = np.abs(2 * probability - 1)
    return found


def recalibration(found: Floats) -> Floats:
    """Coverages to ask for so that CENTRAL is held, from the scores of validation. [N, H] -> [H, C]

    The quantiles of the scores, which is the isotonic regression of what was held on what was promised
    (Kuleshov, Fenner and Ermon, 2018), drawn towards no change where there are few.
    """
    asked = []
    for column in found.T:
        known = column[np.isfinite(column)]
        weight = len(known) / (len(known) + PRIOR_SCORES)
        asked.append(weight * np.quantile(known, CENTRAL) + (1 - weight) * CENTRAL if len(known) else CENTRAL)
    return np.asarray(np.clip(np.stack(asked), LEAST, MOST))


def ask_for(forecasts: Sequence[QuantileForecast], coverages: Floats) -> list[QuantileForecast]:
    """The same forecasts, read at other coverages. coverages [N, H, C], or [H, C] for all of them"""
    if not forecasts:
        return []
    stacked = np.stack([forecast.log_returns for forecast in forecasts])  # [N, H, Q]
    asked = np.clip(coverages, LEAST, MOST)
    levels = np.concatenate(
        [(1 - asked[..., ::-1]) / 2, np.full((*asked.shape[:-1], 1), 0.5), (1 + asked) / 2], axis=-1
    )
    flat = Distribution.of(stacked.reshape(-1, stacked.shape[-1]))
    if asked.ndim == 2:
        read = flat.at_same(levels)
    else:
        read = flat.at(levels.reshape(-1, stacked.shape[-1])).reshape(stacked.shape)
    read[..., MEDIAN] = stacked[..., MEDIAN]
    read = np.maximum.accumulate(read, axis=-1)
    return [
        QuantileForecast(forecast.context, forecast.forecaster, row)
        for forecast, row in zip(forecasts, read, strict=True)
    ]


@dataclass(frozen=True, eq=False)
class Adaptation:
    """What adaptive conformal inference (Gibbs and Candes, 2021) knows of one ticker after some cutoffs.

    `asked` [H, C] is asked for next. `open` [P, H, C] was asked for at the last P cutoffs, newest last, and
    `open_scores` [P, H] is what came of it so far: the feedback of h sessions ahead comes h sessions later.
    """

    asked: Floats
    open: Floats
    open_scores: Floats

    @staticmethod
    def fresh(horizon: int) -> Adaptation:
        """Nothing known yet: ask for what is promised."""
        nothing = np.empty((0, horizon, len(CENTRAL)))
        return Adaptation(np.tile(CENTRAL, (horizon, 1)), nothing, np.empty((0, horizon)))


def adapt(found: Floats, step: float, start: Adaptation) -> tuple[Floats, Adaptation]:
    """Coverages to ask for at each of N consecutive cutoffs, and the state after them.

    `found` [N, H] are the scores of the forecasts as they are before adaptation; cutoff i uses of them only
    those h ahead from cutoffs up to i - h. Missing feedback changes nothing. What is asked for may leave [0, 1],
    as the method needs it to; `ask_for` keeps it within what can be read. -> [N, H, C]
    """
    asked = np.array(start.asked)
    columns = np.arange(len(asked))
    before = len(start.open)
    history = np.concatenate([start.open, np.empty((len(found), *asked.shape))])  # [P + N, H, C]
    seen = np.concatenate([start.open_scores, found])  # [P + N, H]
    for row in range(before, len(history)):
        told = row - 1 - columns  # [H] the cutoff whose outcome has just become known, per horizon
        there = np.maximum(told, 0)
        known = (told >= 0) & np.isfinite(seen[there, columns])
        held = seen[there, columns, None] <= history[there, columns]  # [H, C]
        asked = np.where(known[:, None], np.sort(asked + step * (CENTRAL - held), axis=1), asked)
        history[row] = asked
    kept = slice(max(0, len(history) - len(asked)), None)
    return history[before:], Adaptation(asked, history[kept], seen[kept])
