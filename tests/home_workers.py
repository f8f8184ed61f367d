"""The processes that work for a home: they outlive whoever started them, as they should, but not their test."""

from __future__ import annotations

from pathlib import Path

import psutil


def workers_of(home: Path | str) -> list[psutil.Process]:
    """Every process that serves a home: workers, and those that they have started."""
    found = []
    for process in psutil.process_iter():
        try:
            if "worker" in process.cmdline() and process.environ().get("STOCKCAST_HOME") == str(home):
                found.append(process)
        except psutil.Error:
            continue
    return found


def kill_workers(home: Path | str) -> None:
    """Ends them at once."""
    for process in workers_of(home):
        try:
            process.kill()
        except psutil.Error:
            continue
