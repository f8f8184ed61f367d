"""Sees to it that a worker runs on this machine while there is something to do."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import filelock

from stockcast.home_files import make_folder


class LocalRunner:
    """Starts a worker that outlives the page and the server which asked for it, unless one is there."""

    def __init__(self, logs: Path, environment: Mapping[str, str], linger: float) -> None:
        self.logs = logs
        self.environment = environment
        self.linger = linger
        self._started: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()

    def wake(self) -> None:
        """Call it after something was queued. A worker that is there looks at the queue by itself."""
        folder = make_folder(self.logs)
        with self._starting, contextlib.suppress(filelock.Timeout):
            if self._started is not None and self._started.poll() is None:
                return  # it may not have come to hold the lock yet
            with filelock.FileLock(self.lock, timeout=0, thread_local=False):
                pass
            with open(folder / "worker.log", "ab") as log:
                self._started = subprocess.Popen(
                    [sys.executable, "-m", "stockcast", "worker", "--until-idle", "--linger", f"{self.linger:g}"],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **self.environment},
                    start_new_session=True,
                )
            # Takes note of its end, or it would stay in the list of processes as long as this one lives.
            threading.Thread(target=self._started.wait, name="waits for a worker", daemon=True).start()

    @property
    def lock(self) -> Path:
        """Held by the worker of this home as long as it lives."""
        return self.logs / "worker.lock"

    def log_file(self, job_id: str) -> Path:
        """Where the process of a job writes."""
        return make_folder(self.logs) / f"{job_id}.log"
