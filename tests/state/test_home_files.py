"""Notes of the home are whole, and their owner's alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stockcast.home_files import write_note


def test_a_note_is_its_owners_alone_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    place = tmp_path / "notes" / "one.json"
    write_note(place, b"first")
    write_note(place, b"second")
    assert place.read_bytes() == b"second"
    assert place.stat().st_mode & 0o777 == 0o600
    assert list(place.parent.iterdir()) == [place]


def test_a_disk_that_fills_up_leaves_the_note_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "one.json"
    write_note(place, b"first")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_note(place, b"second")
    assert place.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [place]
