"""What a file is. Its content decides; its name is only used to speak of it."""

from __future__ import annotations

import re
from pathlib import Path

from stockcast.errors import UnreadableFile
from stockcast.prices.reading.grid import MAX_BYTES, Grid
from stockcast.prices.reading.text import read_text_grid
from stockcast.prices.reading.typed import read_parquet, read_workbook

_FOREIGN = (
    (b"%PDF", "is a PDF", "Copy the table into a spreadsheet and save it as CSV or XLSX."),
    (
        b"\xd0\xcf\x11\xe0",
        "is an old Excel file (.xls) or protected by a password",
        "Open it in a spreadsheet and save it as XLSX without a password, or as CSV.",
    ),
    (b"\x1f\x8b", "is compressed (gzip)", "Unpack it and try again."),
    (b"<", "is a web page or XML, not a table", "Download the prices as CSV or XLSX and try again."),
)


def read_grid(name: str, content: bytes) -> Grid:
    """The cells of a CSV, XLSX or Parquet file. Raises UnreadableFile for everything else."""
    refuse_size(name, len(content))
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:8]
    for signature, what, way_out in _FOREIGN:
        if start.startswith(signature):
            raise UnreadableFile(f"The file {safe_name(name)} {what}.", way_out)
    if start.startswith(b"PK"):
        grid = read_workbook(content)
    elif start.startswith(b"PAR1"):
        grid = read_parquet(content)
    else:
        grid = read_text_grid(content)
    if not grid.rows:
        raise UnreadableFile(f"The file {safe_name(name)} is empty.", "Choose a file with a header and prices.")
    return grid


def read_bytes(path: Path) -> bytes:
    """The content of a file. Raises UnreadableFile when it is missing, no file, or too large to read."""
    try:
        refuse_size(path.name, path.stat().st_size)
        return path.read_bytes()
    except OSError as problem:
        raise UnreadableFile(
            f"The file {path} cannot be opened: {problem.strerror}.", "Check the path and the permissions."
        ) from problem


def refuse_size(name: str, size: int) -> None:
    """Raises UnreadableFile beyond MAX_BYTES."""
    if size > MAX_BYTES:
        raise UnreadableFile(
            f"The file {safe_name(name)} has {size / 2**20:,.1f} MB; at most {MAX_BYTES // 2**20} MB are read.",
            "Keep the daily prices of one ticker; a history of 50 years has less than 2 MB.",
        )


def safe_name(name: str) -> str:
    """The last part of a file name, reduced to letters, digits and a few marks: never a path, never markup."""
    base = re.split(r"[/\\]", name)[-1]
    return re.sub(r"[^\w .()-]", "_", base).strip(" .")[:80] or "unnamed"
