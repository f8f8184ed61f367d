"""Which process does a job: its host, its number, and when it began, as numbers are given out anew."""

from __future__ import annotations

import contextlib
import os
import socket
from dataclasses import dataclass

import psutil

# psutil reckons the start from the boot time, which moves with the clock's corrections.
TOLERANCE = 5.0  # seconds


@dataclass(frozen=True)
class Process:
    """One process of one host; `started` is in seconds since 1970."""

    host: str
    pid: int
    started: float

    @staticmethod
    def current() -> Process:
        """This process."""
        me = psutil.Process()
        return Process(this_host(), me.pid, me.create_time())

    @property
    def here(self) -> bool:
        """Whether it belongs to this host, where it can be looked at."""
        return self.host == this_host()

    def alive(self) -> bool:
        """Whether it still runs. Only known for a process of this host."""
        found = self._find()
        return found is not None

    def kill(self) -> None:
        """Ends it at once, and nobody else under its number."""
        found = self._find()
        if found is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                found.kill()

    def _find(self) -> psutil.Process | None:
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.started) < TOLERANCE
            return found if same and found.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


def give_way() -> None:
    """From now on this process comes after everything that somebody waits for."""
    with contextlib.suppress(OSError):
        os.nice(19)
    # Linux desktops share the processor between sessions first; ours has one of its own.
    with contextlib.suppress(OSError), open("/proc/self/autogroup", "w") as autogroup:
        autogroup.write("19")


def this_host() -> str:
    """Name of this machine, as the job table keeps it."""
    return socket.gethostname()[:255]
