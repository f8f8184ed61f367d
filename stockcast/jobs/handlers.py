"""What each kind of job does, by the Workspace's verbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from pydantic import JsonValue

from stockcast.config_versions import ConfigVersions
from stockcast.errors import JobError, StockcastError
from stockcast.evaluation.refits import RefitPolicy
from stockcast.forecasting.observer import Observer
from stockcast.jobs.job import BACKTEST, EVALUATE, FETCH, JUDGED, TRAIN, Job
from stockcast.jobs.job_table import JobTable
from stockcast.jobs.lease import Lease
from stockcast.jobs.work import Handler
from stockcast.logs import get_logger
from stockcast.monitoring.journal import Face
from stockcast.prices.store import PriceStore
from stockcast.registry.runs import Runs
from stockcast.workflows.backtest import Judged
from stockcast.workflows.forecast_universe import UniverseForecast
from stockcast.workflows.ingest import Ingested
from stockcast.workflows.job_requests import BacktestRequest, EvaluateRequest, FetchRequest, TrainRequest
from stockcast.workflows.train import Candidate
from stockcast.workflows.training_result import TrainingResult
from stockcast.workflows.watch import Watched

_log = get_logger(__name__)


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
    def backtest(
        self,
        universe: str,
        tickers: Sequence[str],
        which: str,
        start: date,
        end: date,
        *,
        refit: RefitPolicy = "never",
    ) -> Judged: ...
    def evaluate(self, universe: str, which: str, tickers: Sequence[str] = ()) -> Judged: ...
    def forecast_universe(self, universe: str, face: Face) -> UniverseForecast: ...


def handlers(verbs: Verbs) -> dict[str, Handler]:
    """A handler per kind of job."""

    def fetch(job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        asked = FetchRequest.from_json(job.request)
        result = _download(verbs, asked.tickers, asked.start, asked.end, lease, 1.0)
        _watch(verbs, job.universe, lease)
        return result

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
        asked = BacktestRequest.from_json(job.request)
        lease.doing(f"Backtesting {asked.model}", 0.1)
        judged = verbs.backtest(
            job.universe, asked.tickers, asked.model, asked.start, asked.end, refit=asked.refit
        )
        return _scores(asked.model, judged)

    def evaluate(job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        asked = EvaluateRequest.from_json(job.request)
        lease.doing(f"Scoring {asked.model} on what came since", 0.1)
        return _scores(asked.model, verbs.evaluate(job.universe, asked.model, asked.tickers))

    return {FETCH: fetch, TRAIN: train, BACKTEST: backtest, EVALUATE: evaluate}


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
        _download(verbs, tickers, None, None, lease, 0.05)
    except StockcastError as problem:
        lease.check()
        lease.note(f"No new prices ({problem.message}) The training goes on with what is stored.")


def _download(
    verbs: Verbs, tickers: Sequence[str], start: date | None, end: date | None, lease: Lease, share: float
) -> Mapping[str, JsonValue]:
    """Ticker by ticker: one that fails does not hold up the others. Raises the last failure when all did."""
    stored: list[str] = []
    failed: dict[str, str] = {}
    last: StockcastError | None = None
    for number, ticker in enumerate(tickers):
        lease.doing(f"Downloading {ticker}", share * number / len(tickers))
        try:
            stored.append(verbs.ingest_yahoo(ticker, start, end).sentence)
        except StockcastError as problem:
            last = problem
            failed[ticker] = f"{problem.message} {problem.hint}"
            lease.note(f"{ticker}: {problem.message}")
        else:
            lease.note(stored[-1])
    if last is not None and not stored:
        raise last
    return {"stored": list(stored), "failed": dict(failed)}


def _scores(model: str, judged: Judged) -> Mapping[str, JsonValue]:
    return {
        "model": model,
        "scorecard": judged.scorecard.to_json(),
        "diagnosis": judged.diagnosis.to_json(),
    }
