"""What a file looks like before it is read: its columns with examples, and which of them were recognised."""

from __future__ import annotations

from dataclasses import dataclass

from stockcast.prices.reading.headers import Role, guess_header
from stockcast.prices.reading.sniff import read_grid

_EXAMPLES = 3
_LONGEST = 24


@dataclass(frozen=True)
class ColumnSketch:
    """A column as a person sees it."""

    number: int  # from 1 on
    name: str
    examples: tuple[str, ...]


@dataclass(frozen=True)
class FileSketch:
    """The columns of a file, and the number of the one that plays each role; two that claim a role play none."""

    columns: tuple[ColumnSketch, ...]
    recognised: dict[Role, int]


def sketch_file(name: str, content: bytes) -> FileSketch:
    """The columns of any table. Raises UnreadableFile for what is none."""
    grid = read_grid(name, content)
    guess = guess_header(grid, frozenset({"session"}))
    body = grid.rows[guess.row + 1 :]
    columns = []
    for at in range(max(map(len, grid.rows))):
        cells = (f"{row[at]}" for row in body if at < len(row) and row[at] not in (None, ""))
        examples = tuple(cell[:_LONGEST] for cell, _ in zip(cells, range(_EXAMPLES), strict=False))
        columns.append(ColumnSketch(at + 1, guess.name(at)[:_LONGEST], examples))
    claimed = [role for role, _ in guess.claims]
    recognised = {role: column + 1 for role, column in guess.claims if claimed.count(role) == 1}
    return FileSketch(tuple(columns), recognised)
