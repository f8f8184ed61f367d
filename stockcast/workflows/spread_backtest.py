"""A backtest in parts, which several processes do at once: what is slow is given away, what is left is quick.

Slow are the forecasts of the model, ticker by ticker or, where it learns anew, block by block; and the fits of
GARCH, which go ticker by ticker. Put together again they are to the last digit what one process would have found.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from pydantic import JsonValue, TypeAdapter

from stockcast.errors import InvalidRequest, TooShortHistory, TrainingFailed
from stockcast.evaluation.diagnose import diagnose
from stockcast.evaluation.refits import (
    Block,
    GarchFits,
    RefitPolicy,
    actuals_of,
    blocks,
    first_cutoffs,
    garch_fits,
    garch_reference,
)
from stockcast.evaluation.rolling import Backtest, TickerBacktest
from stockcast.forecasting.context import windows
from stockcast.forecasting.garch_fit import Garch
from stockcast.forecasting.quantiles import QuantileForecast
from stockcast.prices.frame import PriceFrame
from stockcast.workflows.backtest import Judged, Subject, light_opponents
from stockcast.workflows.job_requests import ForecastsRequest, GarchFitsRequest, shared_out

_FITS: TypeAdapter[dict[date, dict[str, Garch]]] = TypeAdapter(dict[date, dict[str, Garch]])


@dataclass(frozen=True, eq=False)
class SpreadBacktest:
    """A backtest of the frames from `start` to `end`, as it is given away and put together again."""

    subject: Subject
    model: str  # as it was asked for
    frames: Sequence[PriceFrame]
    start: date
    end: date
    refit: RefitPolicy

    @property
    def lookback(self) -> int:
        """Closes that a forecast is made from."""
        return self.subject.config.windows.lookback

    @property
    def horizon(self) -> int:
        """Sessions ahead."""
        known = self.subject.known
        return self.subject.config.windows.max_horizon if known is None else known.horizon

    def forecasts(self) -> list[ForecastsRequest]:
        """The parts that forecast; none where the model is GARCH itself, which is put together from its fits."""
        if self.subject.is_garch:
            return []
        tickers = tuple(frame.ticker for frame in self.frames)
        anew = self.subject.known is None or self.refit != "never"
        if anew:
            known = first_cutoffs(self.frames, self.start, self.end, self.refit, self.lookback)
            asked = [(tickers, block) for block in self._blocks if block.start in known]
            asked.reverse()  # the last blocks learn from most and take longest
        else:
            asked = [(some, Block(self.start, self.end)) for some in shared_out(tickers)]
        return [
            ForecastsRequest(model=self.model, tickers=some, start=block.start, end=block.end, anew=anew)
            for some, block in asked
        ]

    def fits(self) -> list[GarchFitsRequest]:
        """The parts that fit GARCH."""
        refit = self.refit if self.subject.is_garch else "yearly"
        cutoffs = first_cutoffs(self.frames, self.start, self.end, refit, self.lookback)
        tickers = tuple(frame.ticker for frame in self.frames)
        return [GarchFitsRequest(tickers=some, cutoffs=cutoffs) for some in shared_out(tickers)]

    def opponents(self) -> list[Backtest]:
        """Naive and EWMA. Raises InvalidRequest when no session is left."""
        return light_opponents(self.frames, self.start, self.end, self.horizon, self.lookback)

    def judged(self, said: Sequence[bytes], fits: Sequence[GarchFits], opponents: Sequence[Backtest]) -> Judged:
        """All together: what the parts have made, in order. Raises InvalidRequest when prices have changed."""
        naive, *others = opponents
        known = _together(fits)
        if self.subject.is_garch:
            garch = self._garch(known, self.refit)
            return Judged(garch, diagnose(garch, naive, others, self.subject.label))
        mine = joined(said, self.frames, self.end)
        with contextlib.suppress(TooShortHistory, TrainingFailed):
            others.append(self._garch(known, "yearly"))
        return Judged(mine, diagnose(mine, naive, others, self.subject.label))

    @property
    def _blocks(self) -> list[Block]:
        return blocks(self.start, self.end, self.refit)

    def _garch(self, fits: GarchFits, refit: RefitPolicy) -> Backtest:
        return garch_reference(
            self.frames, self.start, self.end, refit, horizon=self.horizon, lookback=self.lookback, fits=fits
        )


def fit_part(asked: GarchFitsRequest, frames: Sequence[PriceFrame]) -> dict[str, JsonValue]:
    """Does a part that fits GARCH; plain data."""
    found: dict[str, JsonValue] = _FITS.dump_python(
        {start: dict(fits) for start, fits in garch_fits(frames, asked.cutoffs).items()}, mode="json"
    )
    return found


def read_fits(data: Mapping[str, JsonValue]) -> GarchFits:
    """The inverse of `fit_part`."""
    return _FITS.validate_python(data)


def packed(made: Backtest) -> bytes:
    """The forecasts of a backtest without the prices that they were made from; see `joined`."""
    arrays: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {}
    for part in made.parts:
        contexts = [forecast.context for forecast in part.forecasts]
        arrays |= {
            f"{part.ticker}/cutoffs": np.array([context.cutoff for context in contexts], dtype="datetime64[D]"),
            f"{part.ticker}/closes": part.last_closes,
            f"{part.ticker}/returns": part.quantile_returns,  # [N, H, Q]
            f"{part.ticker}/seen": np.array([len(context.closes) for context in contexts]),
        }
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, forecaster=np.array(made.forecaster), **arrays)
    return file.getvalue()


def joined(said: Sequence[bytes], frames: Sequence[PriceFrame], end: date) -> Backtest:
    """One backtest of what several parts have said about these frames up to `end`.

    Raises InvalidRequest when the prices are not those that the parts have seen.
    """
    kind, forecasts = "", {frame.ticker: list[QuantileForecast]() for frame in frames}
    for content in said:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            kind = str(file["forecaster"])
            for frame in frames:
                if f"{frame.ticker}/cutoffs" in file:
                    arrays = (file[f"{frame.ticker}/{name}"] for name in ("cutoffs", "closes", "returns", "seen"))
                    forecasts[frame.ticker] += _unpacked(kind, frame, *arrays)
    parts = []
    for frame in frames:
        found = sorted(forecasts[frame.ticker], key=lambda forecast: str(forecast.context.cutoff))
        if found:
            parts.append(TickerBacktest(frame.ticker, frame.currency, tuple(found), actuals_of(frame, found, end)))
    return Backtest(kind, tuple(parts))


def _unpacked(
    kind: str,
    frame: PriceFrame,
    cutoffs: np.ndarray[tuple[int], np.dtype[np.datetime64]],
    closes: np.ndarray[tuple[int], np.dtype[np.float64]],
    returns: np.ndarray[tuple[int, int, int], np.dtype[np.float64]],
    seen: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> list[QuantileForecast]:
    rows = np.minimum(np.searchsorted(frame.sessions, cutoffs), len(frame) - 1)
    if not (np.array_equal(frame.sessions[rows], cutoffs) and np.array_equal(frame.close[rows], closes)):
        raise InvalidRequest(
            f"The prices of {frame.ticker} have changed while the backtest was under way.", "Start it again."
        )
    found = windows(frame, rows.tolist(), returns.shape[1], int(seen.max()))
    return [QuantileForecast(each.context, kind, said) for each, said in zip(found, returns, strict=True)]


def _together(fits: Sequence[GarchFits]) -> GarchFits:
    """Fits of several parts as one."""
    starts = {start for each in fits for start in each}
    return {start: {ticker: fit for each in fits for ticker, fit in each[start].items()} for start in starts}
