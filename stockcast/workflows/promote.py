"""Lets a person decide which version speaks."""

from __future__ import annotations

from stockcast.errors import InvalidRequest
from stockcast.registry.versions import CHAMPION, ModelVersion, Versions


def promote(versions: Versions, universe: str, which: str, note: str) -> ModelVersion:
    """Makes a version the champion; the note says why. Raises UnknownModel or InvalidRequest."""
    if not note.strip():
        raise InvalidRequest(
            "A promotion by hand needs a note.", "Say in a few words why this version should speak."
        )
    version = versions.resolve(universe, which)
    if CHAMPION in version.aliases:
        raise InvalidRequest(f"{version.label} is the champion already.", "There is nothing to change.")
    return versions.crown(version, note=note.strip())


def rollback(versions: Versions, universe: str) -> ModelVersion:
    """Makes the previous champion speak again. Raises UnknownModel when there was none."""
    present = versions.resolve(universe, CHAMPION)
    return versions.crown(versions.previous_champion(universe), note=f"Rolled back from {present.label}.")
