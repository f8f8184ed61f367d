"""Suppose the last close had been another: what the champion would then say. Hypothetical, and never journaled."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from stockcast.errors import InvalidRequest
from stockcast.forecasting.context import LARGEST_CLOSE, LEAST_CLOSE, Market, context_at_end
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.quantiles import QuantileForecast
from stockcast.monitoring.adaptations import Settled
from stockcast.monitoring.drift import check_window, window_at_end
from stockcast.monitoring.findings import DriftReport
from stockcast.prices.frame import PriceFrame
from stockcast.workflows.compare_forecasts import forecast_quietly
from stockcast.workflows.forecast import Speaker


@dataclass(frozen=True, eq=False)
class Supposition:
    """What would be said if the session of the cutoff had closed at `close`. It tells of nothing that happened."""

    close: float
    actual_close: float
    session: date  # whose close is another
    forecast: QuantileForecast
    naive: QuantileForecast
    drift: DriftReport

    @property
    def change(self) -> float:
        """The supposed close beside the actual one, as a share."""
        return self.close / self.actual_close - 1


def suppose_close(
    speaker: Speaker, frame: PriceFrame, market: Market | None, kept: Settled | None, close: float, today: date
) -> Supposition:
    """Raises InvalidRequest for what can be no close, or TooShortHistory."""
    if not (math.isfinite(close) and LEAST_CLOSE <= close <= LARGEST_CLOSE):
        raise InvalidRequest(f"{close:g} can be no close.", "Suppose a positive price.")
    forecaster = speaker.forecaster
    frame.require(forecaster.lookback, "a forecast")
    supposed = _closing_at(frame, close)
    naive = NaiveForecaster(forecaster.horizon, lookback=forecaster.lookback)
    window = window_at_end(supposed, forecaster.lookback)
    return Supposition(
        close=close,
        actual_close=float(frame.close[-1]),
        session=frame.last_session,
        forecast=forecast_quietly(forecaster, supposed, market, kept),
        naive=naive.forecast([context_at_end(supposed, forecaster.horizon)])[0],
        drift=check_window(window, speaker.reference, speaker.config.drift, today=today, stored=supposed),
    )


def _closing_at(frame: PriceFrame, close: float) -> PriceFrame:
    """The history with another last close; the range of that session is widened where it would not hold it."""
    last = np.arange(len(frame)) == len(frame) - 1
    return replace(
        frame,
        close=np.where(last, close, frame.close),
        high=np.where(last, np.maximum(frame.high, close), frame.high),
        low=np.where(last, np.minimum(frame.low, close), frame.low),
    )
