"""Rolling backtest: one cutoff a session, every forecast made from the bars up to its cutoff alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from stockcast.errors import InvalidRequest, LeakDetected
from stockcast.evaluation.answers import Answers, Reach
from stockcast.evaluation.one_ahead import Days, OneAhead
from stockcast.forecasting.conformal import WARM_UP, Adaptation, adapt, ask_for, scores
from stockcast.forecasting.context import Market, Window, stack_returns, windows
from stockcast.forecasting.forecaster import Forecaster
from stockcast.forecasting.quantiles import MEDIAN, QuantileForecast
from stockcast.forecasting.returns import Floats, to_returns
from stockcast.forecasting.volatility import ewma_volatility
from stockcast.prices.frame import PriceFrame

MEMORY = 60  # closes that the volatility at a cutoff looks at; older ones weigh next to nothing


@dataclass(frozen=True, eq=False)
class TickerBacktest:
    """What one forecaster said about one ticker, beside what came true. N cutoffs, H horizons, Q levels."""

    ticker: str
    currency: str
    forecasts: tuple[QuantileForecast, ...]  # N
    actuals: Floats  # [N, H] closes, NaN where the session lies outside the backtest

    @cached_property
    def cutoffs(self) -> Days:
        """The session of each cutoff. [N]"""
        return np.array([forecast.context.cutoff for forecast in self.forecasts], dtype="datetime64[D]")

    @cached_property
    def last_closes(self) -> Floats:
        """Close at each cutoff, in currency: the naive forecast. [N]"""
        return np.array([forecast.context.last_close for forecast in self.forecasts])

    @cached_property
    def actual_returns(self) -> Floats:
        """Log returns that came true. [N, H]"""
        return to_returns(self.last_closes[:, None], self.actuals)  # type: ignore[arg-type]

    @cached_property
    def quantile_returns(self) -> Floats:
        """Forecast quantiles of the log returns. [N, H, Q]"""
        return np.stack([forecast.log_returns for forecast in self.forecasts])

    @cached_property
    def ahead(self) -> OneAhead:
        """One session ahead."""
        quantiles = self.quantile_returns[:, 0]
        medians = self.last_closes * np.exp(quantiles[:, MEDIAN])
        days = np.array(self.sessions(1), dtype="datetime64[D]")
        return OneAhead.of(quantiles, self.actual_returns[:, 0], medians, self.actuals[:, 0], days)

    @cached_property
    def reach(self) -> Reach:
        """How often the intervals held at each horizon."""
        return Reach.of(self.quantile_returns, self.actual_returns)

    @cached_property
    def volatility(self) -> Floats:
        """EWMA volatility of the closes at each cutoff, by up to MEMORY of them. [N]"""
        contexts = [forecast.context for forecast in self.forecasts]
        shortest = min(len(context.closes) for context in contexts)
        return np.asarray(ewma_volatility(stack_returns(contexts, min(MEMORY, shortest)))[:, -1])

    def sessions(self, horizon: int) -> list[date]:
        """Sessions forecast at a horizon, one per cutoff. [N]"""
        return [forecast.context.sessions[horizon - 1] for forecast in self.forecasts]  # type: ignore[index]


@dataclass(frozen=True, eq=False)
class Backtest(Answers):
    """A rolling backtest over one or more tickers."""

    forecaster: str
    parts: tuple[TickerBacktest, ...]


def rolling_backtest(
    forecaster: Forecaster,
    frames: Sequence[PriceFrame],
    start: date,
    end: date,
    known: Mapping[str, Market] | None = None,
) -> Backtest:
    """Forecasts every session from `start` to `end` one to H sessions ahead.

    The first cutoff is the last session before `start`; sessions after `end` are not judged. A forecaster that
    adapts to its tickers begins WARM_UP sessions earlier. `known` are the markets by exchange. Raises
    LeakDetected when a cutoff lies before `forecaster.trained_until`, InvalidRequest when nothing is left.
    """
    parts = []
    for frame in frames:
        rows = _rows(forecaster, frame, start, end)
        if not rows:
            continue
        _refuse_leak(forecaster, frame, rows[0])
        before = min(WARM_UP, rows[0] - forecaster.lookback + 1) if forecaster.adaptation else 0
        market = None if known is None else known.get(frame.exchange)
        seen = range(rows[0] - before, rows[-1] + 1)
        found = list(windows(frame, seen, forecaster.horizon, forecaster.history, market))
        forecasts = forecaster.forecast([window.context for window in found])
        if forecaster.adaptation:
            forecasts = _adapted(forecasts, found, forecaster)
        actuals = np.stack([_judged(window, end) for window in found[before:]])
        parts.append(TickerBacktest(frame.ticker, frame.currency, tuple(forecasts[before:]), actuals))
    if not parts:
        raise InvalidRequest(
            f"No session from {start} to {end} can be forecast and judged for "
            f"{', '.join(frame.ticker for frame in frames)}.",
            "Choose dates inside the stored history, after the first sessions that the model needs as context.",
        )
    return Backtest(forecaster.kind, tuple(parts))


def _rows(forecaster: Forecaster, frame: PriceFrame, start: date, end: date) -> range:
    """Rows of the cutoffs."""
    first = int(np.searchsorted(frame.sessions, np.datetime64(start, "D"))) - 1
    stop = int(np.searchsorted(frame.sessions, np.datetime64(end, "D"), side="right")) - 1
    return range(max(first, forecaster.lookback - 1), stop)


def _adapted(
    forecasts: Sequence[QuantileForecast], found: Sequence[Window], forecaster: Forecaster
) -> list[QuantileForecast]:
    """Intervals adapted to the ticker as its forecasts come true, each by what was known at its cutoff."""
    came = np.stack([np.log(window.actuals / window.context.last_close) for window in found])  # [N, H]
    asked, _ = adapt(scores(forecasts, came), forecaster.adaptation, Adaptation.fresh(forecaster.horizon))
    return ask_for(forecasts, asked)


def _judged(window: Window, end: date) -> Floats:
    sessions = window.context.sessions or ()
    inside = np.array([session <= end for session in sessions])
    return np.where(inside, window.actuals, np.nan)


def _refuse_leak(forecaster: Forecaster, frame: PriceFrame, first: int) -> None:
    cutoff, seen = frame.sessions[first].astype(object), forecaster.trained_until
    if seen is not None and cutoff < seen:
        raise LeakDetected(
            f"The {forecaster.kind} model has learnt from sessions up to {seen}; a forecast of {frame.ticker} "
            f"from {cutoff} would be judged on what it has seen.",
            f"Start the backtest after {seen}, or train with an earlier --until.",
        )
