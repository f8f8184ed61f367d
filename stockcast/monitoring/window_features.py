"""What is measured of the shape of a window: numbers that are the same in a calm market and in a wild one.

How volatile a window is is asked elsewhere. Here every move is divided by the window's own typical move, so that
a healthy window of another mood, unit or currency has the same features.

`N` windows, `L` closes each, `F` features in the order of FEATURES.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stockcast.forecasting.returns import Floats, log_returns

# Moves beyond this many typical ones count as this many, where a feature is about all moves and not about one.
_CUT = 4.0
# Closes over which the size of moves is taken as even, when they are brought to one size.
_NEARBY = 11
_LARGEST_RATIO = 1e3
_ROUNDING = 1e-12


@dataclass(frozen=True)
class WindowFeature:
    """One measured thing, in words for a page."""

    name: str
    label: str
    unit: str
    explanation: str
    low: bool  # whether too small a value is unusual
    high: bool
    ratio: bool  # whether it is judged by its logarithm
    news: bool = False  # whether news alone can make it large


FEATURES = (
    WindowFeature(
        "largest_move",
        "Largest move",
        "times the typical move",
        "The largest change from one close to the next. Very large: news, or a wrong price. Very small: prices "
        "that were computed rather than traded.",
        low=True,
        high=True,
        ratio=True,
        news=True,
    ),
    WindowFeature(
        "move_and_back",
        "Largest move that was taken back",
        "times the typical move",
        "The largest move that the next session took back, at the smaller of the two. Very large: a single wrong "
        "close.",
        low=False,
        high=True,
        ratio=True,
        news=True,
    ),
    WindowFeature(
        "roughness",
        "Roughness",
        "squared moves over squared distances from the mean",
        "How much the closes jump about for as far as they get. Very large: closes in the wrong order.",
        low=False,
        high=True,
        ratio=True,
    ),
    WindowFeature(
        "next_move",
        "Correlation of neighbouring moves",
        "from -1 to 1",
        "Whether a move tends to go on or to turn round in the next session. Close to nil where prices are "
        "traded; averaged closes raise it, two mixed sources lower it.",
        low=True,
        high=True,
        ratio=False,
    ),
    WindowFeature(
        "one_way",
        "One-way movement",
        "times what chance alone would make of such moves",
        "How far the window went in one direction. Very large: closes on a smooth line.",
        low=False,
        high=True,
        ratio=False,
    ),
    WindowFeature(
        "repeated_closes",
        "Closes that repeat the one before",
        "share of the moves",
        "Many: a feed that stands still, closes that were filled forward, or a share that hardly trades.",
        low=False,
        high=True,
        ratio=False,
    ),
)


def measure_features(closes: Floats) -> Floats:
    """Features of windows of valid prices, NaN where a window has none. [N, L] -> [N, F]

    A window in which nothing moved has repeated closes and nothing else.
    """
    returns = log_returns(closes)  # [N, L - 1]
    sizes = np.abs(returns)
    typical = typical_move(sizes)  # [N, 1]
    cut = np.clip(returns, -_CUT * typical, _CUT * typical)
    with np.errstate(divide="ignore", invalid="ignore"):
        features = np.stack(
            [
                sizes.max(axis=1) / typical[:, 0],
                _taken_back(returns).max(axis=1) / typical[:, 0],
                _roughness(cut),
                _next_move(returns, sizes, typical),
                np.abs(cut.sum(axis=1)) / np.sqrt((cut**2).sum(axis=1)),
                (returns == 0).mean(axis=1),
            ],
            axis=1,
        )
    return features


def typical_move(sizes: Floats) -> Floats:
    """Mean size of the log returns of each window, the largest one left out. [N, L - 1] -> [N, 1]"""
    largest = sizes.max(axis=1)
    mean = (sizes.sum(axis=1) - largest) / (sizes.shape[1] - 1)
    return np.asarray(np.maximum(mean, largest / _LARGEST_RATIO)[:, None])


def place_of(name: str, closes: Floats) -> tuple[int, ...]:
    """The closes of one window that a feature speaks of, counted from 0; () where it speaks of all. [L] -> ()"""
    returns = log_returns(closes)
    if name == "largest_move":
        return (int(np.argmax(np.abs(returns))) + 1,)
    if name == "move_and_back":
        return (int(np.argmax(_taken_back(returns[None, :])[0])) + 1,)
    if name == "repeated_closes":
        return tuple((np.flatnonzero(returns == 0) + 1).tolist())
    return ()


def _taken_back(returns: Floats) -> Floats:
    """At each close the smaller of the moves to it and away from it, 0 where both have one direction.

    [N, L - 1] -> [N, L - 2]
    """
    before, after = returns[:, :-1], returns[:, 1:]
    smaller = np.minimum(np.abs(before), np.abs(after))
    return np.where(before * after < 0, smaller, 0.0)


def _roughness(moves: Floats) -> Floats:
    """Von Neumann's ratio of the path that the moves make: 2 for values in no order. [N, L - 1] -> [N]"""
    path = np.concatenate([np.zeros((len(moves), 1)), np.cumsum(moves, axis=1)], axis=1)  # [N, L]
    spread = ((path - path.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    return np.asarray((moves**2).sum(axis=1) / spread)


def _next_move(returns: Floats, sizes: Floats, typical: Floats) -> Floats:
    """Lag-1 autocorrelation of moves brought to one size: a wild week must not decide it. [N, L - 1] -> [N]"""
    moves = np.clip(returns / np.maximum(_nearby_mean(sizes), typical / _CUT), -2.5, 2.5)
    moves = moves - moves.mean(axis=1, keepdims=True)
    squares = (moves**2).sum(axis=1)
    products = (moves[:, 1:] * moves[:, :-1]).sum(axis=1)
    return np.where(squares > _ROUNDING, products / squares, np.nan)  # NaN where all moves are the same


def _nearby_mean(sizes: Floats) -> Floats:
    """Mean over the neighbours of each move, mirrored at the ends. [N, L - 1] -> [N, L - 1]"""
    last = sizes.shape[1] - 1
    mirror = last - np.abs(last - np.abs(np.arange(-(_NEARBY // 2), last + _NEARBY // 2 + 1)))
    sums = np.cumsum(np.take(sizes, mirror, axis=1), axis=1)
    sums = np.concatenate([np.zeros((len(sizes), 1)), sums], axis=1)
    return np.asarray((sums[:, _NEARBY:] - sums[:, :-_NEARBY]) / _NEARBY)
