"""From a configuration to the estimator that learns what it names, calibrated like every other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stockcast.config import Config
from stockcast.forecasting.ewma import EwmaEstimator
from stockcast.forecasting.forecaster import Estimator, Forecaster, TrainingPair
from stockcast.forecasting.garch import GarchEstimator
from stockcast.forecasting.linear import LinearEstimator
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.observer import Observer
from stockcast.forecasting.recalibrated import recalibrate


@dataclass(frozen=True)
class NaiveEstimator:
    """Has nothing to learn."""

    horizon: int
    lookback: int

    def fit(self, pairs: Sequence[TrainingPair], observer: Observer) -> Forecaster:
        """The naive forecaster, whatever the histories."""
        return NaiveForecaster(self.horizon, self.lookback)


@dataclass(frozen=True)
class CalibratedEstimator:
    """Fits another estimator and recalibrates what it made on the validation parts."""

    base: Estimator
    adaptation: float

    def fit(self, pairs: Sequence[TrainingPair], observer: Observer) -> Forecaster:
        """Learns from all pairs together; raises what the other one raises."""
        forecaster = self.base.fit(pairs, observer)
        observer.doing("Calibrating its intervals", 1.0)
        return recalibrate(forecaster, pairs, self.adaptation)


def choose_estimator(config: Config, scratch: Path, threads: int = 1, checkpoint: Path | None = None) -> Estimator:
    """The estimator of `config.model.kind`; `scratch`, `threads` and `checkpoint` as the LSTM takes them."""
    kind, lookback, horizon = config.model.kind, config.windows.lookback, config.windows.max_horizon
    if kind == "naive":
        return NaiveEstimator(horizon, lookback)
    base: Estimator
    if kind == "ewma":
        base = EwmaEstimator(horizon, lookback)
    elif kind == "garch":
        base = GarchEstimator(horizon, lookback, threads)
    elif kind == "linear":
        base = LinearEstimator(horizon, lookback)
    else:
        # torch and Lightning take seconds to import; only this one needs them.
        from stockcast.forecasting.lstm.estimator import LstmEstimator

        base = LstmEstimator(config, scratch, threads, checkpoint)
    if config.calibration.recalibration == "none":
        return base
    return CalibratedEstimator(base, config.calibration.adaptation)
