"""Warm processes that do jobs which they are told by name, for a parent that stays light."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping

from stockcast.jobs.sweep import GRACE

DONE = "done"  # what a process says, with the job's id, when it has seen to it

COMMAND = (sys.executable, "-m", "stockcast", "worker", "--alone", "--told")


class Hands:
    """As many processes as jobs are done at a time; each is kept for the next job until it leaves by itself."""

    def __init__(self, environment: Mapping[str, str], tell: Callable[[str], None]) -> None:
        self._environment = {**os.environ, **environment}
        self._tell = tell
        self._idle: list[subprocess.Popen[str]] = []
        self._busy: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self.leaving = False

    def do(self, job_id: str) -> None:
        """Has a process see to a job, and returns when it has, or when that process is gone."""
        for _ in range(2):
            process = self._take()
            if process is None:
                return
            try:
                heard = self._speak(process, job_id)
            finally:
                self._give_back(process)
            if heard:
                return  # else it had left before it heard the name, and another one is told

    def chores(self) -> None:
        """Has a process do what is due beside the jobs, and waits for it."""
        subprocess.run(
            COMMAND, stdin=subprocess.DEVNULL, env=self._environment, start_new_session=True, check=False
        )

    def stop(self) -> None:
        """Asks all processes to leave, and ends those that have not after a while."""
        with self._lock:
            self.leaving = True
            there = [*self._busy, *self._idle]
        for process in there:
            process.terminate()
        for process in there:
            try:
                process.wait(GRACE.total_seconds())
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for process in self._idle:  # whoever waits for a busy one closes it
            _close(process)

    def _take(self) -> subprocess.Popen[str] | None:
        with self._lock:
            if self.leaving:
                return None
            while self._idle:
                process = self._idle.pop()
                if process.poll() is None:
                    break
                _close(process)
            else:
                process = subprocess.Popen(
                    COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self._environment,
                    start_new_session=True,
                )  # fmt: skip
            self._busy.add(process)
            return process

    def _give_back(self, process: subprocess.Popen[str]) -> None:
        with self._lock:
            self._busy.discard(process)
            if process.poll() is None:
                self._idle.append(process)
            else:
                _close(process)

    def _speak(self, process: subprocess.Popen[str], job_id: str) -> bool:
        """Tells a name and waits; False when the process had gone before it could hear it."""
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(f"{job_id}\n")
            process.stdin.flush()
        except OSError:
            process.wait()
            return False
        heard = False
        for line in process.stdout:
            heard = True
            if line.rstrip().endswith(f" {DONE} {job_id}"):  # behind the time
                return True
            self._tell(line.rstrip())
        process.wait()
        return heard


def _close(process: subprocess.Popen[str]) -> None:
    """Lets go of the pipes of a process that has ended."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # what it did not come to hear
                pipe.close()
