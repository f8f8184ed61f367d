"""Tables whose cells know their type: XLSX workbooks and Parquet files, read without trusting either."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import TYPE_CHECKING

from stockcast.errors import UnreadableFile
from stockcast.prices.reading.grid import (
    MAX_UNPACKED_BYTES,
    Cell,
    Grid,
    refuse_large_box,
)

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

_REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{1,3})([0-9]{1,7})["']""")
_AGAIN = "Save the prices again as XLSX or CSV and try that file."


def read_workbook(content: bytes) -> Grid:
    """The first sheet that holds anything. Raises UnreadableFile for a broken, bloated or foreign archive."""
    from python_calamine import CalamineError, CalamineWorkbook  # only who reads a file needs it

    _refuse_hostile_archive(content)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        for name in book.sheet_names:
            cells = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            numbered = [(line, row) for line, row in enumerate(cells, 1) if any(cell != "" for cell in row)]
            if numbered:
                rows: list[list[Cell]] = [[_plain(cell) for cell in row] for _, row in numbered]
                return Grid("XLSX", rows, [line for line, _ in numbered], f"sheet '{name[:40]}'")
    except CalamineError as problem:
        raise UnreadableFile(f"The workbook cannot be read: {problem}.", _AGAIN) from problem
    return Grid("XLSX", [], [], "no filled sheet")


def read_parquet(content: bytes) -> Grid:
    """The numbers and dates of a Parquet file; other columns are left where they are.

    Raises UnreadableFile when it is broken, bloated or has no such columns.
    """
    import pyarrow as pa  # large, and only who reads such a file needs it
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    try:
        file = pq.ParquetFile(io.BytesIO(content))
        names = [field.name for field in file.schema_arrow if _is_plain(field.type)]
        refuse_large_box(file.metadata.num_rows, len(names))
        columns = [column.to_pylist() for column in file.read(columns=names).columns]
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError) as problem:
        raise UnreadableFile(f"The Parquet file cannot be read: {problem}.", _AGAIN) from problem
    if not columns:
        raise UnreadableFile("The Parquet file has no columns of dates or numbers.", _AGAIN)
    rows: list[list[Cell]] = [list(names), *map(list, zip(*columns, strict=True))]
    return Grid("Parquet", rows, list(range(len(rows))), "typed columns")


def _refuse_hostile_archive(content: bytes) -> None:
    """Unpacks an archive once, member by member, before a reader is let near it."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if "xl/workbook.xml" not in archive.namelist():
                raise UnreadableFile(
                    "The file is a ZIP archive but not an XLSX workbook.", "Unpack it, or save it as XLSX."
                )
            unpacked = sum(member.file_size for member in archive.infolist())
            if unpacked > MAX_UNPACKED_BYTES:
                raise UnreadableFile(
                    f"The workbook unpacks to {unpacked / 2**20:,.0f} MB; at most "
                    f"{MAX_UNPACKED_BYTES // 2**20} MB are read.",
                    "Keep only the price table and save it as CSV.",
                )
            for name in archive.namelist():
                member = archive.read(name)  # reading also compares size and checksum
                if b"<!DOCTYPE" in member or b"<!ENTITY" in member:  # no spreadsheet program writes them
                    raise UnreadableFile("The workbook declares XML entities, which are not read.", _AGAIN)
                _refuse_scattered_cells(member)
    except (zipfile.BadZipFile, zlib.error, ValueError, RuntimeError, EOFError, OSError) as problem:
        raise UnreadableFile(f"The workbook cannot be unpacked: {problem}.", _AGAIN) from problem


def _refuse_scattered_cells(sheet: bytes) -> None:
    # The reader fills the whole box from A1 to the furthest cell: two cells can ask for 17 billion.
    columns, rows = b"A", 0
    for match in _REFERENCE.finditer(sheet):
        column = match[1].upper().rjust(3)
        columns, rows = max(columns, column), max(rows, int(match[2]))
    refuse_large_box(rows, _column_number(columns.strip()))


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - ord("A") + 1
    return number


def _is_plain(kind: pa.DataType) -> bool:
    from pyarrow import types

    return bool(
        types.is_floating(kind) or types.is_integer(kind) or types.is_date(kind) or types.is_timestamp(kind)
    )


def _plain(cell: Cell) -> Cell:
    return cell.strip() or None if isinstance(cell, str) else cell
