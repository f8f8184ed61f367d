"""EWMA Student-t: exponentially weighted volatility with a heavy-tailed shape. The baseline to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from stockcast.forecasting import student_t
from stockcast.forecasting.context import Context, stack_returns
from stockcast.forecasting.forecaster import ForecasterState, Group, TrainingPair
from stockcast.forecasting.observer import Observer
from stockcast.forecasting.quantiles import QuantileForecast
from stockcast.forecasting.targets import standardised_targets
from stockcast.forecasting.volatility import ewma_volatility

LOOKBACK = 60
# Measured on the four long histories of the bundled sample: `python -m benchmarks.ewma_constants`.
SCALES = (0.82, 1.16, 1.42, 1.66, 1.90)
DFS = (5.0, 4.8, 4.6, 4.6, 4.8)


@dataclass(frozen=True)
class EwmaForecaster:
    """Median = last close; spread = EWMA(0.94) volatility times a Student-t per horizon.

    `scales` are in units of that volatility, `dfs` are degrees of freedom; both hold one number a horizon.
    """

    scales: tuple[float, ...] = SCALES
    dfs: tuple[float, ...] = DFS
    trained_until: date | None = None
    lookback: int = LOOKBACK
    kind: str = "ewma"
    groups: tuple[Group, ...] = ()
    adaptation: float = 0.0

    @property
    def horizon(self) -> int:
        """Sessions ahead of its furthest forecast."""
        return len(self.scales)

    @property
    def history(self) -> int:
        """Most closes that it looks at."""
        return self.lookback

    def forecast(self, contexts: Sequence[Context]) -> list[QuantileForecast]:
        """One forecast per context. Raises InvalidWindow when a context is too short."""
        if not contexts:
            return []
        volatility = ewma_volatility(stack_returns(contexts, self.lookback))[:, -1]  # [N]
        scale = volatility[:, None] * np.array(self.scales)  # [N, H]
        values = student_t.quantiles(np.zeros_like(scale), scale, np.broadcast_to(self.dfs, scale.shape))
        return [QuantileForecast(context, self.kind, row) for context, row in zip(contexts, values, strict=True)]

    def state(self) -> ForecasterState:
        """What a bundle has to store of it."""
        return ForecasterState(
            self.kind, {"scales": list(self.scales), "dfs": list(self.dfs), "lookback": self.lookback}
        )


@dataclass(frozen=True)
class EwmaEstimator:
    """Fits the Student-t's scale and degrees of freedom per horizon to pooled standardised returns."""

    horizon: int = 5
    lookback: int = LOOKBACK

    def fit(self, pairs: Sequence[TrainingPair], observer: Observer | None = None) -> EwmaForecaster:
        """Learns from the training parts alone. Raises TooShortHistory when they hold no window."""
        targets = np.concatenate(
            [standardised_targets(pair.train, self.lookback, self.horizon) for pair in pairs]
        )  # [N, H]
        fits = [student_t.fit(targets[:, column]) for column in range(self.horizon)]
        return EwmaForecaster(
            scales=tuple(scale for scale, _ in fits),
            dfs=tuple(df for _, df in fits),
            trained_until=max(pair.train.last_session for pair in pairs),
            lookback=self.lookback,
        )
