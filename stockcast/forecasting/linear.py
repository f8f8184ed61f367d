"""Pooled linear Student-t: the log scale of the coming return as a linear function of all that is known.

One model a pattern of what is known (closes alone, with ranges, with the market, with both), fitted to all tickers
together: Student-t regression of the scale by Fisher scoring, shrunk towards the EWMA volatility.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from stockcast.forecasting import student_t
from stockcast.forecasting.context import Context
from stockcast.forecasting.forecaster import ForecasterState, Group, TrainingPair
from stockcast.forecasting.inputs import (
    GROUPS,
    INPUTS,
    MARKET_COLUMNS,
    MARKET_MASK,
    RANGE_COLUMNS,
    RANGE_MASK,
    hide,
    history_of,
    stack_inputs,
)
from stockcast.forecasting.observer import Observer
from stockcast.forecasting.quantiles import QuantileForecast
from stockcast.forecasting.returns import Floats
from stockcast.forecasting.training_rows import training_rows

LOOKBACK = 60
PATTERNS: tuple[tuple[Group, ...], ...] = ((), ("range",), ("market",), ("range", "market"))
# Prior standard deviation of a weight is 0.1: no feature alone moves the scale by more than some tens of percent.
PRIOR_PRECISION = 100.0
# The scale stays within a factor of 4.5 of the EWMA volatility's, so that no input can break a forecast.
LARGEST_CORRECTION = 1.5
LARGEST_TARGET = 30.0  # in volatilities; beyond, a price is wrong rather than a day wild
LEAST_ROWS = 5  # a weight, or a pattern is taken for the simpler one
ITERATIONS, CLOSE_ENOUGH = 30, 1e-4


@dataclass(frozen=True, eq=False)
class ScaleModel:
    """Weights of the log scale and degrees of freedom, per pattern P and horizon H."""

    intercepts: Floats  # [P, H] log scale where all inputs are zero
    weights: Floats  # [P, H, I] zero where a pattern does not know the input
    dfs: Floats  # [P, H]

    def outputs(self, inputs: Floats) -> tuple[Floats, Floats]:
        """Scale in units of the volatility, and degrees of freedom. [N, I] -> [N, H], [N, H]"""
        pattern = patterns_of(inputs)  # [N]
        correction = np.einsum("nhi,ni->nh", self.weights[pattern], inputs)
        bounded = np.clip(correction, -LARGEST_CORRECTION, LARGEST_CORRECTION)
        return np.exp(self.intercepts[pattern] + bounded), self.dfs[pattern]


@dataclass(frozen=True, eq=False)
class LinearForecaster:
    """Median = last close; the scale is linear in what is known at the cutoff."""

    model: ScaleModel
    groups: tuple[Group, ...]
    lookback: int = LOOKBACK
    trained_until: date | None = None
    kind: str = "linear"
    adaptation: float = 0.0

    @property
    def horizon(self) -> int:
        """Sessions ahead of its furthest forecast."""
        return int(self.model.dfs.shape[1])

    @property
    def history(self) -> int:
        """Most closes that it looks at."""
        return max(self.lookback, history_of(1))

    def forecast(self, contexts: Sequence[Context]) -> list[QuantileForecast]:
        """One forecast per context. Raises InvalidWindow when a context is too short."""
        if not contexts:
            return []
        inputs = stack_inputs(contexts, 1, self.lookback, self.groups)
        scale, df = self.model.outputs(inputs.values[:, 0])
        values = student_t.quantiles(np.zeros_like(scale), scale * inputs.volatility, df)
        return [QuantileForecast(context, self.kind, row) for context, row in zip(contexts, values, strict=True)]

    def state(self) -> ForecasterState:
        """What a bundle has to store of it."""
        return ForecasterState(
            self.kind,
            {
                "lookback": self.lookback,
                "horizon": self.horizon,
                "inputs": list(INPUTS),
                "groups": list(map(str, self.groups)),
                "intercepts": self.model.intercepts.ravel().tolist(),
                "weights": self.model.weights.ravel().tolist(),
                "dfs": self.model.dfs.ravel().tolist(),
            },
        )


@dataclass(frozen=True)
class LinearEstimator:
    """Fits the scale to every session of the training parts."""

    horizon: int = 5
    lookback: int = LOOKBACK
    groups: tuple[Group, ...] = GROUPS

    def fit(self, pairs: Sequence[TrainingPair], observer: Observer) -> LinearForecaster:
        """Learns from the training parts alone. Raises TooShortHistory when one holds no window."""
        observer.doing("Fitting the linear model", 0.0)
        rows = training_rows(pairs, self.lookback, self.horizon)
        model, groups = fit_scale_model(rows.inputs, rows.targets, self.groups)
        return LinearForecaster(model, groups, self.lookback, max(pair.train.last_session for pair in pairs))


def fit_scale_model(
    inputs: Floats, targets: Floats, allowed: Sequence[Group]
) -> tuple[ScaleModel, tuple[Group, ...]]:
    """The model of inputs [N, I] and standardised targets [N, H], and the groups that it has learnt to read.

    A group that is known in less than a tenth of the rows teaches nothing; its patterns repeat the simpler ones.
    """
    masks = {"range": RANGE_MASK, "market": MARKET_MASK}
    groups = tuple(group for group in GROUPS if group in allowed and inputs[:, masks[group]].mean() > 0.1)
    horizon, wanted = targets.shape[1], np.clip(targets, -LARGEST_TARGET, LARGEST_TARGET)
    intercepts = np.zeros((len(PATTERNS), horizon))
    weights = np.zeros((len(PATTERNS), horizon, inputs.shape[1]))
    dfs = np.zeros((len(PATTERNS), horizon))
    for number, pattern in enumerate(PATTERNS):
        usable = tuple(group for group in pattern if group in groups)
        known = np.ones(len(inputs), bool)
        for group in usable:
            known &= inputs[:, masks[group]] > 0
        columns = _columns(pattern)
        if usable == pattern and pattern and known.sum() < LEAST_ROWS * len(columns):
            usable = pattern[:-1]
        if usable != pattern:
            same = PATTERNS.index(usable)
            intercepts[number], weights[number], dfs[number] = intercepts[same], weights[same], dfs[same]
            continue
        seen = inputs[known]
        for group in GROUPS:
            seen = seen if group in pattern else hide(seen, group)
        for h in range(horizon):
            found, df = _fit(seen[:, columns], wanted[known, h])
            intercepts[number, h], weights[number, h, columns], dfs[number, h] = found[0], found[1:], df
    return ScaleModel(intercepts, weights, dfs), groups


def patterns_of(inputs: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Which of PATTERNS each row knows. [N, I] -> [N]"""
    return (inputs[:, RANGE_MASK] > 0).astype(np.int64) + 2 * (inputs[:, MARKET_MASK] > 0)


