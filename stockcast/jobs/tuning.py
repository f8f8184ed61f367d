"""How a search for better settings is given away trial by trial, and what it has come to at any moment.

The trials are parts of the job even where one process does them all: so each keeps what it has found though the
search is cancelled or its process killed, and no more of them are made than were asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import JsonValue, TypeAdapter

from stockcast.errors import JobError
from stockcast.jobs.job import TRIAL, TRIES, TUNE, Job
from stockcast.jobs.job_table import JobTable
from stockcast.jobs.lease import Lease
from stockcast.jobs.part_table import Part, PartTable
from stockcast.jobs.parts import Parts
from stockcast.jobs.work import Handler
from stockcast.tune_desk import TuneDesk
from stockcast.workflows.job_requests import TrialRequest, TuneRequest
from stockcast.workflows.tune import Found, Trial
from stockcast.workflows.tune_space import Parameters, Value, parameters_of

_TRIES = TypeAdapter(dict[str, Value])


class Verbs(Protocol):
    """What a search needs of the Workspace."""

    @property
    def jobs(self) -> JobTable: ...
    @property
    def tuning(self) -> TuneDesk: ...


@dataclass(frozen=True)
class AtWork:
    """A trial that is under way."""

    number: int
    parameters: Parameters  # empty: not known yet
    part: Job


@dataclass(frozen=True)
class Search:
    """A search as it is now."""

    job: Job
    asked: TuneRequest
    found: Found
    at_work: tuple[AtWork, ...]

    @property
    def done(self) -> int:
        """How many trials have ended, however they did."""
        return len(self.found.trials)


def tuning_handlers(verbs: Verbs, share: Callable[[Job, Lease], Parts]) -> dict[str, Handler]:
    """A handler for the search and one for its trials."""

    def tune(job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        asked, parts = TuneRequest.from_json(job.request), share(job, lease)
        lease.doing("Loading the search's libraries", 0.0)
        verbs.tuning.begin(job.id, asked)  # so that nobody has to make it while others do
        parts.give_away([Part(TRIAL, TrialRequest().to_json())] * asked.trials)
        done = parts.gather("Trials", tolerant=True)
        lease.doing("Putting the trials together", 0.95)
        found = verbs.tuning.finish(job.id, asked, trials_of(asked, done))
        if found.best is None:
            reasons = [trial.reason for trial in found.trials if trial.reason] or ["they were all given up early."]
            raise JobError(f"No trial came to its end: {reasons[0]}", "Look at its log, and try other settings.")
        return found.to_json()

    def trial(job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        whole = verbs.jobs.get(str(job.parent))
        number = TrialRequest.from_json(job.request).part - 1
        last = job.attempt > 1 and job.attempt >= job.attempts_allowed
        found = verbs.tuning.trial(
            whole.id, TuneRequest.from_json(whole.request), job.id, number, lease,
            lambda parameters: lease.report(TRIES, dict(parameters)),
            killed=job.attempt - 1 if last else 0,
        )  # fmt: skip
        return found.to_json()

    return {TUNE: tune, TRIAL: trial}


def read_search(parts: PartTable, job: Job) -> Search:
    """What a search has come to so far, whatever became of it. Raises JobError for another kind of job."""
    if job.kind != TUNE:
        raise JobError(f"The job {job.id} is no search: {job.title}.", "List them with: stockcast jobs list")
    asked, found = TuneRequest.from_json(job.request), parts.of(job.id)
    weights = (job.result or {}).get("importances")
    importances = {name: float(str(share)) for name, share in weights.items()} if isinstance(weights, dict) else {}
    at_work = tuple(_at_work(parts.table, part) for part in found if part.state == "running")
    return Search(job, asked, Found(tuple(trials_of(asked, found)), importances), at_work)


def trials_of(asked: TuneRequest, parts: Sequence[Job]) -> list[Trial]:
    """The trials that have ended, by number; one whose part failed has failed, and none was cancelled."""
    trials = []
    for part in parts:
        if part.state == "succeeded":
            trials.append(Trial.from_json(part.result or {}))
        elif part.state in ("failed", "interrupted"):
            tried = {} if _number(part) else parameters_of(asked.config, [each.field for each in asked.space])
            trials.append(Trial(_number(part), "failed", None, tried, reason=part.error or "It ended badly."))
    return trials


def _at_work(table: JobTable, part: Job) -> AtWork:
    told = table.events(part.id, kind=TRIES)
    return AtWork(_number(part), _TRIES.validate_python(dict(told[-1].payload)) if told else {}, part)


def _number(part: Job) -> int:
    return TrialRequest.from_json(part.request).part - 1
