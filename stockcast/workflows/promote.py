"""Lets a person decide which version speaks."""

from __future__ import annotations

from stockcast.errors import InvalidRequest
from stockcast.registry.runs import Runs
from stockcast.registry.versions import CHAMPION, ModelVersion, Versions


def promote(runs: Runs, versions: Versions, universe: str, which: str, note: str) -> ModelVersion:
    """Makes a version the champion; the note says why. Raises UnknownModel or InvalidRequest."""
    if not note.strip():
        raise InvalidRequest(
            "A promotion by hand needs a note.", "Say in a few words why this version should speak."
        )
    version = versions.resolve(universe, which)
    if CHAMPION in version.aliases:
        raise InvalidRequest(f"{version.label} is the champion already.", "There is nothing to change.")
    _require_run(runs, version)
    return versions.crown(version, note=note.strip())


def rollback(runs: Runs, versions: Versions, universe: str) -> ModelVersion:
    """Makes the previous champion speak again. Raises UnknownModel when there was none, or InvalidRequest."""
    present = versions.resolve(universe, CHAMPION)
    previous = versions.previous_champion(universe)
    _require_run(runs, previous)
    return versions.crown(previous, note=f"Rolled back from {present.label}.")


def _require_run(runs: Runs, version: ModelVersion) -> None:
    """Files of a deleted run go for good with the next `mlflow gc`, and a champion needs its own."""
    if runs.read(version.run_id).deleted:
        raise InvalidRequest(
            f"The run of {version.label} was deleted.",
            f"Bring it back first: stockcast runs restore {version.run_id[:8]}",
        )
