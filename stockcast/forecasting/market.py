"""The market: what the tickers of one exchange have in common, as the median of their features.

Volatility is largely shared: what happened to the others today says how wide this one's tomorrow is. Only tickers
of one exchange count, since a session that has not closed elsewhere would be tomorrow's news.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stockcast.forecasting.features import FEATURES, RANGE_FEATURES, history_features
from stockcast.forecasting.returns import Floats
from stockcast.prices.frame import PriceFrame
from stockcast.prices.sessions import Sessions

LEAST_TICKERS = 5  # the median of fewer is one ticker's own story
SETTLED = 60  # returns before a ticker's features count
_IS_RANGE = np.isin(FEATURES, RANGE_FEATURES)  # [F]


@dataclass(frozen=True, eq=False)
class MedianMarket:
    """Median features of an exchange's tickers, session by session."""

    sessions: Sessions  # [D]
    values: Floats  # [D, F] in the order of features.FEATURES, NaN where fewer than LEAST_TICKERS are known

    def at(self, sessions: Sessions) -> Floats:
        """Its features on these sessions, NaN where not known. [T] -> [T, F]"""
        rows = np.clip(np.searchsorted(self.sessions, sessions), 0, len(self.sessions) - 1)
        return np.where((self.sessions[rows] == sessions)[:, None], self.values[rows], np.nan)


def markets(frames: Sequence[PriceFrame]) -> Mapping[str, MedianMarket]:
    """A market for every exchange with at least LEAST_TICKERS of these histories, by the exchange's code."""
    by_exchange: dict[str, list[PriceFrame]] = {}
    for frame in frames:
        by_exchange.setdefault(frame.exchange, []).append(frame)
    return {code: _median(members) for code, members in by_exchange.items() if len(members) >= LEAST_TICKERS}


def _median(frames: Sequence[PriceFrame]) -> MedianMarket:
    sessions = np.unique(np.concatenate([frame.sessions for frame in frames]))
    known = [_known_features(frame) for frame in frames]
    rows = [np.searchsorted(sessions, frame.sessions) for frame in frames]
    values = []
    for feature in range(known[0].shape[1]):
        panel = np.full((len(frames), len(sessions)), np.nan)
        for number, (row, found) in enumerate(zip(rows, known, strict=True)):
            panel[number, row] = found[:, feature]
        values.append(_median_of_enough(panel))
    return MedianMarket(sessions, np.stack(values, axis=1))


def _median_of_enough(panel: Floats) -> Floats:
    """Median over tickers, NaN where fewer than LEAST_TICKERS are known. [N, D] -> [D]"""
    counts = np.isfinite(panel).sum(axis=0)
    median = np.full(panel.shape[1], np.nan)
    enough = counts >= LEAST_TICKERS
    if enough.any():
        median[enough] = np.nanmedian(panel[:, enough], axis=0)
    return median


def _known_features(frame: PriceFrame) -> Floats:
    """Features of every session of a frame, NaN while it warms up and where its range is not known. [T, F]"""
    found = history_features(frame)
    values = np.where(_IS_RANGE & (found.range_known[0, :, None] == 0), np.nan, found.values[0])
    whole = np.concatenate([np.full((1, len(FEATURES)), np.nan), values])  # the first session has no return
    whole[:SETTLED] = np.nan
    return whole
