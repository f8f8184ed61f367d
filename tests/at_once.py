"""Work that several processes begin at the same moment.

Each is an interpreter of its own: the fork of a process that has threads may wait for ever for a lock that one of
them held.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from joblib import Parallel, delayed

PATIENCE = 60  # seconds for the last one to come


def all_at_once(count: int, work: Callable[[int], object]) -> list[object]:
    """What `work(0)`, `work(1)`, … return, each in its process; an error as its name and words."""
    with tempfile.TemporaryDirectory() as gate:

        def begin(number: int) -> object:
            try:
                meet(Path(gate), number, count)
                return work(number)
            except Exception as problem:
                return f"{type(problem).__name__}: {problem}"

        processes = Parallel(n_jobs=count, backend="loky", batch_size=1, pre_dispatch="all")
        return list(processes(delayed(begin)(number) for number in range(count)))


def meet(gate: Path, number: int, count: int) -> None:
    """Waits until all have come."""
    (gate / str(number)).touch()
    give_up = time.monotonic() + PATIENCE
    while len(list(gate.iterdir())) < count:
        if time.monotonic() > give_up:
            raise TimeoutError("The others have not come.")
        time.sleep(0.001)
