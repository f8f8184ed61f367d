"""How much sooner two workers finish a backtest of twenty tickers than one, on the same machine.

python -m benchmarks.spread_backtest [--tickers 20] [--years 10] [--rounds 3] [--model lstm] [--refit never]

Prices are made up and seeded. A worker with one process and one with two take turns, each process on one thread.
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
from datetime import date, timedelta
from pathlib import Path

import filelock

from benchmarks.page_speed import spread, store_histories
from stockcast.config import DEFAULT_UNIVERSE
from stockcast.jobs.job import Job
from stockcast.settings import Settings
from stockcast.workspace import Workspace

PATIENCE = 1800  # seconds
LIMIT = 1.7  # times sooner


def main() -> None:
    """Prints both times and their ratio."""
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
        took: dict[int, list[float]] = {1: [], 2: []}
        found = set()
        for _ in range(options.rounds):
            for workers, seconds in took.items():
                job = backtest(home, workers, options.model, options.refit, start, newest)
                assert job.finished_at is not None
                assert job.started_at is not None
                seconds.append((job.finished_at - job.started_at).total_seconds())
                found.add(str((job.result or {})["scorecard"]))
                print(f"{workers} worker{'s' * (workers > 1)}: {seconds[-1]:.1f} s")
    if len(found) > 1:
        sys.exit("The figures differ.")
    one, two = (statistics.median(seconds) for seconds in took.values())
    print(f"one worker: {spread(took[1])}; two: {spread(took[2])}; {one / two:.2f} times sooner (limit {LIMIT})")


def backtest(home: Path, workers: int, model: str, refit: str, start: date, end: date) -> Job:
    """Has a backtest done by a worker with so many warm processes, and returns it when it has ended."""
    count = str(workers)
    environment = {"STOCKCAST_HOME": str(home), "STOCKCAST_THREADS": count, "STOCKCAST_WORKERS": count}
    worker = subprocess.Popen(
        [sys.executable, "-m", "stockcast", "worker", "--linger", "60"],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        workspace = Workspace(Settings(home=home, workers=workers))
        workspace.champion(DEFAULT_UNIVERSE)
        while not locked(home / "jobs" / "worker.lock"):  # or asking for a job would start another worker
            time.sleep(0.1)
        small = end - timedelta(days=60)
        warm = [workspace.desk.submit_backtest(DEFAULT_UNIVERSE, [], model, small, end) for _ in range(workers)]
        for each in warm:
            ended(workspace, each)
        return ended(
            workspace,
            workspace.desk.submit_backtest(DEFAULT_UNIVERSE, [], model, start, end, refit=refit),  # type: ignore[arg-type]
        )
    finally:
        worker.terminate()
        worker.wait()


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
