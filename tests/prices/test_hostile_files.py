"""Files that must be refused with a way out, quickly and without exhausting the memory."""

from __future__ import annotations

import contextlib
import io
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.errors import UnreadableFile
from stockcast.prices.file import FilePrices, read_table, read_window
from stockcast.prices.reading import grid, sniff

CSV = b"Date,Open,High,Low,Close,Volume\n" + b"".join(
    b"2024-05-%02d,9,11,8,10.5,7\n" % day for day in range(1, 31)
)


def workbook() -> bytes:
    book = openpyxl.Workbook()
    for row in (["Date", "Close"], ["2024-05-14", 1.5], ["2024-05-15", 1.6]):
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def parquet() -> bytes:
    content = io.BytesIO()
    pd.DataFrame({"Date": pd.date_range("2024-05-01", periods=30), "Close": 1.5}).to_parquet(content)
    return content.getvalue()


def repacked(change: Callable[[str, bytes], bytes]) -> bytes:
    """The workbook with its members changed."""
    content = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook())) as old,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return content.getvalue()


def refusal(content: bytes, name: str = "prices.csv") -> str:
    with pytest.raises(UnreadableFile) as refused:
        read_table(name, content)
    assert refused.value.hint.endswith(".")
    return refused.value.message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \r\n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b";;;\n;;;\n", "is empty"),
        (b"%PDF-1.7 anything", "is a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel file"),
        (b"\x1f\x8b\x08\x00", "compressed"),
        (b"<!DOCTYPE html><table>", "web page"),
        (b"\n<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>", "web page"),
        (b"PK\x03\x04 no archive", "cannot be unpacked"),
        (b"PAR1 no parquet PAR1", "Parquet file cannot be read"),
        (b"Date,Close\n2024-05-15,1\x005\n", "line 2 holds the control character"),
        (bytes(range(256)), "neither text nor a known table"),
        (b"\xff\xfeD\x00a", "neither text nor a known table"),
        (b'{"last_prices": [1, 2]}', "No column of dates"),
        (b"Date,Close\n" + b"9" * 30_000, "more than 20,000 characters"),
        (b"a," * 200 + b"\n1," * 200, "which is no price table"),
        (b'Date,Close\n"2024-05-15,1.5\n' + b"2024-05-15,1.5\n" * 9_000, "quotation mark"),
    ],
)
def test_what_is_no_table_is_refused_by_its_content(content: bytes, message: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read_table("prices.csv", content)
    assert message in f"{refused.value}"


def test_a_file_above_the_size_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(200 * 2**20)
    with pytest.raises(UnreadableFile, match=r"huge.csv has 200.0 MB; at most 20 MB"):
        FilePrices.at(path)
    assert "has 20.0 MB" in refusal(b"1" * (grid.MAX_BYTES + 1))


def test_a_million_rows_are_refused() -> None:
    assert "more than 200,000 rows" in refusal(b"1.5\n" * 1_000_000)


def test_a_missing_file_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        FilePrices.at(tmp_path / "nothing.csv")
    with pytest.raises(UnreadableFile, match="directory"):
        FilePrices.at(tmp_path)


def test_an_archive_that_is_no_workbook_is_refused() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("prices.csv", CSV)
    assert "a ZIP archive but not an XLSX workbook" in refusal(content.getvalue())


def test_a_zip_bomb_is_refused_before_it_unpacks() -> None:
    bomb = repacked(lambda name, data: b" " * (220 * 2**20) if "sheet1" in name else data)
    assert len(bomb) < 2**20
    assert "unpacks to 220 MB" in refusal(bomb, "prices.xlsx")


def test_a_zip_bomb_that_lies_about_its_size_is_refused() -> None:
    honest = repacked(lambda name, data: data + b" " * 1_000_000 if "sheet1" in name else data)
    size = next(
        member.file_size
        for member in zipfile.ZipFile(io.BytesIO(honest)).infolist()
        if "sheet1" in member.filename
    )
    lie = honest.replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert lie != honest
    assert "cannot be unpacked" in refusal(lie)


@pytest.mark.parametrize("reference", [b"XFD1048576", b"XFD1", b"A1048576", b"xfd9"])
def test_two_cells_far_apart_do_not_ask_for_the_cells_between_them(reference: bytes) -> None:
    content = repacked(lambda name, data: data.replace(b'r="B3"', b"r = '" + reference + b"'"))
    assert "rows" in refusal(content)


def test_a_file_name_never_becomes_a_path_or_markup() -> None:
    assert FilePrices("../../etc/passwd", b"").name == "file: passwd"
    assert FilePrices(r"C:\x\<img src=x>.csv", b"").name == "file: _img src_x_.csv"
    assert FilePrices("../..", b"").name == "file: unnamed"
    assert len(FilePrices("a" * 5_000 + ".csv", b"").name) < 100
    assert sniff.safe_name("Cotações (1).csv") == "Cotações (1).csv"


@pytest.mark.parametrize("original", [CSV, workbook(), parquet()], ids=["csv", "xlsx", "parquet"])
def test_a_damaged_file_is_read_or_refused_but_never_breaks(original: bytes) -> None:
    chance = random.Random(7)
    outcomes = set()
    for _ in range(150):
        damaged = bytearray(original)
        for _ in range(chance.choice([1, 3, 20])):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        for read in (read_table, read_window):
            try:
                read("x", bytes(damaged))
                outcomes.add("read")
            except UnreadableFile:
                outcomes.add("refused")
    assert outcomes == {"read", "refused"}


@given(st.text(alphabet="0123456789.,;\t\n\"'-/ aDCelos€eKM%", max_size=200))
def test_any_text_is_read_or_refused_but_never_breaks(text: str) -> None:
    for read in (read_table, read_window):
        with contextlib.suppress(UnreadableFile):
            read("x", text.encode())
