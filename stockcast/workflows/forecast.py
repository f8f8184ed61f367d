"""Forecasts the coming sessions: check the input, forecast, write it down, and only then show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from stockcast.config import Config
from stockcast.evaluation.scorecard import Scorecard
from stockcast.forecasting.context import Context, Market, context_at_end, context_of_closes
from stockcast.forecasting.forecaster import Forecaster
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.quantiles import QuantileForecast
from stockcast.monitoring.adaptations import Adaptations, forecast_adapted
from stockcast.monitoring.drift import check_window, window_at_end
from stockcast.monitoring.drift_reference import DriftReference
from stockcast.monitoring.findings import DriftReport
from stockcast.monitoring.issue_log import log_issued
from stockcast.monitoring.journal import Face, Journal
from stockcast.prices.frame import PriceFrame
from stockcast.prices.sessions import last_completed_session, next_sessions, sessions_between
from stockcast.prices.tickers import exchange_of
from stockcast.prices.window import PriceWindow
from stockcast.registry.versions import ModelVersion


@dataclass(frozen=True, eq=False)
class Speaker:
    """A registered version with all that is needed to let it speak."""

    version: ModelVersion
    forecaster: Forecaster
    scorecard: Scorecard | None
    reference: DriftReference | None
    config: Config  # what it was trained with


@dataclass(frozen=True)
class Staleness:
    """How far the stored prices lag behind the exchange."""

    last_session: date
    last_completed: date
    sessions_behind: int

    @property
    def sentence(self) -> str:
        """For a person."""
        return (
            f"Prices end on {self.last_session}; the last completed session is {self.last_completed}, "
            f"{self.sessions_behind:,} sessions later. This forecast is for the session after {self.last_session}."
        )


@dataclass(frozen=True, eq=False)
class Answer:
    """A forecast with everything it must never appear without."""

    forecast: QuantileForecast
    naive: QuantileForecast
    speaker: Speaker
    drift: DriftReport
    stale: Staleness | None
    journal_id: int
    window: PriceWindow


def forecast_ticker(
    speaker: Speaker,
    frame: PriceFrame,
    market: Market | None,
    journal: Journal,
    adaptations: Adaptations,
    *,
    universe: str,
    face: Face,
    now: datetime,
) -> Answer:
    """Forecasts from the end of a stored history. Raises TooShortHistory."""
    forecaster = speaker.forecaster
    frame.require(forecaster.lookback, "a forecast")
    window = window_at_end(frame, forecaster.lookback)
    context = context_at_end(frame, forecaster.horizon, market)
    if forecaster.adaptation:
        forecast = forecast_adapted(forecaster, frame, market, adaptations, speaker.version.run_id)
    else:
        forecast = forecaster.forecast([context])[0]
    return _answer(speaker, forecast, context, window, frame, journal, universe, face, now, from_store=True)


def forecast_window(
    speaker: Speaker,
    window: PriceWindow,
    stored: PriceFrame | None,
    journal: Journal,
    *,
    universe: str,
    face: Face,
    now: datetime,
) -> Answer:
    """Forecasts from an uploaded window of exactly `lookback` closes. Raises InvalidWindow."""
    context = window_context(window, speaker.forecaster)
    forecast = speaker.forecaster.forecast([context])[0]
    return _answer(speaker, forecast, context, window, stored, journal, universe, face, now, from_store=False)


def window_context(window: PriceWindow, forecaster: Forecaster) -> Context:
    """What a forecaster sees of a window. Raises InvalidWindow, or InvalidRequest beyond the known calendar."""
    exchange = None if window.ticker is None else exchange_of(window.ticker)
    cutoff = _cutoff(window)
    return context_of_closes(
        window.closes,
        forecaster.lookback,
        ticker=window.ticker,
        currency=exchange.currency if exchange else None,
        cutoff=cutoff,
        sessions=next_sessions(exchange.code, cutoff, forecaster.horizon) if exchange and cutoff else None,
    )


def _answer(
    speaker: Speaker,
    forecast: QuantileForecast,
    context: Context,  # what naive reads too; one that adapts keeps no more of it than it looks at itself
    window: PriceWindow,
    stored: PriceFrame | None,
    journal: Journal,
    universe: str,
    face: Face,
    now: datetime,
    *,
    from_store: bool,
) -> Answer:
    drift = check_window(window, speaker.reference, speaker.config.drift, today=now.date(), stored=stored)
    naive = NaiveForecaster(speaker.forecaster.horizon, lookback=speaker.forecaster.lookback).forecast([context])[
        0
    ]
    journal_id = journal.record(
        forecast,
        naive,
        face=face,
        universe=universe,
        model=speaker.version.name,
        model_version=speaker.version.version,
        run_id=speaker.version.run_id,
        drift=drift,
        from_store=from_store,
        issued_at=now,
    )
    log_issued(
        context,
        drift,
        journal_id=journal_id,
        universe=universe,
        face=face,
        model=speaker.version.name,
        model_version=speaker.version.version,
        run_id=speaker.version.run_id,
        from_store=from_store,
    )
    return Answer(forecast, naive, speaker, drift, staleness(context, now), journal_id, window)


def staleness(context: Context, now: datetime) -> Staleness | None:
    """How far a context lags behind its exchange at `now`; None where it does not, or where that is not known."""
    if context.ticker is None or context.cutoff is None:
        return None
    exchange = exchange_of(context.ticker).code
    completed = last_completed_session(exchange, now)
    if completed <= context.cutoff:
        return None
    behind = len(sessions_between(exchange, context.cutoff, completed)) - 1
    return Staleness(context.cutoff, completed, behind)


def _cutoff(window: PriceWindow) -> date | None:
    """The last date of a window whose dates are in order; otherwise its end is not known."""
    if window.sessions is None or not len(window.sessions) or np.isnat(window.sessions).any():
        return None
    in_order = bool((np.diff(window.sessions).astype("int64") > 0).all())
    return window.sessions[-1].astype(object) if in_order else None
