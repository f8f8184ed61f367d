"""Text to cells: which encoding, which separator. The bytes decide, and a person may read what they decided."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter

from stockcast.errors import UnreadableFile
from stockcast.prices.reading.grid import Grid, refuse_large_box, refuse_many_rows

_SEPARATORS = (";", "\t", "|", ",")  # a comma may be a decimal mark: it is tried after those that cannot
_NAMES = {";": "semicolons", "\t": "tabs", ",": "commas", "|": "bars"}
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_LONGEST_LINE = 20_000
_SAMPLE_LINES = 200


def read_text_grid(content: bytes) -> Grid:
    """The cells of a delimited text. Raises UnreadableFile for anything that is not text."""
    text, encoding = decode(content)
    lines = text.split("\n")
    refuse_many_rows(len(lines))
    if max(map(len, lines)) > _LONGEST_LINE:
        raise UnreadableFile("The file has a line of more than 20,000 characters.", "Write one row per session.")
    separator = _separator([line for line in lines[: 2 * _SAMPLE_LINES] if line.strip()][:_SAMPLE_LINES])
    reader = csv.reader(io.StringIO(text), delimiter=separator or "\x1f")
    grid = Grid("CSV", [], [], f"{encoding}, {_described(separator)}", separator)
    try:
        for row in reader:
            if any(cell and not cell.isspace() for cell in row):
                grid.rows.append([cell.strip() for cell in row])
                grid.lines.append(reader.line_num)
    except csv.Error as problem:
        raise UnreadableFile(
            f"Line {reader.line_num} cannot be split into cells: {problem}.",
            "Look for a quotation mark that is never closed.",
        ) from problem
    refuse_large_box(len(grid.rows), max(map(len, grid.rows), default=0))
    return grid


def decode(content: bytes) -> tuple[str, str]:
    """The text with plain line ends, and the name of its encoding.

    Raises UnreadableFile when the bytes are no text.
    """
    try:
        text, encoding = _decoded(content)
    except UnicodeDecodeError as problem:
        raise _no_text(f"byte {problem.start + 1} belongs to no known encoding") from problem
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if control := _CONTROL.search(text):
        line = text.count("\n", 0, control.start()) + 1
        raise _no_text(f"line {line} holds the control character {control[0]!r}")
    return text, encoding


def _decoded(content: bytes) -> tuple[str, str]:
    if content.startswith(codecs.BOM_UTF8):
        return content.decode("utf-8-sig"), "UTF-8"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16"), "UTF-16"
    head = content[:1000]
    for encoding, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[0::2])):
        # Latin letters in UTF-16 have a zero in every other byte.
        if zeros.count(0) > len(zeros) * 0.7:
            return content.decode(encoding), "UTF-16"
    try:
        return content.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        return content.decode("cp1252"), "Windows-1252"


def _separator(lines: list[str]) -> str | None:
    """The first separator that cuts most lines into the same number of cells; None for a single column."""
    for separator in _SEPARATORS:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=separator))
        width, count = max(widths.items(), key=lambda item: item[1], default=(1, 0))
        if width > 1 and count >= 0.6 * len(lines):
            return separator
    return None


def _described(separator: str | None) -> str:
    return f"separated by {_NAMES[separator]}" if separator else "one column"


def _no_text(reason: str) -> UnreadableFile:
    return UnreadableFile(
        f"The file is neither text nor a known table format: {reason}.",
        "Save the prices as CSV, XLSX or Parquet and try again.",
    )
