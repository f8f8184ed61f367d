"""How the intervals of a model have adapted to each ticker, kept beside the journal of what was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from sqlalchemy import delete, insert, select

from stockcast.database import Database
from stockcast.forecasting.conformal import WARM_UP, Adaptation, adapt, ask_for, scores
from stockcast.forecasting.context import Market, windows
from stockcast.forecasting.forecaster import Forecaster
from stockcast.forecasting.quantiles import QuantileForecast
from stockcast.prices.frame import PriceFrame
from stockcast.tables import adaptations


@dataclass(frozen=True, eq=False)
class Settled:
    """The state after a cutoff all of whose forecasts have come true."""

    cutoff: date
    state: Adaptation


class Adaptations:
    """The newest state of every model version and ticker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, run_id: str, ticker: str) -> Settled | None:
        """The state of a version, known by its run, for a ticker."""
        query = select(adaptations).where(adaptations.c.run_id == run_id, adaptations.c.ticker == ticker)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return Settled(row.cutoff, Adaptation(*(np.array(row.state[name]) for name in _FIELDS)))

    def save(self, run_id: str, ticker: str, settled: Settled) -> None:
        """Keeps a state in place of the one before."""
        row = {
            "run_id": run_id,
            "ticker": ticker,
            "cutoff": settled.cutoff,
            "state": {name: getattr(settled.state, name).tolist() for name in _FIELDS},
        }
        with self._database.write(alone=f"adaptation of {run_id} to {ticker}") as connection:
            connection.execute(
                delete(adaptations).where(adaptations.c.run_id == run_id, adaptations.c.ticker == ticker)
            )
            connection.execute(insert(adaptations).values(row))


_FIELDS = ("asked", "open", "open_scores")


def forecast_adapted(
    forecaster: Forecaster, frame: PriceFrame, market: Market | None, known: Adaptations, run_id: str
) -> QuantileForecast:
    """The forecast at the end of a history, its intervals adapted by what came true of those before.

    Keeps the state up to the last cutoff whose furthest forecast has come true.
    """
    forecast, settled = adapted(forecaster, frame, market, known.find(run_id, frame.ticker))
    if settled is not None:
        known.save(run_id, frame.ticker, settled)
    return forecast


def adapted(
    forecaster: Forecaster, frame: PriceFrame, market: Market | None, kept: Settled | None
) -> tuple[QuantileForecast, Settled | None]:
    """The same, and the state to keep, None where nothing has come true; it keeps nothing itself.

    Forecasts again what the model would have said since the state that is kept, or in the last WARM_UP sessions.
    """
    last, horizon = len(frame) - 1, forecaster.horizon
    first = max(forecaster.lookback - 1, last - WARM_UP)
    state = Adaptation.fresh(horizon)
    if kept is not None:
        after = int(np.searchsorted(frame.sessions, np.datetime64(kept.cutoff, "D"), side="right"))
        if first < after <= last:
            first, state = after, kept.state
    parts = list(windows(frame, range(first, last + 1), horizon, forecaster.history, market))
    forecasts: Sequence[QuantileForecast] = forecaster.forecast([part.context for part in parts])
    came = np.log(np.stack([part.actuals / part.context.last_close for part in parts]))  # [N, H]
    found = scores(forecasts, came)
    settled = max(0, len(parts) - horizon)
    _, state = adapt(found[:settled], forecaster.adaptation, state)
    reached = Settled(frame.sessions[first + settled - 1].astype(object), state) if settled else None
    asked, _ = adapt(found[settled:], forecaster.adaptation, state)
    return ask_for(forecasts[-1:], asked[-1])[0], reached
