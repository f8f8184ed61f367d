"""A job and what happened in it, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import JsonValue

from stockcast.jobs.process import Process

State = Literal["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]
ACTIVE: tuple[State, ...] = ("queued", "running")
ENDED_BADLY: tuple[State, ...] = ("failed", "cancelled", "interrupted")

FETCH, TRAIN, BACKTEST, EVALUATE, TUNE = KINDS = ("fetch", "train", "backtest", "evaluate", "tune")
# Kinds of parts, which only another job asks for.
DOWNLOADS, FORECASTS, OPPONENTS, TRIAL = ("downloads", "forecasts", "opponents", "trial")

# Kinds of events; whatever else a job reports is a note for people.
EPOCH = "epoch"  # payload: an Epoch
JUDGED = "judged"  # payload: what a training found, noted before anything is promoted
ATTEMPT = "attempt"  # payload: number, of
INTERRUPTED = "interrupted"  # payload: attempt, reason
TRIES = "tries"  # payload: the settings that a trial tries, by field
NOTE = "note"  # payload: sentence


@dataclass(frozen=True)
class Job:
    """One piece of long work. `request` and `result` are plain data that the kind of job understands."""

    id: str
    kind: str
    universe: str
    state: State
    request: Mapping[str, JsonValue]
    created_at: datetime
    started_at: datetime | None  # by its first attempt
    finished_at: datetime | None
    pid: int | None
    progress: float  # 0 to 1
    result: Mapping[str, JsonValue] | None
    error: str | None
    hint: str | None
    key: str | None
    attempt: int  # 0 while no process has taken it
    attempts_allowed: int
    lease_until: datetime | None
    deadline: datetime | None
    cancel_requested_at: datetime | None
    host: str | None
    pid_started: float | None
    phase: str | None  # what it does just now, in words
    loose_ends: bool
    rung_at: datetime | None  # when a broker was last told of it
    parent: str | None  # the job that it is a part of

    @property
    def active(self) -> bool:
        """Whether it still has something to do."""
        return self.state in ACTIVE

    @property
    def process(self) -> Process | None:
        """The process that took it last."""
        if self.pid is None or self.host is None or self.pid_started is None:
            return None
        return Process(self.host, self.pid, self.pid_started)

    @property
    def resuming(self) -> bool:
        """Whether it waits for a new process after it lost one."""
        return self.state == "queued" and self.attempt > 0

    @property
    def title(self) -> str:
        """What it is, for people: train default."""
        return f"{self.kind} {self.universe}"


@dataclass(frozen=True)
class JobEvent:
    """Something that happened in a job, numbered from 1."""

    number: int
    at: datetime
    kind: str
    payload: Mapping[str, JsonValue]
