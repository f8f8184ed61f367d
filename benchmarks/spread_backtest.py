"""How much sooner two workers finish a backtest of twenty tickers than one, on the same machine.

python -m benchmarks.spread_backtest [--tickers 20] [--years 10] [--rounds 3] [--model lstm] [--refit never]

Prices are made up and seeded. A worker with one process and one with two take turns, each process on one thread;
so do two workers of two homes that do the whole backtest each, beside one another and with nothing shared. What
those two gain over one is what the machine has to give: two processors of a busy machine are seldom worth two.
Every process has done a small backtest before, so that it has loaded what it needs; measured is from a job's start
to its end, by the database's clock. The figures that they find must be the same. The network (`lstm`) is trained
for two epochs before: how good it is makes no difference to how long it takes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import filelock

from benchmarks.page_speed import spread, store_histories
from stockcast.config import DEFAULT_UNIVERSE
from stockcast.evaluation.refits import RefitPolicy
from stockcast.jobs.job import Job
from stockcast.settings import Settings
from stockcast.workspace import Workspace

PATIENCE = 1800  # seconds
LIMIT = 1.7  # times sooner


def main() -> None:
    """Prints the times, and what is gained beside what could be."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--tickers", type=int, default=20)
    asked.add_argument("--years", type=int, default=10)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--model", default="lstm")
    asked.add_argument("--refit", default="never")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder) / "home"
        store_histories(home, options.tickers, options.years)
        newest = Workspace(Settings(home=home)).prices.list()[0].last_session
        start = newest - timedelta(days=365 * (options.years // 2))
        if options.model == "lstm":
            quick, before = ["training.max_epochs=2"], start - timedelta(days=1)
            Workspace(Settings(home=home)).train(DEFAULT_UNIVERSE, until=before, overrides=quick)
        twin = Path(folder) / "twin"
        # By a process of its own: whoever opens and closes a SQLite file loses the locks that he has on it.
        subprocess.run(["cp", "-r", home, twin], check=True)
        ask = partial(Ask, model=options.model, refit=options.refit, start=start, end=newest)
        ways = {"one worker": [ask(home, 1)], "two workers": [ask(home, 2)], "apart": [ask(home, 1), ask(twin, 1)]}
        took: dict[str, list[float]] = {way: [] for way in ways}
        found = set()
        for _ in range(options.rounds):
            for way, asked_for in ways.items():
                jobs = backtests(asked_for)
                took[way].append(max(seconds_of(job) for job in jobs))
                found |= {str((job.result or {})["scorecard"]) for job in jobs}
                print(f"{way}: {took[way][-1]:.1f} s", flush=True)
    if len(found) > 1:
        sys.exit("The figures differ.")
    one, two, apart = (statistics.median(seconds) for seconds in took.values())
    for way, seconds in took.items():
        print(f"{way}: {spread(seconds)}")
    gained, there = one / two, 2 * one / apart
    print(
        f"two workers finish {gained:.2f} times sooner than one (limit {LIMIT}); this machine gives two processes "
        f"that share nothing {there:.2f}, of which that is {gained / there:.0%}"
    )


@dataclass(frozen=True)
class Ask:
    """A backtest in a home whose worker has so many processes."""

    home: Path
    workers: int
    model: str
    refit: RefitPolicy
    start: date
    end: date


def backtests(asked: Sequence[Ask]) -> list[Job]:
    """Has backtests begun at the same moment by a worker of each home, all warm, and returns them ended."""
    with ExitStack() as stack:
        workspaces = [stack.enter_context(warm(each)) for each in asked]
        begun = [
            workspace.desk.submit_backtest(
                DEFAULT_UNIVERSE, [], each.model, each.start, each.end, refit=each.refit
            )
            for workspace, each in zip(workspaces, asked, strict=True)
        ]
        return [ended(workspace, job) for workspace, job in zip(workspaces, begun, strict=True)]


@contextmanager
def warm(asked: Ask) -> Iterator[Workspace]:
    """A home whose worker's processes have each done a small backtest."""
    count = str(asked.workers)
    environment = {"STOCKCAST_HOME": str(asked.home), "STOCKCAST_THREADS": count, "STOCKCAST_WORKERS": count}
    worker = subprocess.Popen(
        [sys.executable, "-m", "stockcast", "worker", "--linger", "60"],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        workspace = Workspace(Settings(home=asked.home, workers=asked.workers))
        workspace.champion(DEFAULT_UNIVERSE)
        while not locked(asked.home / "jobs" / "worker.lock"):  # or asking for a job would start another worker
            time.sleep(0.1)
        small = asked.end - timedelta(days=60)
        begun = [
            workspace.desk.submit_backtest(DEFAULT_UNIVERSE, [], asked.model, small, asked.end)
            for _ in range(asked.workers)
        ]
        for each in begun:
            ended(workspace, each)
        yield workspace
    finally:
        worker.terminate()
        worker.wait()


def seconds_of(job: Job) -> float:
    """From its start to its end."""
    assert job.finished_at is not None
    assert job.started_at is not None
    return (job.finished_at - job.started_at).total_seconds()


def locked(lock: Path) -> bool:
    """Whether a worker serves the home."""
    try:
        with filelock.FileLock(lock, timeout=0):
            return False
    except filelock.Timeout:
        return True


def ended(workspace: Workspace, job: Job) -> Job:
    """The job when it has succeeded."""
    deadline = time.monotonic() + PATIENCE
    while job.active:
        if time.monotonic() > deadline:
            sys.exit("It takes too long.")
        time.sleep(0.2)
        job = workspace.jobs.get(job.id)
    if job.state != "succeeded":
        sys.exit(f"{job.error} {job.hint}")
    return job


if __name__ == "__main__":
    main()
