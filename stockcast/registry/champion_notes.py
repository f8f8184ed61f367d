"""Notes about who speaks: one small file a universe in the home, beside the cached bundles.

MLflow holds the truth. The note says it to processes that must not wait for MLflow: the API starts from it, serves
while MLflow and the database are away, and notices a promotion by looking at the file.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from stockcast.home_files import write_note
from stockcast.registry.tracking_server import model_name
from stockcast.registry.versions import ModelVersion

Stamp = tuple[int, int, int]


class ChampionNotes:
    """Reads and writes the notes of one home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, universe: str, version: ModelVersion) -> None:
        """Notes whom a universe listens to, whole or not at all; a note that says so already is left as it is.

        Raises HomeNotWritable, or OSError when the disk is full.
        """
        content = _VERSION.dump_json(version)
        place = self._place(universe)
        try:
            if place.read_bytes() == content:
                return
        except OSError:
            pass
        write_note(place, content)
        with contextlib.suppress(OSError):
            self._renamed(universe).unlink()  # the name is used again

    def read(self, universe: str) -> ModelVersion | None:
        """Whom a universe listens to; None where nothing readable was noted."""
        try:
            return _VERSION.validate_json(self._place(universe).read_bytes())
        except (OSError, ValidationError):
            return None

    def stamp(self, universe: str) -> Stamp | None:
        """Something that changes whenever the note does, for two microseconds of work; None for no note."""
        try:
            found = os.stat(self._place(universe))
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def rename(self, old: str, new: str) -> None:
        """Whoever spoke for `old` speaks for `new`, and it is noted that nobody speaks for `old` any more.

        Raises HomeNotWritable, or OSError.
        """
        version = self.read(old)
        if version is not None:
            self.write(new, replace(version, name=model_name(new)))
        write_note(self._renamed(old), new.encode())
        self._place(old).unlink(missing_ok=True)

    def renamed(self, universe: str) -> bool:
        """Whether a universe of that name has another one now."""
        return self._renamed(universe).exists()

    def universes(self) -> list[str]:
        """All universes that have a note."""
        try:
            return sorted(place.stem for place in self.folder.glob("*.json") if not place.name.startswith("."))
        except OSError:
            return []

    def _place(self, universe: str) -> Path:
        return self.folder / f"{model_name(universe).removeprefix('stockcast-')}.json"

    def _renamed(self, universe: str) -> Path:
        return self._place(universe).with_suffix(".renamed")


_VERSION = TypeAdapter(ModelVersion)
