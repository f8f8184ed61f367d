"""Features: what the models read at every step, scale-free and causal.

Everything is measured in units of the window's own volatility, so no fitted scaler travels with a model. Each step
sees the MEMORY returns up to and including its own, so that a feature does not depend on where a history begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from stockcast.forecasting.returns import Floats
from stockcast.forecasting.volatility import DECAY, FLOOR
from stockcast.prices.frame import PriceFrame

# Half-lives in sessions: days, a week, a month, a quarter. The heterogeneous horizons of Corsi (2009).
HALF_LIVES = (1.5, 5.0, 22.0, 60.0)
MEMORY = 250  # returns; a year
BLOCK = 250  # steps of a whole history that are computed together
CLOSE_FEATURES = (
    "standardised_return",
    "log_absolute_return",
    *(f"log_volatility_{half_life:g}" for half_life in HALF_LIVES),
    # Falls raise the coming volatility more than rises do: the leverage effect of Black (1976).
    *(f"mean_return_{half_life:g}" for half_life in HALF_LIVES[:3]),
)
RANGE_FEATURES = (
    "log_range",
    *(f"log_range_{half_life:g}" for half_life in HALF_LIVES),
    "gap",
    "log_absolute_gap",
    "close_in_range",
    "log_volume",
)
FEATURES = CLOSE_FEATURES + RANGE_FEATURES
CLIP = 6.0  # in volatilities; one crash must not decide a training
VOLUME_HALF_LIFE = 10.0  # sessions of the volume that a session's own is compared with


@dataclass(frozen=True, eq=False)
class StepFeatures:
    """Features of the last S steps of N histories."""

    values: Floats  # [N, S, F] in the order of FEATURES; the range features are zero where they are not known
    range_known: Floats  # [N, S] 1 where open, high and low are known, else 0
    volatility: Floats  # [N, S] EWMA(0.94) of the returns, what everything is measured in


def step_features(
    closes: Floats, opens: Floats, highs: Floats, lows: Floats, volumes: Floats, steps: int
) -> StepFeatures:
    """Features of the last `steps` returns of histories of T closes. All [N, T].

    Histories that begin later have NaN closes first; opens, highs, lows and volumes are NaN where not known.
    """
    with np.errstate(invalid="ignore"):
        returns = np.diff(np.log(closes), axis=-1)  # [N, T - 1]
    known = np.isfinite(returns).astype(np.float64)
    returns = np.where(known > 0, returns, 0.0)
    average = _Averages(known, steps)
    volatility = np.maximum(np.sqrt(average(returns**2, DECAY)), FLOOR)  # [N, S]
    standardised = returns[:, -steps:] / volatility
    columns = [
        np.clip(standardised, -CLIP, CLIP),
        np.log(np.abs(standardised) + 0.1),
        *(_log_ratio(average(returns**2, _decay(half)), volatility) for half in HALF_LIVES),
        *(np.clip(average(returns, _decay(half)) / volatility, -3, 3) for half in HALF_LIVES[:3]),
    ]
    ranges, range_known = _range_features(closes, opens, highs, lows, volumes, volatility)
    values = np.concatenate([np.stack(columns, axis=-1), ranges], axis=-1)
    return StepFeatures(values, range_known, volatility)


def history_features(frame: PriceFrame) -> StepFeatures:
    """Features at every return of a frame. N is 1, S is T - 1"""
    columns = (frame.close, frame.open, frame.high, frame.low, frame.volume)
    closes, opens, highs, lows, volumes = (
        np.concatenate([np.full(MEMORY - 1, np.nan), column])[None] for column in columns
    )
    parts = []
    for start in range(0, len(frame) - 1, BLOCK):
        stop = min(start + BLOCK, len(frame) - 1)
        rows = slice(start, stop + MEMORY)
        parts.append(
            step_features(
                closes[:, rows], opens[:, rows], highs[:, rows], lows[:, rows], volumes[:, rows], stop - start
            )
        )
    return StepFeatures(
        np.concatenate([part.values for part in parts], axis=1),
        np.concatenate([part.range_known for part in parts], axis=1),
        np.concatenate([part.volatility for part in parts], axis=1),
    )


def _range_features(
    closes: Floats, opens: Floats, highs: Floats, lows: Floats, volumes: Floats, volatility: Floats
) -> tuple[Floats, Floats]:
    """Range and volume features of the last S steps. [N, T] each, [N, S] -> [N, S, F], known [N, S]"""
    steps = volatility.shape[1]
    if np.isnan(highs).all():  # closes alone
        return np.zeros((*volatility.shape, len(RANGE_FEATURES))), np.zeros(volatility.shape)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore", under="ignore"):
        gap = np.log(opens[:, 1:] / closes[:, :-1])
        # Parkinson (1980) for the session, and the gap before it; a variance like the squared return.
        variance = np.log(highs[:, 1:] / lows[:, 1:]) ** 2 / (4 * np.log(2)) + gap**2
        inside = (closes[:, 1:] - opens[:, 1:]) / (highs[:, 1:] - lows[:, 1:])
        log_volume = np.log(volumes[:, 1:])
    known = np.isfinite(variance).astype(np.float64)
    average = _Averages(known, steps)
    now = known[:, -steps:]
    gap_now = np.where(now > 0, np.nan_to_num(gap[:, -steps:]), 0.0) / volatility
    variance = np.where(known > 0, variance, 0.0)
    columns = [
        _log_ratio(variance[:, -steps:], volatility),
        *(_log_ratio(average(variance, _decay(half)), volatility) for half in HALF_LIVES),
        np.clip(gap_now, -CLIP, CLIP),
        np.log(np.abs(gap_now) + 0.1),
        np.clip(np.where(np.isfinite(inside), inside, 0.0)[:, -steps:], -1, 1),
    ]
    ranges = np.where(now[:, :, None] > 0, np.stack(columns, axis=-1), 0.0)
    # As for ranges, a first bar counts only where another comes before it, or padding would change the average.
    traded = (np.isfinite(log_volume) & np.isfinite(closes[:, :-1])).astype(np.float64)
    log_volume = np.where(traded > 0, log_volume, 0.0)
    usual = _Averages(traded, steps)(log_volume, _decay(VOLUME_HALF_LIFE))
    surprise = np.clip(log_volume[:, -steps:] - usual, -3, 3) * traded[:, -steps:] * now
    return np.concatenate([ranges, surprise[:, :, None]], axis=-1), now


class _Averages:
    """Exponentially weighted means at the last S steps over what is known. known [N, T]"""

    def __init__(self, known: Floats, steps: int) -> None:
        self.known = known
        self.steps = steps

    def __call__(self, values: Floats, decay: float) -> Floats:
        """values [N, T], zero where not known -> [N, S]"""
        weights = _weights(values.shape[-1], self.steps, decay).T  # [T, S]
        mass = self.known @ weights
        return np.asarray((values @ weights) / np.maximum(mass, 1e-12))


@lru_cache(maxsize=128)
def _weights(length: int, steps: int, decay: float) -> NDArray[np.float64]:
    """Weights of T values for the means at the last S of them, MEMORY back. [S, T]"""
    age = np.arange(length - steps, length)[:, None] - np.arange(length)[None, :]
    weights: Floats = np.where((age >= 0) & (age < MEMORY), decay ** np.clip(age, 0, MEMORY), 0.0)
    weights.setflags(write=False)
    return weights


def _decay(half_life: float) -> float:
    return float(0.5 ** (1 / half_life))


def _log_ratio(variance: Floats, volatility: Floats) -> Floats:
    """Log of a volatility over the one everything is measured in, bounded."""
    return np.clip(np.log(np.maximum(np.sqrt(variance), FLOOR) / volatility), -4, 4)
