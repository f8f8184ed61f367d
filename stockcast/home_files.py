"""Folders and small files of the home."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from stockcast.errors import HomeNotWritable


def make_folder(folder: Path) -> Path:
    """Creates a folder of the home. Raises HomeNotWritable when it cannot be created or written."""
    hint = "Set STOCKCAST_HOME to a folder that you may write to."
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise HomeNotWritable(f"The folder {folder} cannot be created: {problem.strerror}.", hint) from problem
    if not os.access(folder, os.W_OK):
        raise HomeNotWritable(f"The folder {folder} cannot be written.", hint)
    return folder


def write_note(place: Path, content: bytes) -> None:
    """Writes a file that its owner alone may read, whole or not at all.

    Raises HomeNotWritable, or OSError when the disk is full.
    """
    descriptor, temporary = tempfile.mkstemp(dir=make_folder(place.parent), prefix=".", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, place)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
