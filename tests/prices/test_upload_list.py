"""Every kind of file that people upload: read right, or refused with the line that is wrong. Nothing is stored."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import openpyxl
import pytest
from price_payloads import NOW, days_until

from stockcast.database import Database
from stockcast.errors import InputError, StockcastError
from stockcast.prices.file import FilePrices, ReadAs
from stockcast.prices.reading.sketch import sketch_file
from stockcast.prices.source import shape_question
from stockcast.prices.store import PriceStore
from stockcast.workflows.preview_import import ImportPreview, preview_import

DAYS = days_until("2024-05-15", 20, "BVMF")  # 2024-04-17 to 2024-05-15
LAST = len(DAYS) + 1  # the last line of a file with a header


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PriceStore]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('uploads') / 'stockcast.db'}")
    yield PriceStore(database)
    database.close()


def rows(number: Callable[[float], str] = str, day: Callable[[str], str] = str, separator: str = ",") -> list[str]:
    """Lines of date, close and volume."""
    return [separator.join((day(each), number(1234.5 + at), "1000")) for at, each in enumerate(DAYS)]


def text(header: str, lines: list[str], end: str = "\n") -> str:
    return end.join([header, *lines, ""])


def plain(lines: list[str] | None = None) -> str:
    return text("Date,Close,Volume", rows() if lines is None else lines)


def changed(at: int, line: str) -> str:
    """The plain file with another line there, counted from 1 as in the file."""
    lines = plain().splitlines()
    lines[at - 1] = line
    return "\n".join(lines) + "\n"


def slashed(day: str) -> str:
    year, month, of_month = day.split("-")
    return f"{of_month}/{month}/{year}"


def american(day: str) -> str:
    year, month, of_month = day.split("-")
    return f"{month}/{of_month}/{year}"


def comma(value: float) -> str:
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


def workbook(cells: list[list[object]], change: Callable[[bytes], bytes] | None = None) -> bytes:
    book, content = openpyxl.Workbook(), io.BytesIO()
    for row in cells:
        book.active.append(row)
    book.save(content)
    if change is None:
        return content.getvalue()
    repacked = io.BytesIO()
    with zipfile.ZipFile(content) as old, zipfile.ZipFile(repacked, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if "sheet1" in name else old.read(name))
    return repacked.getvalue()


TABLE: list[list[object]] = [["Date", "Close"], *([day, 10.5 + at] for at, day in enumerate(DAYS))]


@dataclass(frozen=True)
class Upload:
    """A file and what must be said of it."""

    what: str
    content: str | bytes
    says: tuple[str, ...]
    sessions: int | None = len(DAYS)  # None: it is refused
    first_close: float = 1234.5
    read_as: ReadAs = field(default_factory=ReadAs)
    name: str = "prices.csv"


PORTUGUESE = text("Data;Fechamento;Volume", rows(comma, slashed, ";"))
READ = [
    Upload(
        "semicolons and decimal commas",
        text("Date;Close;Volume", rows(lambda v: f"{v:.2f}".replace(".", ","), separator=";")),
        ("decimal comma", "semicolons"),
    ),
    Upload("1.234,56", PORTUGUESE, ("decimal comma", "dd/mm/yyyy", "close from 'Fechamento'")),
    Upload("1,234.56", text("Date;Close;Volume", rows(lambda v: f"{v:,.2f}", separator=";")), ("decimal point",)),
    Upload("tabs", plain().replace(",", "\t"), ("tabs",), name="prices.tsv"),
    Upload("a byte order mark", b"\xef\xbb\xbf" + plain().encode(), ("UTF-8",)),
    Upload("UTF-16", plain().encode("utf-16"), ("UTF-16",)),
    Upload(
        "Windows-1252",
        text("Data;Último;Volume", rows(comma, slashed, ";")).encode("cp1252"),
        ("Windows-1252", "'Último'"),
    ),
    Upload("mixed line ends", plain().replace("\n", "\r\n", 3), ("20 rows",)),
    Upload(
        "month first, decided by a day above 12", text("Date,Close,Volume", rows(str, american)), ("mm/dd/yyyy",)
    ),
    Upload("equal duplicates", plain([*rows(), rows()[4]]), (f"1 repeated row was merged (line {LAST + 1})",)),
    Upload("the newest first", plain(rows()[::-1]), ("rows were put into the order of time",)),
    Upload(
        "a gap",
        plain([*rows()[:5], *rows()[8:]]),
        ("3 sessions of the exchange missing: 2024-04-24",),
        sessions=17,
    ),
    Upload(
        "closes that are missing",
        changed(4, f"{DAYS[2]},,5"),
        ("1 row without a readable close was left out (line 4)",),
        sessions=19,
    ),
    Upload("closes that are words", changed(4, f"{DAYS[2]},N/A,5"), ("(line 4)",), sessions=19),
    Upload(
        "values that are missing",
        changed(4, f"{DAYS[2]},1236.5,N/A"),
        ("1 row lacks an open, high, low or volume, which is taken as unknown (line 4)",),
    ),
    Upload(
        "a footer",
        plain([*rows(), "Source: somebody,,"]),
        (f"1 row without a readable date was left out (line {LAST + 1})",),
    ),
    Upload(
        "no header",
        text(f"{DAYS[0]},1234.5", [f"{day},1234.5" for day in DAYS[1:]]),
        ("close from 'second column'",),
    ),
    Upload(
        "Portuguese headers of three kinds", PORTUGUESE.replace("Fechamento", "Último"), ("close from 'Último'",)
    ),
    Upload(
        "two closes, one of them chosen",
        text("Date,Close,Last", rows()),
        ("close from 'Close'",),
        read_as=ReadAs(columns=(("close", "Close"),)),
    ),
    Upload(
        "no header, all columns told",
        text(f"{DAYS[0]},9,1234.5", [f"{day},9,1234.5" for day in DAYS[1:]]),
        ("close from 'column 3'",),
        read_as=ReadAs(columns=(("session", 1), ("close", 3))),
    ),
    Upload(
        "strange names, told by number",
        plain().replace("Date,Close", "Quando,Quanto"),
        ("session from 'Quando'",),
        read_as=ReadAs(columns=(("session", 1), ("close", 2), ("volume", 0))),
    ),
    Upload(
        "undecided dates, decided by a person",
        text("Date,Close", ["02/05/2024,1234.5", "03/05/2024,1235"]),
        ("dd/mm/yyyy",),
        sessions=2,
        read_as=ReadAs("dmy"),
    ),
    Upload(
        "undecided dates in a Portuguese file",
        text("Data;Fechamento", ["02/05/2024;1234,5", "03/05/2024;1235,1"]),
        ("No date in the file decides",),
        sessions=2,
    ),
    Upload(
        "an undecided number, decided by a person",
        text("Date\tClose", ["2024-05-02\t1,234", "2024-05-03\t1,235"]),
        ("decimal point",),
        sessions=2,
        first_close=1234,
        read_as=ReadAs(decimal_mark="."),
    ),
    Upload(
        "a currency of its own",
        text("Date,Close (USD)", [f"{day},1234.5" for day in DAYS]),
        ("The file speaks of USD, and CMIG4.SA is quoted in BRL",),
    ),
    Upload(
        "an adjusted close beside the close",
        text("Date,Close,Adj Close", [f"{day},2469,1234.5" for day in DAYS]),
        ("adjusted from 'Adj Close'",),
    ),
    Upload("fewer rows than a forecast needs", plain(rows()[-2:]), ("2 rows",), sessions=2, first_close=1252.5),
    Upload(
        "a formula that was never calculated",
        workbook([*TABLE[:-1], [DAYS[-1], "=B2*2"]]),
        (f"without a readable close was left out (line {LAST})",),
        sessions=19,
        first_close=10.5,
        name="x.xlsx",
    ),
    Upload(
        "a formula in a text",
        changed(4, f"{DAYS[2]},=1+1,5"),
        ("without a readable close was left out (line 4)",),
        sessions=19,
    ),
    Upload("a workbook under the name of a text", workbook(TABLE), ("XLSX",), first_close=10.5),
    Upload("a name that climbs", plain(), ("20 rows",), name="../../etc/x.csv"),
]
REFUSED = [
    Upload(
        "NUL bytes",
        plain().replace("1236.5", "12\x0036.5").encode(),
        ("line 4 holds the control character",),
        None,
    ),
    Upload(
        "undecided dates",
        text("Date,Close", ["02/05/2024,1.5", "03/05/2024,1.6"]),
        ("Does 02/05/2024 (line 2) begin with the day", "Say which comes first"),
        None,
    ),
    Upload(
        "dates in two orders",
        text("Date,Close", ["25/04/2024,1.5", "04/26/2024,1.6"]),
        ("25/04/2024 (line 2) and 04/26/2024 (line 3)",),
        None,
    ),
    Upload(
        "conflicting duplicates",
        plain([*rows(), f"{DAYS[4]},9,9", f"{DAYS[7]},9,9"]),
        (f"{DAYS[4]}, {DAYS[7]}", f"lines 6, {LAST + 1}, 9, {LAST + 2}"),
        None,
    ),
    Upload("a close of zero", changed(4, f"{DAYS[2]},0,5"), ("is 0", "(line 4)"), None),
    Upload(
        "decimal points and commas",
        text("Date;Close", [f"{DAYS[0]};10.50", f"{DAYS[1]};10,50"]),
        ("'10.50' (line 2) and '10,50' (line 3)",),
        None,
    ),
    Upload(
        "two closes",
        text("Date,Close,Last", rows()),
        ("2 columns could hold the close: 'Close', 'Last' (line 1)", "--column close="),
        None,
    ),
    Upload(
        "three columns without a header",
        text(f"{DAYS[0]},9,1234.5", rows()),
        ("line 1 reads: 2024-04-17", "Say which column"),
        None,
    ),
    Upload(
        "a column that is not there",
        plain(),
        ("No column is named 'Preço'; line 1 names 'Date', 'Close', 'Volume'",),
        None,
        read_as=ReadAs(columns=(("close", "Preço"),)),
    ),
    Upload(
        "a column number that is not there",
        plain(),
        ("There is no column 9; the file has 3",),
        None,
        read_as=ReadAs(columns=(("close", 9),)),
    ),
    Upload(
        "one column told twice",
        plain(),
        ("'Close' cannot be both the open and the close",),
        None,
        read_as=ReadAs(columns=(("open", 2), ("close", 2))),
    ),
    Upload("a header alone", "Date,Close\n", ("(line 1) but no rows",), None),
    Upload(
        "no dates",
        text("Date,Close", ["yesterday,1.5"]),
        ("holds no dates, for example 'yesterday' (line 2)",),
        None,
    ),
    Upload("a million rows", b"1.5\n" * 1_000_000, ("more than 200,000 rows",), None),
    Upload("200 MB", b"1" * (200 * 2**20), ("has 200.0 MB; at most 20 MB",), None),
    Upload(
        "a ZIP bomb", workbook(TABLE, lambda _: b" " * (220 * 2**20)), ("unpacks to 220 MB",), None, name="x.xlsx"
    ),
    Upload(
        "external entities",
        workbook(
            TABLE,
            lambda sheet: sheet.replace(
                b"<worksheet", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><worksheet', 1
            ),
        ),
        ("declares XML entities",),
        None,
        name="x.xlsx",
    ),
    Upload(
        "an encrypted workbook or .xls",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        ("old Excel file (.xls) or protected by a password",),
        None,
        name="x.xlsx",
    ),
    Upload("a PDF renamed", b"%PDF-1.7 \x00\x01", ("is a PDF",), None),
]


@pytest.mark.parametrize("upload", READ, ids=lambda upload: upload.what)
def test_it_is_read_right_and_the_reading_is_told(upload: Upload, store: PriceStore) -> None:
    seen = preview(upload, store)
    frame = seen.fetched.frame
    assert (len(frame), frame.close[0]) == (upload.sessions, upload.first_close)
    repairs = [repair.sentence for repair in seen.fetched.report.repairs]
    told = " ".join((seen.reading.sentence, *seen.cautions, *repairs, *seen.quality.sentences))
    assert [words for words in upload.says if words not in told] == [], told
    assert "/" not in frame.source
    assert sketch_file(upload.name, encoded(upload)).columns
    assert store.list() == ()


@pytest.mark.parametrize("upload", REFUSED, ids=lambda upload: upload.what)
def test_it_is_refused_with_its_line_and_a_way_out(upload: Upload, store: PriceStore) -> None:
    with pytest.raises(InputError) as refused:
        preview(upload, store)
    told = f"{refused.value}"
    assert [words for words in upload.says if words not in told] == [], told
    assert refused.value.hint.endswith(".")
    assert store.list() == ()


def test_a_sketch_shows_what_was_recognised_and_leaves_rivals_to_a_person() -> None:
    sketch = sketch_file("x.csv", text("Date,Close,Last,Preço", [f"{line},9" for line in rows()]).encode())
    assert sketch.recognised == {"session": 1}
    assert [(each.number, each.name, each.examples[0]) for each in sketch.columns] == [
        (1, "Date", DAYS[0]),
        (2, "Close", "1234.5"),
        (3, "Last", "1000"),
        (4, "Preço", "9"),
    ]
    with pytest.raises(StockcastError):
        sketch_file("x.csv", b"%PDF")


def preview(upload: Upload, store: PriceStore) -> ImportPreview:
    source = FilePrices(upload.name, encoded(upload), upload.read_as)
    return preview_import(store, source, shape_question("CMIG4.SA"), NOW)


def encoded(upload: Upload) -> bytes:
    return upload.content.encode() if isinstance(upload.content, str) else upload.content
