"""Where models are judged on the past, whole or in parts, over one Workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Protocol

from pydantic import JsonValue

from stockcast.config import Config
from stockcast.evaluation.answers import packed
from stockcast.evaluation.refits import RefitPolicy
from stockcast.home_files import make_folder
from stockcast.prices.frame import PriceFrame
from stockcast.prices.store import PriceStore
from stockcast.prices.tickers import normalise_ticker
from stockcast.registry.versions import CHAMPION
from stockcast.settings import Settings
from stockcast.workflows.backtest import Judged, Subject, backtest, learnt_backtest, model_backtest
from stockcast.workflows.choose_histories import universe_tickers
from stockcast.workflows.evaluate import evaluate
from stockcast.workflows.forecast import Speaker
from stockcast.workflows.job_requests import BASELINES, BacktestRequest, ForecastsRequest, OpponentsRequest
from stockcast.workflows.known_markets import KnownMarkets
from stockcast.workflows.spread_backtest import SpreadBacktest, judged_until, opponents_part


class Rooms(Protocol):
    """What the desk needs of the Workspace."""

    settings: Settings

    @property
    def prices(self) -> PriceStore: ...
    @property
    def markets(self) -> KnownMarkets: ...

    def config(self, universe: str) -> Config: ...
    def tickers(self, universe: str) -> tuple[str, ...]: ...
    def speaker(self, universe: str, which: str = CHAMPION) -> Speaker: ...


class BacktestDesk:
    """Backtests and evaluations."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def backtest(
        self,
        universe: str,
        tickers: Sequence[str],
        which: str,
        start: date,
        end: date,
        *,
        refit: RefitPolicy = "never",
    ) -> Judged:
        """Backtests a model on the named tickers, or on the universe's own, in this process."""
        frames, subject = self._frames(universe, tickers), self._subject(universe, which)
        return backtest(subject, frames, start, end, refit, self._scratch, self._rooms.settings.threads)

    def evaluate(self, universe: str, which: str, tickers: Sequence[str] = ()) -> Judged:
        """Scores a version on the sessions that came after it was judged. Raises TooShortHistory."""
        frames, speaker = self._frames(universe, tickers), self._rooms.speaker(universe, which)
        return evaluate(speaker, frames, self._rooms.markets.read_by(speaker))

    # In parts

    def spread(
        self, universe: str, asked: BacktestRequest, begun: ForecastsRequest | None = None
    ) -> SpreadBacktest:
        """The same backtest, to be given away in parts; `begun` is one of them where an earlier process did so."""
        frames = self._frames(universe, asked.tickers)
        which, config = (asked.model, None) if begun is None else (begun.model, begun.config)
        subject = self._subject(universe, which, config)
        return SpreadBacktest(subject, frames, asked.start, asked.end, asked.refit)

    def forecasts(self, universe: str, asked: ForecastsRequest) -> bytes:
        """Does a part of the model: its answers, packed."""
        frames, subject = self._frames(universe, asked.tickers), self._subject(universe, asked.model, asked.config)
        make = learnt_backtest if asked.anew else model_backtest
        made = make(subject, frames, asked.start, asked.end, "never", self._scratch, self._rooms.settings.threads)
        return packed([judged_until(made, frames, asked.until)])

    def opponents(self, asked: OpponentsRequest) -> tuple[bytes, Mapping[str, JsonValue]]:
        """Does a part of the opponents: their answers, packed, and the fits of GARCH."""
        answers, fits = opponents_part(asked, [self._rooms.prices.load(ticker) for ticker in asked.tickers])
        return packed(answers), fits

    # Inside

    def _frames(self, universe: str, tickers: Sequence[str]) -> list[PriceFrame]:
        wanted = tuple(dict.fromkeys(map(normalise_ticker, tickers))) or self._rooms.tickers(universe)
        return [self._rooms.prices.load(ticker) for ticker in wanted]

    def _subject(self, universe: str, which: str, config: Config | None = None) -> Subject:
        """A version, or a baseline of a configuration (None: of the one in force)."""
        markets = self._rooms.markets
        if which in BASELINES:
            config = (config or self._rooms.config(universe)).with_overrides([f"model.kind={which}"])
            tickers = universe_tickers(self._rooms.prices, config)
            return Subject(which, which, config, None, lambda: markets.histories(tickers), dict)
        speaker = self._rooms.speaker(universe, which)
        return Subject(
            speaker.version.label,
            speaker.version.version,
            speaker.config,
            speaker.forecaster,
            lambda: markets.histories(speaker.version.tickers),
            lambda: markets.read_by(speaker),
        )

    @property
    def _scratch(self) -> Path:
        return make_folder(self._rooms.settings.scratch)
