"""Writes a file whole or not at all."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path

from stockcast.errors import InvalidRequest


def write_whole(file: Path, content: bytes) -> None:
    """Writes to a temporary name beside `file` and renames. Raises InvalidRequest when that is not possible."""
    temporary = file.with_name(f".{file.name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "xb") as target:
            target.write(content)
            target.flush()
            os.fsync(target.fileno())
        os.replace(temporary, file)
    except OSError as problem:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise InvalidRequest(
            f"{file} cannot be written: {problem.strerror}.", "Choose a file in a folder that exists and is yours."
        ) from problem
