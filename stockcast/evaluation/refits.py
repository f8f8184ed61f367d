"""Backtests that fit anew as time goes by: each block of sessions is forecast by what was known before it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np

from stockcast.config import Config
from stockcast.errors import InvalidRequest, TooShortHistory, TrainingFailed
from stockcast.evaluation.rolling import Backtest, TickerBacktest, rolling_backtest
from stockcast.evaluation.split import Split, training_pairs
from stockcast.forecasting.context import Market
from stockcast.forecasting.forecaster import Estimator, Forecaster
from stockcast.forecasting.garch import fit_garch, garch_of
from stockcast.forecasting.garch_fit import Garch, fit_each
from stockcast.forecasting.market import markets
from stockcast.forecasting.observer import UNWATCHED, Epoch, Observer
from stockcast.forecasting.quantiles import QuantileForecast
from stockcast.forecasting.returns import Floats
from stockcast.prices.frame import PriceFrame
from stockcast.prices.sessions import Sessions

# By the start of a block and by ticker.
GarchFits = Mapping[date, Mapping[str, Garch]]
RefitPolicy = Literal["never", "yearly", "quarterly"]
_FIRST_MONTHS: dict[RefitPolicy, tuple[int, ...]] = {"never": (), "yearly": (1,), "quarterly": (1, 4, 7, 10)}


@dataclass(frozen=True)
class Block:
    """Sessions from `start` to `end`, inclusive, that one fit forecasts."""

    start: date
    end: date


def blocks(start: date, end: date, refit: RefitPolicy) -> list[Block]:
    """The blocks of [start, end]: the first begins at `start`, the others with a calendar year or quarter."""
    months = _FIRST_MONTHS[refit]
    later = [date(year, month, 1) for year in range(start.year, end.year + 1) for month in months]
    starts = [start, *(day for day in later if start < day <= end)]
    ends = [*(day - timedelta(days=1) for day in starts[1:]), end]
    return [Block(*edges) for edges in zip(starts, ends, strict=True)]


def refitted_backtest(
    estimator: Estimator,
    frames: Sequence[PriceFrame],
    start: date,
    end: date,
    refit: RefitPolicy,
    *,
    validation: float = 0.15,
    embargo: int = 5,
    lookback: int = 60,
    teachers: Sequence[PriceFrame] | None = None,
    observer: Observer = UNWATCHED,
) -> Backtest:
    """A rolling backtest whose forecaster is fitted anew before each block of `refit`.

    A fit sees the sessions before its block but for the last `embargo` of them; the last `validation` share
    of those is what it stops and calibrates on. `lookback` is the estimator's own. `teachers` are the histories
    that are learnt from and whose market is known, those of `frames` when None. A ticker too young to be learnt
    from is forecast all the same. Raises TooShortHistory when too little lies before a block,
    InvalidRequest when no session is left, and what the estimator and the observer raise.
    """

    learnt = frames if teachers is None else teachers

    def fit(block: Block, first_cutoff: date, watched: Observer) -> Forecaster:
        split = _split_before(block, first_cutoff, learnt, validation, embargo)
        pairs, _ = training_pairs(learnt, split, Config().with_overrides([f"windows.lookback={lookback}"]))
        return estimator.fit(pairs, watched)

    return _joined(fit, frames, start, end, refit, lookback, observer, markets(learnt))


def garch_reference(
    frames: Sequence[PriceFrame],
    start: date,
    end: date,
    refit: RefitPolicy = "yearly",
    *,
    horizon: int = 5,
    lookback: int = 60,
    threads: int = 1,
    observer: Observer = UNWATCHED,
    fits: GarchFits | None = None,
) -> Backtest:
    """The reference opponent "garch": fitted to each ticker on its whole history before each block.

    It neither stops early nor calibrates, so that it needs no validation share, and its last training target
    is the first cutoff's own close, so that it needs no embargo. `fits` are those of `garch_fits` where they have
    been made already, of these tickers and others. Raises as `refitted_backtest` does, and TrainingFailed when
    nothing could be fitted.
    """

    def fit(block: Block, first_cutoff: date, watched: Observer) -> Forecaster:
        histories = [frame.until(first_cutoff) for frame in frames]
        if fits is None:
            return fit_garch(histories, horizon=horizon, lookback=lookback, threads=threads, observer=watched)
        if not fits[block.start]:
            raise TooShortHistory(
                f"No history gives a GARCH enough before {block.start}.",
                "Download or import a longer history, or start later.",
            )
        return garch_of(fits[block.start], histories, horizon=horizon, lookback=lookback)

    return _joined(fit, frames, start, end, refit, lookback, observer)


def garch_fits(
    frames: Sequence[PriceFrame], cutoffs: Mapping[date, date], observer: Observer = UNWATCHED
) -> GarchFits:
    """What GARCH is fitted to of these frames alone, before each block; tickers without a fit are left out.

    `cutoffs` are those of `first_cutoffs`, of all frames of the backtest.
    """
    found: dict[date, Mapping[str, Garch]] = {}
    for number, (start, first_cutoff) in enumerate(cutoffs.items()):
        histories = [frame.until(first_cutoff) for frame in frames]
        found[start] = {}
        with contextlib.suppress(TooShortHistory, TrainingFailed):
            found[start] = fit_each(histories, 1, _OneOfMany(observer, number, len(cutoffs)))
    return found


def first_cutoffs(
    frames: Sequence[PriceFrame], start: date, end: date, refit: RefitPolicy, lookback: int
) -> dict[date, date]:
    """The last session that the fit of each block may see, by the block's start; blocks without forecasts are left
    out.

    No fit may see more than the earliest forecast it will make. Calendars differ, and a share that was suspended
    has its last close long before the block.
    """
    found = {}
    for block in blocks(start, end, refit):
        cutoffs = [day for frame in frames if (day := _first_cutoff(frame, block, lookback)) is not None]
        if cutoffs:
            found[block.start] = min(cutoffs)
    return found


def _joined(
    fit: Callable[[Block, date, Observer], Forecaster],
    frames: Sequence[PriceFrame],
    start: date,
    end: date,
    refit: RefitPolicy,
    lookback: int,
    observer: Observer,
    known: Mapping[str, Market] | None = None,
) -> Backtest:
    """Fits and forecasts block by block. A block in which no ticker can be forecast is not fitted for."""
    kind = ""
    said: dict[str, list[QuantileForecast]] = {frame.ticker: [] for frame in frames}
    whole, cutoffs = blocks(start, end, refit), first_cutoffs(frames, start, end, refit, lookback)
    for number, block in enumerate(whole):
        if block.start not in cutoffs:
            continue
        forecaster = fit(block, cutoffs[block.start], _OneOfMany(observer, number, len(whole)))
        kind = forecaster.kind
        for part in rolling_backtest(forecaster, frames, block.start, block.end, known).parts:
            said[part.ticker].extend(part.forecasts)
    parts = tuple(
        TickerBacktest(frame.ticker, frame.currency, tuple(forecasts), actuals_of(frame, forecasts, end))
        for frame in frames
        if (forecasts := said[frame.ticker])
    )
    if not parts:
        raise InvalidRequest(
            f"No session from {start} to {end} can be forecast and judged for "
            f"{', '.join(frame.ticker for frame in frames)}.",
            "Choose dates inside the stored history, after the first sessions that the model needs as context.",
        )
    return Backtest(kind, parts)


def _first_cutoff(frame: PriceFrame, block: Block, lookback: int) -> date | None:
    """The first cutoff that `rolling_backtest` will take of a frame, or None when it takes none."""
    before = int(np.searchsorted(frame.sessions, np.datetime64(block.start, "D"))) - 1
    last = int(np.searchsorted(frame.sessions, np.datetime64(block.end, "D"), side="right")) - 1
    row = max(before, lookback - 1)
    return frame.sessions[row].astype(object) if row < last else None


def _split_before(
    block: Block, first_cutoff: date, frames: Sequence[PriceFrame], validation: float, embargo: int
) -> Split:
    """Where the sessions before a block are cut into training and validation."""
    days: Sessions = np.unique(np.concatenate([frame.sessions for frame in frames]))
    before = days[days < np.datetime64(block.start, "D")]
    known = before[: max(len(before) - embargo, 0)]
    known = known[known <= np.datetime64(first_cutoff, "D")]
    first_judged = len(known) - int(len(known) * validation)
    last_learnt = first_judged - embargo - 1
    if last_learnt < 0 or first_judged == len(known):
        raise TooShortHistory(
            f"{len(known)} sessions lie before {block.start} and its embargo of {embargo}, too few to learn from.",
            "Start the backtest later, or download a longer history.",
        )
    as_dates = known.astype(object)
    return Split(as_dates[last_learnt], as_dates[first_judged], as_dates[-1], block.start, block.end)


def actuals_of(frame: PriceFrame, forecasts: Sequence[QuantileForecast], end: date) -> Floats:
    """What came true of forecasts, whichever block they were made in. [N, H]

    A block of its own hides what came true after its last session; the range as a whole must not.
    """
    cutoffs = np.array([forecast.context.cutoff for forecast in forecasts], dtype="datetime64[D]")
    rows = np.searchsorted(frame.sessions, cutoffs)[:, None] + np.arange(1, forecasts[0].horizon + 1)  # [N, H]
    known = int(np.searchsorted(frame.sessions, np.datetime64(end, "D"), side="right"))
    return np.where(rows < known, frame.close[np.minimum(rows, len(frame) - 1)], np.nan)


@dataclass(frozen=True)
class _OneOfMany:
    """Passes on what one of many fits tells, as a share of them all."""

    observer: Observer
    number: int
    of: int

    def doing(self, phase: str, progress: float) -> None:
        self.observer.doing(f"{phase} (fit {self.number + 1} of {self.of})", (self.number + progress) / self.of)

    def epoch(self, epoch: Epoch) -> None:
        self.observer.epoch(epoch)
