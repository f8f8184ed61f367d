"""Scored: forecasts of one universe and horizon beside what came true of them, as arrays of one length."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from stockcast.forecasting.returns import Floats
from stockcast.prices.sessions import Sessions

Bools = NDArray[np.bool_]
Words = NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Scored:
    """N outcomes in the order in which the forecasts were issued, Q levels.

    Returns and quantiles are log returns, CRPS is in percent of the price.
    """

    universe: str
    horizon: int
    journal_ids: NDArray[np.int64]  # [N]
    issued_at: NDArray[np.datetime64]  # [N] UTC
    tickers: Words  # [N]
    versions: Words  # [N] of the model
    cutoffs: Sessions  # [N]
    sessions: Sessions  # [N] that were forecast
    from_store: Bools  # [N] whether a stored history was read, not an uploaded window
    live: Bools  # [N] whether it was issued before the session closed
    returns: Floats  # [N] that came true
    crps: Floats  # [N]
    naive_crps: Floats  # [N] NaN in rows from before the naive forecast was kept
    pit: Floats  # [N]
    quantiles: Floats  # [N, Q]
    naive_quantiles: Floats  # [N, Q]

    def __len__(self) -> int:
        return len(self.returns)

    def where(self, chosen: Bools) -> Scored:
        """Those that are chosen, in the same order. [N]"""
        arrays = {field.name: getattr(self, field.name)[chosen] for field in fields(self)[2:]}
        return replace(self, **arrays)
