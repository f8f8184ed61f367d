"""Forecasts of other models beside the champion's: a comparison that nobody issues, and nothing of it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from stockcast.config import Config
from stockcast.evaluation.split import split_dates, training_pairs
from stockcast.forecasting.context import Market, context_at_end
from stockcast.forecasting.forecaster import Forecaster
from stockcast.forecasting.observer import UNWATCHED
from stockcast.forecasting.quantiles import QuantileForecast
from stockcast.monitoring.adaptations import Settled, adapted
from stockcast.prices.frame import PriceFrame
from stockcast.workflows.choose_estimator import choose_estimator
from stockcast.workflows.forecast import Speaker

Rival = Literal["challenger", "garch"]
RIVALS: Final[tuple[Rival, ...]] = ("challenger", "garch")


@dataclass(frozen=True, eq=False)
class Beside:
    """What another model would say after the same session. It is not what we say, and no journal holds it."""

    rival: Rival
    label: str  # "lstm v2", "GARCH"
    forecast: QuantileForecast


def compare_challenger(speaker: Speaker, frame: PriceFrame, market: Market | None, kept: Settled | None) -> Beside:
    """A registered version that does not speak. Raises TooShortHistory."""
    forecast = forecast_quietly(speaker.forecaster, frame, market, kept)
    return Beside("challenger", speaker.version.label, forecast)


def compare_garch(frame: PriceFrame, config: Config, scratch: Path, threads: int) -> Beside:
    """A GARCH(1,1)-t, fitted now to this history alone, cut, calibrated and adapted like every rung of the ladder.

    Raises TooShortHistory where there is too little to fit it to, or TrainingFailed.
    """
    wanted = config.with_overrides(["model.kind=garch"])
    histories: Sequence[PriceFrame] = [frame]
    pairs, _ = training_pairs(histories, split_dates(histories, wanted), wanted)
    forecaster = choose_estimator(wanted, scratch, threads).fit(pairs, UNWATCHED)
    return Beside("garch", "GARCH", forecast_quietly(forecaster, frame, None, None))


def forecast_quietly(
    forecaster: Forecaster, frame: PriceFrame, market: Market | None, kept: Settled | None
) -> QuantileForecast:
    """What a forecaster says at the end of a history; neither the forecast nor the adaptation is kept."""
    frame.require(forecaster.lookback, "a forecast")
    if forecaster.adaptation:
        return adapted(forecaster, frame, market, kept)[0]
    return forecaster.forecast([context_at_end(frame, forecaster.horizon, market)])[0]
