"""What each kind of job does, by the Workspace's verbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from pydantic import JsonValue

from stockcast.backtest_desk import BacktestDesk
from stockcast.config_versions import ConfigVersions
from stockcast.errors import JobError, StockcastError
from stockcast.evaluation.diagnosis import Diagnosis
from stockcast.forecasting.observer import Observer
from stockcast.jobs.backtest_parts import backtest_in_parts, backtest_parts
from stockcast.jobs.downloads import download, download_in_parts
from stockcast.jobs.job import BACKTEST, DOWNLOADS, EVALUATE, FETCH, JUDGED, TRAIN, Job
from stockcast.jobs.job_table import JobTable
from stockcast.jobs.lease import Lease
from stockcast.jobs.parts import Parts
from stockcast.jobs.work import Handler
from stockcast.logs import get_logger
from stockcast.monitoring.journal import Face
from stockcast.prices.store import PriceStore
from stockcast.registry.runs import Runs
from stockcast.tune_desk import TuneDesk
from stockcast.workflows.forecast_universe import UniverseForecast
from stockcast.workflows.ingest import Ingested
from stockcast.workflows.job_requests import (
    BacktestRequest,
    DownloadsRequest,
    EvaluateRequest,
    FetchRequest,
    TrainRequest,
)
from stockcast.workflows.train import Candidate
from stockcast.workflows.training_result import TrainingResult
from stockcast.workflows.watch import Watched

_log = get_logger(__name__)


Spread = Callable[[Job, Lease], Parts | None]


class Watcher(Protocol):
    """Who watches over the track records."""

    def watch(self, universe: str) -> Watched: ...


class Verbs(Protocol):
    """What jobs need of the Workspace."""

    clock: Callable[[], datetime]

    @property
    def jobs(self) -> JobTable: ...
    @property
    def prices(self) -> PriceStore: ...
    @property
    def configs(self) -> ConfigVersions: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def alerts(self) -> Watcher: ...
    @property
    def backtests(self) -> BacktestDesk: ...
    @property
    def tuning(self) -> TuneDesk: ...
    def universes(self) -> list[str]: ...
    def tickers(self, universe: str) -> tuple[str, ...]: ...
    def downloadable(self, tickers: Sequence[str]) -> tuple[str, ...]: ...
    def ingest_yahoo(self, ticker: str, start: date | None = None, end: date | None = None) -> Ingested: ...
    def train_request(
        self,
        universe: str,
        tickers: Sequence[str] = (),
        until: date | None = None,
        overrides: Sequence[str] = (),
    ) -> TrainRequest: ...
    def make_candidate(
        self, universe: str, asked: TrainRequest, observer: Observer, job: str | None
    ) -> Candidate: ...
    def publish(self, candidate: Candidate) -> TrainingResult: ...
    def forecast_universe(self, universe: str, face: Face) -> UniverseForecast: ...


def handlers(verbs: Verbs, spread: Spread, keep: Callable[[Job, bytes], None]) -> dict[str, Handler]:
    """A handler per kind of job.

    `spread` gives what a job gives its parts away with, or None where nobody else would take them; `keep` keeps
    what a part has made.
    """

    def fetch(job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        asked, parts = FetchRequest.from_json(job.request), spread(job, lease)
        if parts is None or len(asked.tickers) < 2:
            found = download(verbs, asked.tickers, asked.start, asked.end, lease, 1.0)
        else:
            found = download_in_parts(asked, parts)
        found.require_some()
        _watch(verbs, job.universe, lease)
        return found.to_json()

    def train(job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        asked = TrainRequest.from_json(job.request)
        if not asked.refresh:
            return _train(verbs, job, asked, lease)
        try:
            result = _train(verbs, job, asked, lease)
        except JobError:
            raise
        except StockcastError:  # whoever spoke yesterday speaks today
            _issue(verbs, job.universe, lease)
            _watch(verbs, job.universe, lease)
            raise
        _issue(verbs, job.universe, lease)
        _watch(verbs, job.universe, lease)
        return result

    def backtest(job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        asked, parts = BacktestRequest.from_json(job.request), spread(job, lease)
        lease.doing(f"Backtesting {asked.model}", 0.1)
        if parts is not None:
            return _scores(asked.model, backtest_in_parts(verbs.backtests, job.universe, asked, parts, lease))
        judged = verbs.backtests.backtest(
            job.universe, asked.tickers, asked.model, asked.start, asked.end, refit=asked.refit
        )
        return _scores(asked.model, judged.diagnosis)

    def evaluate(job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        asked = EvaluateRequest.from_json(job.request)
        lease.doing(f"Scoring {asked.model} on what came since", 0.1)
        judged = verbs.backtests.evaluate(job.universe, asked.model, asked.tickers)
        return _scores(asked.model, judged.diagnosis)

    def downloads(job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        part = DownloadsRequest.from_json(job.request)
        return download(verbs, part.tickers, part.start, part.end, lease, 1.0).to_part()

    whole: dict[str, Handler] = {FETCH: fetch, TRAIN: train, BACKTEST: backtest, EVALUATE: evaluate}
    return whole | {DOWNLOADS: downloads} | backtest_parts(verbs.backtests, keep)


def _train(verbs: Verbs, job: Job, asked: TrainRequest, lease: Lease) -> Mapping[str, JsonValue]:
    noted = verbs.jobs.events(job.id, kind=JUDGED)
    if noted:  # by an attempt that did not come to carry it out
        candidate = Candidate.from_json(noted[-1].payload)
    else:
        if asked.refresh:
            _refresh(verbs, job.universe, asked, lease)
        candidate = verbs.make_candidate(job.universe, asked, lease, job.id)
        lease.report(JUDGED, candidate.to_json())  # refused when another process has the job by now
    lease.doing("Asking the gate", 0.98)
    return verbs.publish(candidate).to_json()


def _issue(verbs: Verbs, universe: str, lease: Lease) -> None:
    """Lets the champion speak about every ticker, so that the track record has no gaps; tells what fails.

    The verdict stands by now: whoever cancels comes too late, so nobody is asked whether to stop.
    """
    try:
        found = verbs.forecast_universe(universe, "schedule")
    except StockcastError as problem:
        lease.note(f"No forecast was issued: {problem}")
        return
    for ticker, reason in found.failed.items():
        lease.note(f"No forecast of {ticker}: {reason}")
    told, count = {answer.speaker.version.label for answer in found.answers}, len(found.answers)
    lease.note(f"{count:,} forecast{'' if count == 1 else 's'} issued by {', '.join(sorted(told))}.")


def _watch(verbs: Verbs, universe: str, lease: Lease) -> None:
    """Asks the rules of the track record. Whatever goes wrong there, the work of the job is done and stays so."""
    try:
        found = verbs.alerts.watch(universe)
    except Exception as problem:
        _log.exception("watch_failed", universe=universe)
        lease.note(f"The track record was not watched: {str(problem) or type(problem).__name__}")
        return
    for alert in found.opened:
        lease.note(f"Alert {alert.id}, {alert.subject}: {alert.sentence}")
    for alert in found.closed:
        lease.note(f"Alert {alert.id}, {alert.subject}, has closed.")
    for sentence in found.problems:
        lease.note(sentence)


def _refresh(verbs: Verbs, universe: str, asked: TrainRequest, lease: Lease) -> None:
    """Downloads what is new before a training; it goes on with what is stored where that fails, and says so."""
    tickers = verbs.downloadable(asked.tickers or verbs.tickers(universe))
    if not tickers:
        lease.note("Nothing was downloaded: none of these histories came from Yahoo.")
        return
    try:
        download(verbs, tickers, None, None, lease, 0.05).require_some()
    except StockcastError as problem:
        lease.check()
        lease.note(f"No new prices ({problem.message}) The training goes on with what is stored.")


def _scores(model: str, diagnosis: Diagnosis) -> Mapping[str, JsonValue]:
    return {"model": model, "scorecard": diagnosis.scorecard.to_json(), "diagnosis": diagnosis.to_json()}
