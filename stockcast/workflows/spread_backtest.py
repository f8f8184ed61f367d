"""A backtest in parts, which several processes do at once.

The forecasts of the model go ticker by ticker or, where it learns anew, block by block; those of its opponents go
ticker by ticker. Put together again they are to the last digit what one process would have found.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from pydantic import JsonValue, TypeAdapter

from stockcast.errors import InvalidRequest, TooShortHistory, TrainingFailed
from stockcast.evaluation.answers import KeptAnswers, unpacked
from stockcast.evaluation.diagnose import diagnose
from stockcast.evaluation.diagnosis import Diagnosis
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
from stockcast.evaluation.rolling import Backtest
from stockcast.forecasting.garch_fit import Garch
from stockcast.prices.frame import PriceFrame
from stockcast.workflows.backtest import Subject, light_opponents
from stockcast.workflows.job_requests import ForecastsRequest, OpponentsRequest, shared_out

_LEAST = 2  # tickers in a part: with fewer, asking for it takes longer than doing it
_FITS: TypeAdapter[dict[date, dict[str, Garch]]] = TypeAdapter(dict[date, dict[str, Garch]])


@dataclass(frozen=True, eq=False)
class SpreadBacktest:
    """A backtest of the frames from `start` to `end`, as it is given away and put together again."""

    subject: Subject
    frames: Sequence[PriceFrame]
    start: date
    end: date
    refit: RefitPolicy

    def forecasts(self) -> list[ForecastsRequest]:
        """The parts of the model; none where it is GARCH itself, which every part of the opponents has."""
        if self.subject.is_garch:
            return []
        if self.learns:
            known = first_cutoffs(self.frames, self.start, self.end, self.refit, self._lookback)
            whole = blocks(self.start, self.end, self.refit)
            shares = [(self._tickers, block) for block in whole if block.start in known]
            shares.reverse()  # the last blocks learn from most and take longest
        else:
            shares = [(some, Block(self.start, self.end)) for some in shared_out(self._tickers, _LEAST)]
        return [
            ForecastsRequest(
                model=self.subject.name,
                config=self.subject.config if self.subject.forecaster is None else None,
                tickers=some,
                start=block.start,
                end=block.end,
                until=self.end,
                anew=self.learns,
            )
            for some, block in shares
        ]

    def opponents(self) -> list[OpponentsRequest]:
        """The parts of its opponents. Raises InvalidRequest when no session can be forecast."""
        cutoffs = first_cutoffs(self.frames, self.start, self.end, self._garch_refit, self._lookback)
        if not cutoffs:
            light_opponents(self.frames, self.start, self.end, self._horizon, self._lookback)  # says why
        return [
            OpponentsRequest(
                tickers=some, start=self.start, end=self.end, refit=self._garch_refit, cutoffs=cutoffs,
                horizon=self._horizon, lookback=self._lookback, garch_judged=self.subject.is_garch,
            )
            for some in shared_out(self._tickers, _LEAST)
        ]  # fmt: skip

    def diagnosis(
        self, forecasts: Sequence[bytes], opponents: Sequence[bytes], fits: Sequence[GarchFits]
    ) -> Diagnosis:
        """All together: what the parts have made, in order.

        Raises InvalidRequest when prices have changed in between, and TooShortHistory as `backtest` does.
        """
        pieces = [unpacked(content) for content in opponents]
        naive, ewma = (KeptAnswers.joined([each[place] for each in pieces], self._tickers) for place in (0, 1))
        others = [ewma]
        found = [each[2] for each in pieces]
        if self.subject.is_garch:
            mine = self._garch(found, fits)
        else:
            mine = KeptAnswers.joined([each for said in forecasts for each in unpacked(said)], self._tickers)
            with contextlib.suppress(TooShortHistory, TrainingFailed):
                others.append(self._garch(found, fits))
        for part, beside in zip(mine.parts, naive.parts, strict=False):
            if list(part.last_closes) != list(beside.last_closes):
                raise InvalidRequest(
                    f"The prices of {part.ticker} have changed while the backtest was under way.",
                    "Start it again.",
                )
        return diagnose(mine, naive, others, self.subject.label)

    def _garch(self, found: Sequence[KeptAnswers], fits: Sequence[GarchFits]) -> KeptAnswers:
        """GARCH on all tickers: those without a fit of their own need the fits of all others."""
        there = {part.ticker for each in found for part in each.parts}
        left = [frame for frame in self.frames if frame.ticker not in there]
        pieces = [each for each in found if each.parts]
        if left:
            with contextlib.suppress(InvalidRequest):  # none of them has a session that can be judged
                beside = KeptAnswers.of(self._garch_of(left, together(fits)))
                pieces.append(beside if self.subject.is_garch else beside.scored())
        return KeptAnswers.joined(pieces, self._tickers)

    def _garch_of(self, frames: Sequence[PriceFrame], fits: GarchFits) -> Backtest:
        return garch_reference(
            frames,
            self.start,
            self.end,
            self._garch_refit,
            horizon=self._horizon,
            lookback=self._lookback,
            fits=fits,
        )

    @property
    def learns(self) -> bool:
        """Whether the model learns anew before it forecasts."""
        return self.subject.known is None or self.refit != "never"

    @property
    def _tickers(self) -> tuple[str, ...]:
        return tuple(frame.ticker for frame in self.frames)

    @property
    def _lookback(self) -> int:
        return self.subject.config.windows.lookback

    @property
    def _horizon(self) -> int:
        known = self.subject.known
        return self.subject.config.windows.max_horizon if known is None else known.horizon

    @property
    def _garch_refit(self) -> RefitPolicy:
        return self.refit if self.subject.is_garch else "yearly"


def opponents_part(
    asked: OpponentsRequest, frames: Sequence[PriceFrame]
) -> tuple[list[KeptAnswers], dict[str, JsonValue]]:
    """Does a part of the opponents: naive, EWMA, GARCH where it needs no other part; and the fits as data."""
    fits = garch_fits(frames, asked.cutoffs)
    own = [frame for frame in frames if all(frame.ticker in each for each in fits.values())]
    naive, ewma, garch = (KeptAnswers(each, ()) for each in ("naive", "ewma", "garch"))
    with contextlib.suppress(InvalidRequest):  # none of these tickers has a session that can be judged
        naive, ewma = map(
            KeptAnswers.of, light_opponents(frames, asked.start, asked.end, asked.horizon, asked.lookback)
        )
        if own:
            made = garch_reference(
                own, asked.start, asked.end, asked.refit, horizon=asked.horizon, lookback=asked.lookback, fits=fits
            )
            garch = KeptAnswers.of(made)
    data: dict[str, JsonValue] = _FITS.dump_python(
        {start: dict(each) for start, each in fits.items()}, mode="json"
    )
    return [naive, ewma.scored(), garch if asked.garch_judged else garch.scored()], data


def judged_until(made: Backtest, frames: Sequence[PriceFrame], until: date) -> Backtest:
    """A block's backtest with what came true after its own last session."""
    by_ticker = {frame.ticker: frame for frame in frames}
    parts = [
        replace(part, actuals=actuals_of(by_ticker[part.ticker], part.forecasts, until)) for part in made.parts
    ]
    return Backtest(made.forecaster, tuple(parts))


def read_fits(data: Mapping[str, JsonValue]) -> GarchFits:
    """Fits, from data."""
    return _FITS.validate_python(data)


def together(fits: Sequence[GarchFits]) -> GarchFits:
    """Fits of several parts as one."""
    starts = {start for each in fits for start in each}
    return {start: {ticker: fit for each in fits for ticker, fit in each[start].items()} for start in starts}
