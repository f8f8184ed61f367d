"""A forecaster whose intervals were recalibrated on validation, and go on adapting ticker by ticker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from stockcast.forecasting.conformal import CENTRAL, ask_for, recalibration, scores
from stockcast.forecasting.context import Context, windows
from stockcast.forecasting.forecaster import (
    Forecaster,
    ForecasterState,
    Group,
    Parameters,
    TrainingPair,
)
from stockcast.forecasting.market import markets
from stockcast.forecasting.quantiles import QuantileForecast
from stockcast.forecasting.returns import Floats

MOST_CUTOFFS = 20_000  # of validation; more would not be noticed


@dataclass(frozen=True, eq=False)
class RecalibratedForecaster:
    """Another forecaster, read at the coverages that held on validation what they promised."""

    base: Forecaster
    coverages: Floats  # [H, C] asked for in place of conformal.CENTRAL
    adaptation: float  # step of the adaptation to each ticker; 0 for none
    trained_until: date | None

    @property
    def kind(self) -> str:
        """Name of its family."""
        return self.base.kind

    @property
    def lookback(self) -> int:
        """Fewest closes that a context must hold."""
        return self.base.lookback

    @property
    def history(self) -> int:
        """Most closes that it looks at."""
        return self.base.history

    @property
    def horizon(self) -> int:
        """Sessions ahead of its furthest forecast."""
        return self.base.horizon

    @property
    def groups(self) -> tuple[Group, ...]:
        """What it reads beside closes."""
        return self.base.groups

    def forecast(self, contexts: Sequence[Context]) -> list[QuantileForecast]:
        """One forecast per context, not adapted to its ticker. Raises InvalidWindow when one is too short."""
        return ask_for(self.base.forecast(contexts), self.coverages)

    def state(self) -> ForecasterState:
        """What a bundle has to store of it."""
        base = self.base.state()
        added: Parameters = {"coverages": self.coverages.ravel().tolist(), "adaptation": self.adaptation}
        return ForecasterState(base.kind, {**base.parameters, **added}, base.files)


def recalibrate(base: Forecaster, pairs: Sequence[TrainingPair], adaptation: float) -> RecalibratedForecaster:
    """Recalibrates a forecaster on the validation parts, which it must not have been fitted to."""
    known = markets([pair.history for pair in pairs])
    every = max(1, sum(len(pair.history) - pair.first_cutoff for pair in pairs) // MOST_CUTOFFS)
    found = []
    for pair in pairs:
        frame = pair.history
        rows = range(max(pair.first_cutoff, base.lookback - 1), len(frame) - 1, every)
        parts = list(windows(frame, rows, base.horizon, base.history, known.get(frame.exchange)))
        if parts:
            came = np.stack([part.actuals / part.context.last_close for part in parts])  # [N, H]
            found.append(scores(base.forecast([part.context for part in parts]), np.log(came)))
    coverages = recalibration(np.concatenate(found)) if found else np.tile(CENTRAL, (base.horizon, 1))
    return RecalibratedForecaster(base, coverages, adaptation, max(pair.history.last_session for pair in pairs))
