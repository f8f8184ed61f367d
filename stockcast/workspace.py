"""The composition root: the one place that wires every room from Settings. Faces get a Workspace, nothing else.

Nothing is opened before it is needed, and nothing at import.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import filelock

from stockcast.access_keys import AccessKeys
from stockcast.alert_desk import AlertDesk
from stockcast.backtest_desk import BacktestDesk
from stockcast.config import Config
from stockcast.config_versions import ConfigVersions
from stockcast.database import Database
from stockcast.errors import StockcastError
from stockcast.forecasting.context import require_window
from stockcast.forecasting.observer import UNWATCHED, Observer
from stockcast.home_files import make_folder
from stockcast.jobs.job_desk import JobDesk
from stockcast.jobs.job_table import JobTable
from stockcast.monitoring.adaptations import Adaptations
from stockcast.monitoring.drift import check_window
from stockcast.monitoring.findings import DriftReport
from stockcast.monitoring.journal import Face, Journal
from stockcast.prices.file import FilePrices
from stockcast.prices.reading.read_as import AS_IT_STANDS, ReadAs
from stockcast.prices.sample import SAMPLE_TICKERS, SamplePrices
from stockcast.prices.source import PriceQuestion, PriceSource, shape_question
from stockcast.prices.store import PriceStore
from stockcast.prices.tickers import normalise_ticker
from stockcast.prices.window import PriceWindow
from stockcast.prices.yahoo import YahooPrices
from stockcast.registry.bundles import Bundles
from stockcast.registry.champion_notes import ChampionNotes
from stockcast.registry.runs import Runs
from stockcast.registry.tracking_server import TrackingServer, universe_of
from stockcast.registry.versions import CHAMPION, ModelVersion, Versions
from stockcast.report_desk import ReportDesk
from stockcast.rival_desk import RivalDesk
from stockcast.settings import Settings
from stockcast.track_desk import TrackDesk
from stockcast.tune_desk import TuneDesk
from stockcast.universe_desk import UniverseDesk
from stockcast.workflows.choose_estimator import choose_estimator
from stockcast.workflows.choose_histories import Chosen, choose_histories, universe_tickers
from stockcast.workflows.crown_baseline import crown_baseline
from stockcast.workflows.forecast import Answer, Speaker, forecast_ticker, forecast_window
from stockcast.workflows.forecast_universe import UniverseForecast, forecast_universe
from stockcast.workflows.ingest import Ingested, ingest_prices
from stockcast.workflows.job_requests import TrainRequest
from stockcast.workflows.judge_candidate import Champion
from stockcast.workflows.known_markets import KnownMarkets
from stockcast.workflows.load_speaker import load_speaker
from stockcast.workflows.promote import promote, rollback
from stockcast.workflows.request_training import request_training
from stockcast.workflows.train import Candidate, checkpoint_file, make_candidate, publish
from stockcast.workflows.training_result import TrainingResult


class Workspace:
    """Everything that the faces can do, over one home. Safe to share between threads that read."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.settings = settings
        self.clock = clock
        self._speakers: dict[tuple[str, str], Speaker] = {}

    @cached_property
    def database(self) -> Database:
        """The one database, brought up to date."""
        return Database(self.settings.database)

    @cached_property
    def prices(self) -> PriceStore:
        """Stored histories."""
        return PriceStore(self.database)

    @cached_property
    def markets(self) -> KnownMarkets:
        """Histories as models read them."""
        return KnownMarkets(self.prices)

    @cached_property
    def configs(self) -> ConfigVersions:
        """Saved configurations."""
        return ConfigVersions(self.database)

    @cached_property
    def journal(self) -> Journal:
        """Issued forecasts."""
        return Journal(self.database)

    @cached_property
    def adaptations(self) -> Adaptations:
        """How the intervals of each version follow each ticker."""
        return Adaptations(self.database)

    @cached_property
    def jobs(self) -> JobTable:
        """Long work."""
        return JobTable(self.database, time_limit=timedelta(hours=self.settings.job_hours))

    @cached_property
    def desk(self) -> JobDesk:
        """Where long work is asked for, watched over and done."""
        return JobDesk(self, self.settings)

    @cached_property
    def track(self) -> TrackDesk:
        """Where the journal is scored and the track record is read."""
        return TrackDesk(self)

    @cached_property
    def alerts(self) -> AlertDesk:
        """Where the track record is watched over, and where people say what they have seen."""
        return AlertDesk(self, self.settings)

    @cached_property
    def rivals(self) -> RivalDesk:
        """Forecasts that nobody issues: of other models, and of what did not happen."""
        return RivalDesk(self)

    @cached_property
    def backtests(self) -> BacktestDesk:
        """Where models are judged on the past."""
        return BacktestDesk(self)

    @cached_property
    def tuning(self) -> TuneDesk:
        """Where better settings are searched for."""
        return TuneDesk(self)

    @cached_property
    def reports(self) -> ReportDesk:
        """Forecasts and runs as HTML files."""
        return ReportDesk(self)

    @cached_property
    def universe_desk(self) -> UniverseDesk:
        """Where universes are created and renamed."""
        return UniverseDesk(self, self.settings)

    @cached_property
    def access_keys(self) -> AccessKeys:
        """Keys of the API that people have made."""
        return AccessKeys(self.database)

    @cached_property
    def tracking(self) -> TrackingServer:
        """MLflow."""
        local = self.settings.mlflow.startswith("sqlite:")
        if local:
            make_folder(self.settings.home)
        return TrackingServer(self.settings.mlflow, self.settings.artifacts if local else None)

    @cached_property
    def runs(self) -> Runs:
        """MLflow's runs."""
        return Runs(self.tracking)

    @cached_property
    def versions(self) -> Versions:
        """MLflow's model versions."""
        return Versions(self.tracking)

    @cached_property
    def bundles(self) -> Bundles:
        """Bundles of model versions."""
        return Bundles(self.tracking, self.settings.bundle_cache)

    @cached_property
    def notes(self) -> ChampionNotes:
        """Who speaks, for processes that do not wait for MLflow."""
        return ChampionNotes(self.settings.champion_notes)

    # Prices

    def ingest_sample(self) -> list[Ingested]:
        """Stores the bundled sample."""
        return [self._ingest(SamplePrices(), shape_question(ticker)) for ticker in SAMPLE_TICKERS]

    def ingest_file(self, name: str, content: bytes, ticker: str, read_as: ReadAs = AS_IT_STANDS) -> Ingested:
        """Stores the prices of a file under a ticker."""
        return self._ingest(FilePrices(name, content, read_as), shape_question(ticker))

    def downloadable(self, tickers: Sequence[str]) -> tuple[str, ...]:
        """Those of the tickers whose history came from Yahoo and can be continued there."""
        found = map(self.prices.find, tickers)
        return tuple(each.ticker for each in found if each and each.source == YahooPrices.name)

    def ingest_yahoo(self, ticker: str, start: date | None = None, end: date | None = None) -> Ingested:
        """Downloads and stores prices from Yahoo."""
        source = YahooPrices(make_folder(self.settings.yahoo_cache))
        return self._ingest(source, shape_question(ticker, start, end))

    # Universes

    def universes(self) -> list[str]:
        """Names of all universes: the default one and every one that was ever edited."""
        return self.universe_desk.names()

    def config(self, universe: str) -> Config:
        """The configuration in force."""
        return self.configs.current(universe).config

    def tickers(self, universe: str) -> tuple[str, ...]:
        """Tickers of a universe. Raises UnknownTicker when nothing is stored."""
        return universe_tickers(self.prices, self.config(universe))

    # Models

    def champion(self, universe: str) -> ModelVersion:
        """The version that speaks; a universe without one is given the EWMA baseline first.

        Raises UnknownUniverse, or UnknownTicker or TooShortHistory when there is nothing to judge the baseline on.
        """
        found = self.versions.champion(universe)
        if found is not None:
            return self._noted(universe, found)
        return self._crown(universe, choose_histories(self.prices, self.config(universe), (), None))

    def speaker(self, universe: str, which: str = CHAMPION) -> Speaker:
        """A registered version that is ready to forecast. Raises UnknownModel or CorruptBundle."""
        version = self.champion(universe) if which == CHAMPION else self.versions.resolve(universe, which)
        key = (version.name, version.run_id)
        if key not in self._speakers or self._speakers[key].version != version:
            self._speakers[key] = load_speaker(version, self.bundles, self.settings.threads)
        return self._speakers[key]

    # Verbs

    def train(
        self,
        universe: str,
        tickers: Sequence[str] = (),
        until: date | None = None,
        overrides: Sequence[str] = (),
        observer: Observer = UNWATCHED,
    ) -> TrainingResult:
        """Trains the universe's model on the named tickers or on all of its own, in this process and as no job."""
        asked = self.train_request(universe, tickers, until, overrides)
        return self.publish(self.make_candidate(universe, asked, observer, None))

    def make_candidate(self, universe: str, asked: TrainRequest, observer: Observer, job: str | None) -> Candidate:
        """Trains and judges a version to which nobody listens yet; a job goes on from its checkpoint."""
        observer.doing("Reading prices", 0.0)
        chosen = choose_histories(self.prices, asked.config, asked.tickers, asked.until)
        # matplotlib keeps its list of fonts there, and nothing is written outside the home.
        os.environ.setdefault("MPLCONFIGDIR", str(make_folder(self.settings.home / "matplotlib")))
        if asked.config.model.kind == "lstm":
            observer.doing("Loading the network's libraries", 0.0)

        def champion() -> Champion:
            if self.versions.champion(universe) is None:
                self._crown(universe, chosen)
            present = self.speaker(universe)
            return Champion(present.version, present.forecaster)

        observer.doing("Preparing windows", 0.0)
        kept = checkpoint_file(self.settings.job_logs, job, chosen, asked.config)
        return make_candidate(
            self.runs,
            self.versions,
            universe=universe,
            chosen=chosen,
            config=asked.config,
            config_version=asked.config_version,
            estimator=choose_estimator(asked.config, self._scratch(), self.settings.threads, kept),
            champion=champion,
            scratch=self._scratch(),
            observer=observer,
            job=job,
        )

    def publish(self, candidate: Candidate) -> TrainingResult:
        """Carries the gate's verdict out."""
        result = publish(self.runs, self.versions, candidate)
        if result.promoted:
            with contextlib.suppress(StockcastError):  # what was promoted stays so
                self.champion(universe_of(candidate.name))
        return result

    def forecast(self, ticker: str, universe: str, face: Face) -> Answer:
        """What the champion expects after the last stored session of a ticker."""
        frame = self.prices.load(normalise_ticker(ticker))
        speaker = self.speaker(universe)
        return forecast_ticker(
            speaker, frame, self.markets.read_by(speaker).get(frame.exchange), self.journal, self.adaptations,
            universe=universe, face=face, now=self.clock(),
        )  # fmt: skip

    def forecast_universe(self, universe: str, face: Face) -> UniverseForecast:
        """The same for every ticker of a universe. Raises the last failure when all of them fail."""
        self.speaker(universe)  # what keeps it from speaking at all is told once
        return forecast_universe(self.tickers(universe), lambda ticker: self.forecast(ticker, universe, face))

    def forecast_window(self, window: PriceWindow, universe: str, face: Face) -> Answer:
        """What the champion expects after an uploaded window."""
        return forecast_window(
            self.speaker(universe), window, self.markets.history(window.ticker), self.journal,
            universe=universe, face=face, now=self.clock(),
        )  # fmt: skip

    def check_drift(self, window: PriceWindow, universe: str) -> DriftReport:
        """Whether a window looks like what the champion was judged on. Raises InvalidWindow for another length."""
        speaker = self.speaker(universe)
        require_window(window.closes, speaker.forecaster.lookback)
        today, stored = self.clock().date(), self.markets.history(window.ticker)
        return check_window(window, speaker.reference, speaker.config.drift, today=today, stored=stored)

    def promote(self, universe: str, which: str, note: str) -> ModelVersion:
        """Makes a version the champion by a person's decision. Raises UnknownModel or InvalidRequest."""
        return self._noted(universe, promote(self.runs, self.versions, universe, which, note))

    def rollback(self, universe: str) -> ModelVersion:
        """Makes the previous champion speak again. Raises UnknownModel when there was none, or InvalidRequest."""
        return self._noted(universe, rollback(self.runs, self.versions, universe))

    def train_request(
        self, universe: str, tickers: Sequence[str] = (), until: date | None = None, overrides: Sequence[str] = ()
    ) -> TrainRequest:
        """What a training is asked to do, refusing now what would fail in a minute.

        Raises InvalidConfig, InvalidRequest, InvalidTicker, UnknownTicker, UnknownUniverse or TooShortHistory.
        """
        self.universe_desk.require(universe)
        return request_training(self.configs, self.prices, universe, tickers, until, overrides)

    # Inside

    def _ingest(self, source: PriceSource[Any], question: PriceQuestion) -> Ingested:
        """Stores prices, and scores the forecasts that they tell the outcome of."""
        ingested = ingest_prices(self.prices, source, question, self.clock())
        self.track.keep_up(ingested.frame)
        return ingested

    def _crown(self, universe: str, chosen: Chosen) -> ModelVersion:
        """Gives a universe without a champion the EWMA baseline; two processes at once make one version."""
        with filelock.FileLock(make_folder(self.settings.home) / "champion.lock"):
            self.universe_desk.require(universe)
            crowned = self.versions.champion(universe) or crown_baseline(
                self.runs, self.versions, universe, chosen.frames, self.config(universe), self._scratch()
            )
        return self._noted(universe, crowned)

    def _noted(self, universe: str, champion: ModelVersion) -> ModelVersion:
        """Tells the API who speaks now, once the bundle is at hand; where that fails, it finds out later."""
        with contextlib.suppress(StockcastError, OSError):
            if self.notes.read(universe) != champion:
                self.bundles.load(champion)
                self.notes.write(universe, champion)
        return champion

    def _scratch(self) -> Path:
        return make_folder(self.settings.scratch)
