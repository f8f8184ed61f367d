"""Fills one run from a thread of its own, so that MLflow down or slow never holds up a training.

What cannot be logged yet is kept and tried again. An epoch is logged under the moment at which it ended, by which
MLflow knows it again: what is told twice, after a lost answer or by a second attempt, stands there once.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import TypeVar

from stockcast.errors import JobCancelled, JobPaused, JobSuperseded, RegistryUnavailable, StockcastError
from stockcast.forecasting.observer import Epoch
from stockcast.registry.runs import Outcome, Runs

LONGEST_PAUSE = 15.0  # seconds between two tries
# Loading MLflow beside the first epochs would slow them down, and a short training is over by then.
OPENING = 8.0  # seconds
# While MLflow's database is written its pages wait; short epochs are logged several at a time.
SPACING = 5.0  # seconds
PATIENCE = 15 * 60.0  # seconds for which a training that is done waits for MLflow

Found = TypeVar("Found")


class RunLog:
    """The run of one training, open from `with` to `finish` or to the error that ends it.

    A `job` finds the run of its earlier attempts again, if they worked on the same `inputs`.
    """

    def __init__(
        self,
        runs: Runs,
        universe: str,
        name: str,
        parameters: Mapping[str, object],
        tags: Mapping[str, str],
        *,
        job: str | None = None,
        inputs: str = "",
    ) -> None:
        self._runs = runs
        began = datetime.now(UTC)
        self._open = partial(runs.open, universe, name, parameters, tags, job=job, inputs=inputs, began=began)
        self._run: str | None = None
        self._pending: list[Epoch] = []
        self._problem: StockcastError | None = None
        self._settling = False
        self._started = time.monotonic()
        self._logged = -SPACING
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._work, name="run log", daemon=True)

    def __enter__(self) -> RunLog:
        self._thread.start()
        return self

    def epoch(self, epoch: Epoch) -> None:
        """Adds one point to the curves; returns at once."""
        with self._changed:
            self._pending.append(epoch)
            self._changed.notify_all()

    def settle(self, waiting: Callable[[], None], patience: float = PATIENCE) -> str:
        """Waits until MLflow has everything and returns the run's id; `waiting` is called meanwhile.

        Raises RegistryUnavailable when MLflow does not answer for `patience` seconds, or what `waiting` raises.
        """
        give_up = time.monotonic() + patience
        while True:
            with self._changed:
                self._settling = True
                self._changed.notify_all()
                if self._problem is not None and not isinstance(self._problem, RegistryUnavailable):
                    raise self._problem
                if self._run is not None and not self._pending:
                    return self._run
                if time.monotonic() > give_up:
                    raise self._problem or RegistryUnavailable(
                        f"MLflow at {self._runs.server.uri} did not answer in time.",
                        "Check that MLflow is running, then try the job again; it goes on from its checkpoint.",
                    )
                self._changed.wait(0.2)
            waiting()

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, _trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join(1.0)
        outcome = outcome_of(problem)
        if self._run is not None and outcome is not None and self._problem is None:
            try:
                self._runs.close(self._run, outcome)
            except RegistryUnavailable:  # closed later, with the other loose ends of its job
                return

    def _wait(self, pending: bool) -> float | None:
        """Seconds to wait before MLflow is asked; None until something happens."""
        if self._settling and (pending or self._run is None):
            return 0.0
        if not pending:
            return None
        if self._run is None:
            loaded = "mlflow" in sys.modules
            return 0.0 if loaded else max(0.0, self._started + OPENING - time.monotonic())
        return max(0.0, self._logged + SPACING - time.monotonic())

    def _work(self) -> None:
        pause = 0.5
        while True:
            with self._changed:
                if self._ended:
                    return
                batch = list(self._pending)
                wait = self._wait(bool(batch))
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                    continue
            try:
                if self._run is None:
                    self._run = self._open()
                self._runs.log_epochs(self._run, batch)
            except RegistryUnavailable as problem:
                with self._changed:
                    self._problem = problem
                    self._changed.wait_for(lambda: self._ended, pause)
                pause = min(LONGEST_PAUSE, 2 * pause)
                continue
            except StockcastError as problem:  # waiting would not help
                with self._changed:
                    self._problem = problem
                return
            pause = 0.5
            self._logged = time.monotonic()
            with self._changed:
                self._problem = None
                del self._pending[: len(batch)]
                self._changed.notify_all()


def patiently(act: Callable[[], Found], waiting: Callable[[], None], patience: float = PATIENCE) -> Found:
    """What `act` finds or stores, tried again while MLflow or its store of artifacts is away.

    `waiting` is called meanwhile. Raises RegistryUnavailable when they are away for `patience` seconds, or what
    `waiting` raises.
    """
    give_up, pause = time.monotonic() + patience, 1.0
    while True:
        try:
            return act()
        except RegistryUnavailable:
            if time.monotonic() > give_up:
                raise
        again = time.monotonic() + pause
        while time.monotonic() < again:
            waiting()
            time.sleep(0.2)
        pause = min(LONGEST_PAUSE, 2 * pause)


def outcome_of(problem: BaseException | None) -> Outcome | None:
    """How a run is closed after what happened in it; None leaves it open for whoever goes on."""
    if problem is None or isinstance(problem, JobPaused | JobSuperseded):
        return None
    return "KILLED" if isinstance(problem, KeyboardInterrupt | SystemExit | JobCancelled) else "FAILED"
