"""What one serving process holds together, from its settings."""

from __future__ import annotations

import asyncio
import itertools
import time
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from starlette.requests import Request

from stockcast.api.access_log import AccessLog
from stockcast.api.api_metrics import ApiMetrics
from stockcast.api.champions import Champions
from stockcast.api.histories import Histories
from stockcast.api.key_watch import KeyWatch
from stockcast.api.keys import Keys
from stockcast.api.predictor import Predictor
from stockcast.config import DEFAULT_UNIVERSE
from stockcast.config_versions import ConfigVersions
from stockcast.database import Database
from stockcast.errors import DatabaseUnavailable, StockcastError
from stockcast.jobs.job import KINDS, TRAIN
from stockcast.jobs.job_table import JobTable
from stockcast.monitoring.journal_spool import JournalSpool
from stockcast.monitoring.prometheus import metrics_registry
from stockcast.settings import Settings
from stockcast.tracing import Traces, open_traces

if TYPE_CHECKING:
    from stockcast.workspace import Workspace


class ServerState:
    """Opened by `start`, closed by `stop`; nothing is opened before."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.keys = Keys.of(settings)
        self.access_log = AccessLog(settings)
        self.metrics = ApiMetrics()
        self.champions = Champions(settings)
        self.spool = JournalSpool(settings.spool, lambda: Database(settings.database))
        self.histories = Histories(lambda: self.spool.database)
        self.key_watch = KeyWatch(self.keys, settings.known_keys, lambda: self.spool.database)
        self.predictor = Predictor(self.spool, self.histories)
        self.traces: Traces | None = None
        self.draining = False
        self.started = time.monotonic()
        self.training_active = False
        self._tasks: list[asyncio.Task[None]] = []
        self.metrics.champions = self.champions
        self.metrics.spool = self.spool
        self.metrics.predictions = lambda: self.predictor.predictions
        self.metrics.degraded = lambda: bool(self.reasons())

    @cached_property
    def workspace(self) -> Workspace:
        """For what is asked rarely, such as trainings. Importing it takes a second: call it in a thread."""
        from stockcast.workspace import Workspace

        return Workspace(self.settings)

    @property
    def jobs(self) -> JobTable:
        """The job table. Raises DatabaseUnavailable."""
        return JobTable(self._database())

    @property
    def configs(self) -> ConfigVersions:
        """The configurations. Raises DatabaseUnavailable."""
        return ConfigVersions(self._database())

    @staticmethod
    def clock() -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)

    @cached_property
    def registry(self) -> CollectorRegistry:
        """All metrics."""
        registry = metrics_registry(self._database, KINDS)
        registry.register(self.metrics)
        return registry

    def _database(self) -> Database:
        database = self.spool.database
        if database is None:
            raise DatabaseUnavailable("The database does not answer.", "Try again later.")
        return database

    async def start(self) -> None:
        """Loads who speaks and begins to look after everything."""
        self.traces = open_traces(self.settings, "stockcast-api")
        self.spool.start()
        await asyncio.gather(
            asyncio.to_thread(self.champions.start, DEFAULT_UNIVERSE),
            self.key_watch.first(lambda: self.spool.database_problem is not None),
        )
        self._tasks = [
            asyncio.create_task(self.key_watch.look()),
            asyncio.create_task(self.champions.look(DEFAULT_UNIVERSE)),
            asyncio.create_task(self.histories.look()),
            asyncio.create_task(self._look()),
        ]

    async def stop(self) -> None:
        """Ends it; what was said is in the journal then, or in files for whoever starts next."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self.spool.close)
        if self.traces is not None:
            await asyncio.to_thread(self.traces.close)
        self.access_log.flush()

    def reasons(self) -> list[str]:
        """Why it is not in order, in words without addresses; empty when it is."""
        found = []
        if self.champions.of(DEFAULT_UNIVERSE) is None:
            found.append("No model can speak yet.")
        if self.spool.database_problem:
            found.append("The database does not answer: forecasts wait in files for the journal.")
        if self.spool.file_problem:
            found.append("Files of the home cannot be written: forecasts wait in memory for the journal.")
        if self.champions.registry_problem:
            found.append("MLflow does not answer: the version that spoke last goes on.")
        found += [
            f"The newest version of {universe} was refused: the one before goes on."
            for universe in self.champions.bundle_problems
            if self.champions.of(universe)
        ]
        return found

    async def _look(self) -> None:
        for turn in itertools.count():
            await asyncio.sleep(0.05)  # so that few lines are written at once, and nobody waits for them
            self.access_log.flush()
            if turn % 40 == 0:
                await asyncio.to_thread(self._look_at_jobs)

    def _look_at_jobs(self) -> None:
        try:
            self.training_active = bool(self.jobs.active(TRAIN))
        except StockcastError:
            self.training_active = False


def state_of(request: Request) -> ServerState:
    """The state of the process that answers a request."""
    state: ServerState = request.app.state.server
    return state