def _columns(pattern: Sequence[Group]) -> list[int]:
    """Inputs that vary where this pattern is known; masks are constant there."""
    gone = {RANGE_MASK, MARKET_MASK}
    gone |= set() if "range" in pattern else set(RANGE_COLUMNS)
    gone |= set() if "market" in pattern else set(MARKET_COLUMNS)
    return [column for column in range(len(INPUTS)) if column not in gone]


def _fit(inputs: Floats, targets: Floats) -> tuple[Floats, float]:
    """Weights, intercept first, and degrees of freedom. [N, F], [N] -> [1 + F]"""
    scale, df = student_t.fit(targets[:: max(1, len(targets) // 5000)])
    design = np.concatenate([np.ones((len(inputs), 1)), inputs], axis=1)
    penalty = np.full(design.shape[1], PRIOR_PRECISION / len(design))
    penalty[0] = 0.0
    curvature = np.linalg.inv(design.T @ design / len(design) + np.diag(penalty + 1e-9))
    weights = np.zeros(design.shape[1])
    weights[0] = np.log(scale)
    for number in range(ITERATIONS):
        z = targets / np.exp(design @ weights)
        slope = design.T @ ((df + 1) * z * z / (df + z * z) - 1) / len(design)
        step = curvature @ (slope * (df + 3) / (2 * df) - penalty * weights)
        weights += step
        if number % 3 == 1:
            df = _best_df(z[:: max(1, len(z) // 20000)])
        if np.abs(step).max() < CLOSE_ENOUGH:
            break
    return weights, df


def _best_df(z: Floats) -> float:
    from scipy.optimize import minimize_scalar  # only what learns needs it, and it is large

    return float(
        minimize_scalar(
            lambda df: student_t.negative_log_likelihood(z, 1.0, df),
            bounds=(student_t.LEAST_DF, student_t.MOST_DF),
            method="bounded",
            options={"xatol": 0.05},
        ).x
    )
