"""Inputs of the linear model and the network: a ticker's own features, those of its market, and what is known.

One model serves sixty closes and whole bars: a group of features that a context lacks is zero, and a mask says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from stockcast.forecasting.context import Context
from stockcast.forecasting.features import CLOSE_FEATURES, FEATURES, MEMORY, StepFeatures, step_features
from stockcast.forecasting.forecaster import Group
from stockcast.forecasting.returns import Floats

GROUPS: tuple[Group, ...] = get_args(Group)
CLOSES, OWN = len(CLOSE_FEATURES), len(FEATURES)
# Columns: own features, whether the range is known, market features, whether the market is known.
RANGE_MASK, MARKET_MASK = OWN, 2 * OWN + 1
INPUTS = (*FEATURES, "range_known", *(f"market_{name}" for name in FEATURES), "market_known")
RANGE_COLUMNS = (*range(CLOSES, OWN + 1), *range(OWN + 1 + CLOSES, MARKET_MASK))
MARKET_COLUMNS = tuple(range(OWN + 1, MARKET_MASK + 1))


@dataclass(frozen=True, eq=False)
class Inputs:
    """What is known at the last S steps of N contexts."""

    values: Floats  # [N, S, I] in the order of INPUTS
    volatility: Floats  # [N, S] what targets are measured in


def history_of(steps: int) -> int:
    """Closes that the inputs of `steps` steps look at."""
    return steps + MEMORY


def stack_inputs(contexts: Sequence[Context], steps: int, lookback: int, groups: Sequence[Group]) -> Inputs:
    """Inputs of the last `steps` steps of each context; groups that are not named are taken as unknown.

    Raises InvalidWindow when a context holds fewer than `lookback` closes.
    """
    for context in contexts:
        context.require(lookback)
    length = min(history_of(steps), max(len(context.closes) for context in contexts))
    closes = _stack([context.closes for context in contexts], length)
    unknown = np.full_like(closes, np.nan)
    bars = [unknown] * 4
    if "range" in groups and any(context.bars for context in contexts):
        nothing = np.full(1, np.nan)
        known = [
            (each.open, each.high, each.low, each.volume) if (each := context.bars) else (nothing,) * 4
            for context in contexts
        ]
        bars = [_stack(list(column), length) for column in zip(*known, strict=True)]
    market = np.full((len(contexts), steps, OWN), np.nan)
    if "market" in groups:
        for row, context in enumerate(contexts):
            if context.market is not None:
                market[row, -len(context.market) :] = context.market[-steps:]
    return assemble(step_features(closes, bars[0], bars[1], bars[2], bars[3], steps), market)


def assemble(own: StepFeatures, market: Floats) -> Inputs:
    """Inputs from a ticker's own features and those of its market [N, S, F], NaN where not known."""
    if np.isnan(market).all():  # closes or bars alone
        values = np.zeros((*own.volatility.shape, len(INPUTS)))
        values[..., :OWN], values[..., RANGE_MASK] = own.values, own.range_known
        return Inputs(values, own.volatility)
    market_known = np.asarray(np.isfinite(market[:, :, :CLOSES]).all(axis=2))
    # A market without ranges beside a ticker with them, or the other way round, is not worth a pattern of its own.
    market_ranges = np.isfinite(market[:, :, CLOSES:]).all(axis=2) & (own.range_known > 0)
    shown = np.zeros_like(market)
    shown[:, :, :CLOSES] = np.where(market_known[:, :, None], market[:, :, :CLOSES], 0.0)
    shown[:, :, CLOSES:] = np.where(market_ranges[:, :, None], market[:, :, CLOSES:], 0.0)
    values = np.concatenate(
        [own.values, own.range_known[:, :, None], shown, market_known[:, :, None].astype(np.float64)], axis=2
    )
    return Inputs(values, own.volatility)


def hide(values: Floats, group: Group) -> Floats:
    """A copy in which a group is not known, as a context without it would have it. [..., I] -> [..., I]"""
    hidden = np.array(values)
    hidden[..., list(RANGE_COLUMNS if group == "range" else MARKET_COLUMNS)] = 0.0
    return hidden


def _stack(columns: Sequence[Floats], length: int) -> Floats:
    """The last `length` values of each, NaN first where one is shorter. [N, length]"""
    stacked = np.full((len(columns), length), np.nan)
    for row, column in enumerate(columns):
        kept = column[-length:]
        stacked[row, length - len(kept) :] = kept
    return stacked
