"""Removes what killed processes have left on the disk and nobody will use again."""

from __future__ import annotations

import contextlib
import shutil
import time
from pathlib import Path

SCRATCH_DAYS = 1
CHECKPOINT_DAYS = 30  # for which a job that failed can go on from where it was


def remove_leftovers(scratch: Path, logs: Path) -> None:
    """Old temporary folders and files, and checkpoints that nobody went on from."""
    old = [entry for entry in scratch.iterdir() if _days(entry) > SCRATCH_DAYS]
    old += [entry for entry in logs.glob("*.ckpt") if _days(entry) > CHECKPOINT_DAYS]
    old += [entry for entry in logs.glob("*.tmp") if _days(entry) > SCRATCH_DAYS]
    for entry in old:
        with contextlib.suppress(OSError):
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()


def _days(entry: Path) -> float:
    with contextlib.suppress(OSError):
        return (time.time() - entry.stat().st_mtime) / 86400
    return 0.0
