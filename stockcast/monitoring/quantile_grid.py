"""How a distribution over training windows is kept: its quantiles at a few shares, to six digits.

A reference stands in the manifest of a model, which people read too, so it is small. `G` shares.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field, FiniteFloat

from stockcast.forecasting.returns import Floats

SHARES: Floats = np.array([0, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 1])  # [G]

Grid = Annotated[tuple[FiniteFloat, ...], Field(min_length=len(SHARES), max_length=len(SHARES))]


def grid_of(values: Floats) -> Grid:
    """Quantiles of one or more finite values. [N] -> [G]"""
    return tuple(rounded(value) for value in np.quantile(values, SHARES))


def rounded(value: float) -> float:
    """Six digits."""
    return float(f"{value:.6g}")


def quantile(grid: Grid, share: float) -> float:
    """The value that a share of the windows stays below."""
    return float(np.interp(share, SHARES, grid))


def share_below(grid: Grid, value: float) -> float:
    """Share of the windows that stay below a value, 0 to 1."""
    return float(np.interp(value, grid, SHARES))


def median(grid: Grid) -> float:
    """The value in the middle."""
    return quantile(grid, 0.5)
