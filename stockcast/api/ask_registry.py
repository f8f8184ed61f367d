"""Asks MLflow who speaks for a universe, fetches its bundle and leaves a note: a process of its own, for the API.

    python -m stockcast.api.ask_registry UNIVERSE

MLflow takes seconds to import and a hundred MiB, which the process that serves shall not have. It prints one line
of JSON: {"version": "3"}, or {"error", "message", "hint"}.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys


def main(universe: str) -> None:
    """Prints the answer; other output goes nowhere."""
    from stockcast.errors import StockcastError
    from stockcast.settings import read_settings
    from stockcast.workspace import Workspace

    with contextlib.suppress(OSError):
        os.nice(10)  # who answers requests goes first
    try:
        workspace = Workspace(read_settings())
        version = workspace.champion(universe)
        workspace.bundles.load(version)
        workspace.notes.write(universe, version)
        answer = {"version": version.version}
    except StockcastError as problem:
        answer = {"error": type(problem).__name__, "message": problem.message, "hint": problem.hint}
    except Exception as problem:  # a database that is no database, a disk that is full
        answer = {"error": "RegistryUnavailable", "message": f"{type(problem).__name__}: {problem}", "hint": ""}
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
