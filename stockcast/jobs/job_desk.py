"""Where long work is asked for, watched over and done: the jobs of one Workspace."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from pathlib import Path

from stockcast.config_versions import ConfigVersion
from stockcast.errors import InvalidRequest, StockcastError, TrainingActive
from stockcast.evaluation.refits import RefitPolicy
from stockcast.home_files import make_folder
from stockcast.jobs.celery_runner import CeleryRunner
from stockcast.jobs.handlers import Verbs, handlers
from stockcast.jobs.job import BACKTEST, EVALUATE, FETCH, TRAIN, TUNE, Job
from stockcast.jobs.lease import Lease
from stockcast.jobs.leftovers import remove_leftovers
from stockcast.jobs.local_runner import LocalRunner
from stockcast.jobs.part_table import PartTable
from stockcast.jobs.parts import Parts
from stockcast.jobs.process import Process
from stockcast.jobs.schedule import Plan, plan
from stockcast.jobs.sweep import sweep
from stockcast.jobs.tuning import Search, read_search, tuning_handlers
from stockcast.jobs.work import Tell, Work, names_told
from stockcast.prices.source import shape_question
from stockcast.registry.runs import Outcome
from stockcast.registry.tracking_server import model_name
from stockcast.settings import Settings
from stockcast.tracing import open_traces
from stockcast.workflows.job_requests import (
    USUAL_TRIALS,
    BacktestRequest,
    EvaluateRequest,
    FetchRequest,
    JobRequest,
    TrainRequest,
)

_OUTCOMES: dict[str, Outcome] = {
    "succeeded": "FINISHED",
    "failed": "FAILED",
    "cancelled": "KILLED",
    "interrupted": "KILLED",
}


class JobDesk:
    """Takes orders for long work; a worker of this or another machine does them."""

    def __init__(self, verbs: Verbs, settings: Settings) -> None:
        self._verbs = verbs
        self._settings = settings
        self.jobs = verbs.jobs

    @cached_property
    def runner(self) -> LocalRunner | CeleryRunner:
        """Rings for workers where there is a broker, and else starts one where there is none."""
        if self._settings.broker_name:
            return CeleryRunner(self.jobs, self._settings)
        return LocalRunner(self._settings.job_logs, self._settings.environment, self._settings.worker_linger)

    @property
    def logs(self) -> Path:
        """Folder of one log per job, of checkpoints and of the worker's lock."""
        return make_folder(self._settings.job_logs)

    @cached_property
    def work(self) -> Work:
        """Does jobs in this process."""
        known = handlers(self._verbs, self._spread, self.parts.keep) | tuning_handlers(self._verbs, self._share)
        return Work(self.jobs, known, self.tie_up, open_traces(self._settings, "stockcast-worker"))

    @cached_property
    def parts(self) -> PartTable:
        """The parts of jobs."""
        return PartTable(self.jobs)

    def submit_training(
        self,
        universe: str,
        tickers: Sequence[str] = (),
        until: date | None = None,
        overrides: Sequence[str] = (),
    ) -> Job:
        """Queues a training. Raises TrainingActive, or what `Workspace.train_request` raises."""
        return self._submit(TRAIN, universe, self._verbs.train_request(universe, tickers, until, overrides))

    def submit_retraining(self, universe: str, key: str) -> Job:
        """Queues a training that nobody has to be there for, once for each key; an active one answers it, too.

        Raises what `Workspace.train_request` raises.
        """
        try:
            return self._submit(TRAIN, universe, self._verbs.train_request(universe), key)
        except TrainingActive as active:
            return self.jobs.get(active.job_id)

    def train_here(
        self, universe: str, tickers: Sequence[str], until: date | None, overrides: Sequence[str], tell: Tell
    ) -> Job:
        """The same as a job that this very process does, and that ends with it; returns how it ended."""
        asked = self._verbs.train_request(universe, tickers, until, overrides)
        job = self.jobs.submit(TRAIN, universe, asked.to_json(), taken_by=Process.current())
        return self.work.do(job, threading.Event(), tell)

    def submit_fetch(
        self, universe: str, tickers: Sequence[str], start: date | None = None, end: date | None = None
    ) -> Job:
        """Queues a download from Yahoo. Raises InvalidTicker or InvalidRequest."""
        questions = [shape_question(ticker, start, end) for ticker in tickers]
        asked = FetchRequest(tickers=tuple(dict.fromkeys(each.ticker for each in questions)), start=start, end=end)
        return self._submit(FETCH, universe, asked)

    def submit_backtest(
        self,
        universe: str,
        tickers: Sequence[str],
        which: str,
        start: date,
        end: date,
        *,
        refit: RefitPolicy = "never",
    ) -> Job:
        """Queues a backtest. Raises InvalidTicker, UnknownTicker, or InvalidRequest for a start after the end."""
        if start > end:
            raise InvalidRequest(f"The start {start} lies after the end {end}.", "Swap the two dates.")
        wanted = tuple(self._verbs.prices.history(ticker).ticker for ticker in tickers)
        asked = BacktestRequest(model=which, start=start, end=end, tickers=wanted, refit=refit)
        return self._submit(BACKTEST, universe, asked)

    def submit_evaluation(self, universe: str, which: str, tickers: Sequence[str] = ()) -> Job:
        """Queues the scoring of a version on what came since. Raises InvalidTicker or UnknownTicker."""
        wanted = tuple(self._verbs.prices.history(ticker).ticker for ticker in tickers)
        return self._submit(EVALUATE, universe, EvaluateRequest(model=which, tickers=wanted))

    def submit_tuning(
        self,
        universe: str,
        tickers: Sequence[str] = (),
        until: date | None = None,
        *,
        trials: int = USUAL_TRIALS,
        space: Sequence[str] = (),
        seed: int = 7,
    ) -> Job:
        """Queues a search for better settings. Raises what `TuneDesk.request` raises."""
        asked = self._verbs.tuning.request(universe, tickers, until, trials=trials, space=space, seed=seed)
        return self._submit(TUNE, universe, asked)

    def search(self, job_id: str) -> Search:
        """What a search has come to so far. Raises UnknownJob, or JobError for another kind of job."""
        return read_search(self.parts, self.jobs.get(job_id))

    def adopt(self, job_id: str, number: int | None = None, *, author: str = "") -> ConfigVersion:
        """Saves a configuration with the settings of a trial, or of the best one; see `TuneDesk.adopt`."""
        search = self.search(job_id)
        return self._verbs.tuning.adopt(search.job.universe, job_id, search.asked, search.found, number, author)

    def retry(self, job_id: str) -> Job:
        """Queues a job that ended badly again; it goes on from what is left of it.

        Raises InvalidRequest for a part of another job, which nobody would gather.
        """
        parent = self.jobs.get(job_id).parent
        if parent is not None:
            raise InvalidRequest(
                f"{job_id} is a part of another job.", f"Try that again: stockcast jobs retry {parent}"
            )
        job = self.jobs.retry(job_id)
        self.look_after()
        return job

    def look_after(self) -> None:
        """Queues again what lost its process, and sees to it that queued jobs have a worker. Faces call it."""
        sweep(self.jobs)
        if any(job.state == "queued" for job in self.jobs.active()):
            self.runner.wake()

    def plan(self, universe: str) -> Plan | None:
        """When the universe is trained by itself; None when it is not."""
        current = self._verbs.configs.current(universe)
        return plan(universe, current.config.schedule, current.created_at)

    def submit_due(self) -> list[Job]:
        """Queues the trainings whose time has come, each once however many workers ask."""
        submitted = []
        for universe in self._verbs.universes():
            scheduled, now = self.plan(universe), self._verbs.clock()
            due = None if scheduled is None else scheduled.due(now)
            if scheduled is None or due is None or self.jobs.by_key(scheduled.key(due)):
                continue
            current = self._verbs.configs.current(universe)
            asked = TrainRequest(config=current.config, config_version=current.version, refresh=True)
            with contextlib.suppress(TrainingActive):  # it is asked for again until it is queued or too late
                submitted.append(self._submit(TRAIN, universe, asked, scheduled.key(due)))
        return submitted

    def serve(self, linger: float, leave: threading.Event, tell: Tell) -> None:
        """Does chores and then job after job in this process; see `Work.loop`."""
        self._chores(tell)
        self.work.loop(self.logs, linger, leave, tell)

    def serve_told(self, linger: float, leave: threading.Event, tell: Tell) -> None:
        """Does chores and then the jobs that standard input names; see `Work.told`."""
        self._chores(tell)
        self.work.told(names_told(linger, leave), self.logs, leave, tell)

    def tie_up(self, job: Job) -> None:
        """Closes what an ended job may have left: its run, and its checkpoint unless it may be tried again."""
        if job.kind == TRAIN and job.attempt:
            self._verbs.runs.close_of_job(job.universe, job.id, _OUTCOMES[job.state])
        if job.state == "succeeded":
            for checkpoint in self._settings.job_logs.glob(f"{job.id}-*.ckpt"):
                checkpoint.unlink(missing_ok=True)
            self.parts.forget(job.id)
        self.jobs.tied_up(job)

    @property
    def _alone(self) -> bool:
        """Whether no other process would take a part."""
        return self._settings.workers == 1 and not self._settings.broker_name

    def _spread(self, job: Job, lease: Lease) -> Parts | None:
        """What a job gives its parts away with; None where nobody else would take them."""
        return None if self._alone else self._share(job, lease)

    def _share(self, job: Job, lease: Lease) -> Parts:
        """The same where it is to have parts in any case; nobody is called for to help where one works alone."""
        wake = (lambda: None) if self._alone else self.runner.wake
        return Parts(self.parts, job, lease, wake, lambda part: self.work.help(part, lease))

    def _submit(self, kind: str, universe: str, asked: JobRequest, key: str | None = None) -> Job:
        model_name(universe)  # refuses what cannot name a universe
        job = self.jobs.submit(kind, universe, asked.to_json(), key=key)
        self.runner.wake()
        return job

    def _chores(self, tell: Tell) -> None:
        """What a process that does jobs begins with: what is scheduled, and what others have left open."""
        for job in self.submit_due():
            tell(f"{job.id}: {job.title}, as scheduled")
        for job in self.jobs.loose():
            try:
                self.tie_up(job)
            except StockcastError as problem:
                tell(f"{job.id}: {problem.message}")
        self.parts.forget_old()
        remove_leftovers(make_folder(self._settings.scratch), self.logs)
