"""The composition root: the one place that wires every room from Settings. Faces get a Workspace, nothing else.

Nothing is opened before it is needed, and nothing at import.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

import filelock
from pydantic import JsonValue

from stockcast.config import Config
from stockcast.config_versions import ConfigVersions
from stockcast.database import Database, make_folder
from stockcast.evaluation.scorecard import Scorecard
from stockcast.forecasting.context import require_window
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.forecaster import Epoch, Forecaster, OnEpoch
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.unpack import unpack
from stockcast.jobs.job_table import TRAIN, Job, JobTable
from stockcast.jobs.local_runner import LocalRunner, run_job
from stockcast.monitoring.drift import check_window
from stockcast.monitoring.findings import DriftReport
from stockcast.monitoring.journal import Journal
from stockcast.monitoring.regime import VolatilityReference
from stockcast.prices.file import FilePrices
from stockcast.prices.frame import PriceFrame
from stockcast.prices.reading.datestyle import DateOrder
from stockcast.prices.sample import SAMPLE_TICKERS, SamplePrices
from stockcast.prices.source import shape_question
from stockcast.prices.store import PriceStore
from stockcast.prices.tickers import normalise_ticker
from stockcast.prices.window import PriceWindow
from stockcast.prices.yahoo import YahooPrices
from stockcast.registry.bundles import Bundles
from stockcast.registry.runs import Runs
from stockcast.registry.tracking_server import TrackingServer
from stockcast.registry.versions import CHAMPION, ModelVersion, Versions
from stockcast.settings import Settings
from stockcast.workflows.backtest import Judged, backtest
from stockcast.workflows.choose_histories import Chosen, choose_histories, universe_tickers
from stockcast.workflows.crown_baseline import crown_baseline
from stockcast.workflows.forecast import Answer, Face, Speaker, forecast_ticker, forecast_window
from stockcast.workflows.ingest import Ingested, ingest_prices
from stockcast.workflows.judge_candidate import Champion
from stockcast.workflows.promote import promote, rollback
from stockcast.workflows.train import Trained, train
from stockcast.workflows.train_request import TrainRequest

DEFAULT_UNIVERSE = "default"


def system_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


class Workspace:
    """Everything that the faces can do, over one home. Safe to share between threads that read."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = system_clock) -> None:
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
    def configs(self) -> ConfigVersions:
        """Saved configurations."""
        return ConfigVersions(self.database)

    @cached_property
    def journal(self) -> Journal:
        """Issued forecasts."""
        return Journal(self.database)

    @cached_property
    def jobs(self) -> JobTable:
        """Long work."""
        return JobTable(self.database)

    @cached_property
    def runner(self) -> LocalRunner:
        """Starts the processes of jobs."""
        return LocalRunner(
            self.jobs, self.settings.job_logs, {"STOCKCAST_HOME": str(self.settings.home.absolute())}
        )

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

    # Prices

    def ingest_sample(self) -> list[Ingested]:
        """Stores the bundled sample."""
        source, now = SamplePrices(), self.clock()
        return [ingest_prices(self.prices, source, shape_question(ticker), now) for ticker in SAMPLE_TICKERS]

    def ingest_file(self, name: str, content: bytes, ticker: str, date_order: DateOrder = "auto") -> Ingested:
        """Stores the prices of a file under a ticker."""
        source = FilePrices(name, content, date_order)
        return ingest_prices(self.prices, source, shape_question(ticker), self.clock())

    def ingest_yahoo(self, ticker: str, start: date | None = None, end: date | None = None) -> Ingested:
        """Downloads and stores prices from Yahoo."""
        source = YahooPrices(make_folder(self.settings.home / "yahoo"))
        return ingest_prices(self.prices, source, shape_question(ticker, start, end), self.clock())

    # Universes

    def universes(self) -> list[str]:
        """Names of all universes: the default one and every one that was ever edited."""
        return sorted({DEFAULT_UNIVERSE, *self.configs.universes()})

    def config(self, universe: str) -> Config:
        """The configuration in force."""
        return self.configs.current(universe).config

    def tickers(self, universe: str) -> tuple[str, ...]:
        """Tickers of a universe. Raises UnknownTicker when nothing is stored."""
        return universe_tickers(self.prices, self.config(universe))

    # Models

    def champion(self, universe: str) -> ModelVersion:
        """The version that speaks; a universe without one is given the EWMA baseline first.

        Raises UnknownTicker or TooShortHistory when there is nothing to judge the baseline on.
        """
        found = self.versions.champion(universe)
        if found is not None:
            return found
        return self._crown(universe, choose_histories(self.prices, self.config(universe), (), None))

    def speaker(self, universe: str, which: str = CHAMPION) -> Speaker:
        """A registered version that is ready to forecast. Raises UnknownModel or CorruptBundle."""
        version = self.champion(universe) if which == CHAMPION else self.versions.resolve(universe, which)
        key = (version.name, version.run_id)
        if key not in self._speakers or self._speakers[key].version != version:
            self._speakers[key] = self._load(version)
        return self._speakers[key]

    def forecaster(self, universe: str, which: str) -> Forecaster:
        """naive, ewma, or a registered version by alias, number or kind."""
        if which == "naive":
            return NaiveForecaster()
        if which == "ewma":
            return EwmaForecaster()
        return self.speaker(universe, which).forecaster

    # Verbs

    def train(
        self,
        universe: str,
        tickers: Sequence[str] = (),
        until: date | None = None,
        overrides: Sequence[str] = (),
        on_epoch: OnEpoch = lambda _epoch: None,
    ) -> Trained:
        """Trains the universe's model on the named tickers or on all of its own, in this process."""
        current = self.configs.current(universe)
        config = current.config.with_overrides(overrides)
        chosen = choose_histories(self.prices, config, tickers, until)
        if self.versions.champion(universe) is None:
            self._crown(universe, chosen)
        present = self.speaker(universe)
        # matplotlib keeps its list of fonts there, and nothing is written outside the home.
        os.environ.setdefault("MPLCONFIGDIR", str(make_folder(self.settings.home / "matplotlib")))
        # torch and Lightning take seconds to import; only training needs them.
        from stockcast.forecasting.lstm.estimator import LstmEstimator

        return train(
            self.runs,
            self.versions,
            universe=universe,
            chosen=chosen,
            config=config,
            config_version=current.version,
            estimator=LstmEstimator(config, self._scratch(), self.settings.threads),
            champion=Champion(present.version, present.forecaster),
            scratch=self._scratch(),
            on_epoch=on_epoch,
        )

    def backtest(self, universe: str, tickers: Sequence[str], which: str, start: date, end: date) -> Judged:
        """Backtests a model on the named tickers, or on the universe's own."""
        wanted = tuple(dict.fromkeys(map(normalise_ticker, tickers))) or self.tickers(universe)
        frames = [self.prices.load(ticker) for ticker in wanted]
        return backtest(self.forecaster(universe, which), frames, start, end)

    def forecast(self, ticker: str, universe: str, face: Face) -> Answer:
        """What the champion expects after the last stored session of a ticker."""
        frame = self.prices.load(normalise_ticker(ticker))
        return forecast_ticker(
            self.speaker(universe), frame, self.journal, universe=universe, face=face, now=self.clock()
        )

    def forecast_window(self, window: PriceWindow, universe: str, face: Face) -> Answer:
        """What the champion expects after an uploaded window."""
        return forecast_window(
            self.speaker(universe),
            window,
            self._stored(window),
            self.journal,
            universe=universe,
            face=face,
            now=self.clock(),
        )

    def check_drift(self, window: PriceWindow, universe: str) -> DriftReport:
        """Whether a window looks like what the champion was judged on. Raises InvalidWindow for another length."""
        speaker = self.speaker(universe)
        require_window(window.closes, speaker.forecaster.lookback)
        return check_window(
            window, speaker.reference, speaker.drift, today=self.clock().date(), stored=self._stored(window)
        )

    def promote(self, universe: str, which: str, note: str) -> ModelVersion:
        """Makes a version the champion by a person's decision. Raises UnknownModel or InvalidRequest."""
        return promote(self.versions, universe, which, note)

    def rollback(self, universe: str) -> ModelVersion:
        """Makes the previous champion speak again. Raises UnknownModel when there was none."""
        return rollback(self.versions, universe)

    # Jobs

    def submit_training(
        self, universe: str, tickers: Sequence[str] = (), until: date | None = None, overrides: Sequence[str] = ()
    ) -> Job:
        """Queues a training and starts its process. Raises TrainingActive, InvalidConfig or TooShortHistory."""
        config = self.config(universe).with_overrides(overrides)
        choose_histories(self.prices, config, tickers, until)  # refuse now what would fail in a minute
        self.runner.sweep(self.clock())
        request = TrainRequest(tickers=tuple(tickers), until=until, overrides=tuple(overrides))
        job = self.jobs.submit(TRAIN, universe, request.to_json(), self.clock())
        self.runner.launch(job)
        return job

    def run_job(self, job_id: str) -> bool:
        """Does the work of a queued job in this process; True when it succeeded."""
        return run_job(self.jobs, job_id, {TRAIN: self._train_job}, self.clock)

    def _train_job(self, job: Job) -> Mapping[str, JsonValue]:
        def report(epoch: Epoch) -> None:
            self.jobs.report(job.id, "epoch", asdict(epoch), min(0.95, epoch.number / epoch.of), self.clock())

        asked = TrainRequest.from_json(job.request)
        return self.train(job.universe, asked.tickers, asked.until, asked.overrides, report).to_json()

    # Inside

    def _crown(self, universe: str, chosen: Chosen) -> ModelVersion:
        """Gives a universe without a champion the EWMA baseline; two processes at once make one version."""
        with filelock.FileLock(make_folder(self.settings.home) / "champion.lock"):
            return self.versions.champion(universe) or crown_baseline(
                self.runs, self.versions, universe, chosen.frames, self.config(universe), self._scratch()
            )

    def _load(self, version: ModelVersion) -> Speaker:
        bundle = self.bundles.load(version)
        manifest = bundle.manifest
        return Speaker(
            version,
            unpack(bundle, self.settings.threads),
            Scorecard.from_json(dict(manifest.scorecard)) if manifest.scorecard else None,
            VolatilityReference.from_json(manifest.drift_reference) if manifest.drift_reference else None,
            Config.model_validate(manifest.config).drift,
        )

    def _stored(self, window: PriceWindow) -> PriceFrame | None:
        if window.ticker is None or self.prices.find(window.ticker) is None:
            return None
        return self.prices.load(window.ticker)

    def _scratch(self) -> Path:
        return make_folder(self.settings.scratch)
