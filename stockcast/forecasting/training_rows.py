"""Training material: the inputs and standardised targets of every session of the training parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stockcast.forecasting.context import Market
from stockcast.forecasting.features import history_features
from stockcast.forecasting.forecaster import TrainingPair
from stockcast.forecasting.inputs import OWN, Inputs, assemble
from stockcast.forecasting.market import markets
from stockcast.forecasting.returns import Floats
from stockcast.forecasting.targets import targets
from stockcast.prices.frame import PriceFrame
from stockcast.prices.sessions import Sessions


@dataclass(frozen=True, eq=False)
class Rows:
    """N sessions of several tickers, each with all that was known and what came."""

    inputs: Floats  # [N, I]
    targets: Floats  # [N, H] over the volatility
    cutoffs: Sessions  # [N]


def training_rows(pairs: Sequence[TrainingPair], lookback: int, horizon: int) -> Rows:
    """Every session of the training parts that has a whole window behind it. Raises TooShortHistory."""
    return pooled(materials(pairs, lookback, horizon), lookback)


def pooled(parts: Sequence[Material], lookback: int) -> Rows:
    """The training rows of all tickers, one ticker after the other."""
    rows = [part.train(lookback) for part in parts]
    return Rows(
        *(np.concatenate([getattr(row, name) for row in rows]) for name in ("inputs", "targets", "cutoffs"))
    )


@dataclass(frozen=True, eq=False)
class Material:
    """One ticker's returns, oldest first, each with all that was known and what came. R returns."""

    inputs: Floats  # [R, I]
    targets: Floats  # [R - H, H] over the volatility
    sessions: Sessions  # [R] of the close that each return leads to: the cutoff
    train_stop: int  # returns before it are cutoffs whose targets lie in the training part
    validation_start: int

    def train(self, lookback: int) -> Rows:
        """Cutoffs of the training part that have a whole window behind them."""
        part = slice(lookback - 2, self.train_stop)
        return Rows(self.inputs[part], self.targets[part], self.sessions[part])


def materials(pairs: Sequence[TrainingPair], lookback: int, horizon: int) -> list[Material]:
    """The material of every pair. Raises TooShortHistory when a training part holds no whole window."""
    known = markets([pair.history for pair in pairs])  # causal: a session's market knows nothing of later ones
    found = []
    for pair in pairs:
        pair.train.require(lookback + horizon, "training")
        frame = pair.history
        inputs = history_inputs(frame, known.get(frame.exchange))
        came = targets(frame.close, horizon)[1:]  # aligned with the return that leads to its cutoff
        found.append(
            Material(
                inputs.values[0],
                came / inputs.volatility[0, : len(came), None],
                frame.sessions[1:],
                train_stop=pair.train_length - 1 - horizon,
                validation_start=pair.first_cutoff - 1,
            )
        )
    return found


def history_inputs(frame: PriceFrame, market: Market | None) -> Inputs:
    """Inputs at every return of a frame: values [1, T - 1, I], volatility [1, T - 1]."""
    beside = np.full((len(frame), OWN), np.nan) if market is None else market.at(frame.sessions)
    return assemble(history_features(frame), beside[None, 1:])
