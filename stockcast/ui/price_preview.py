"""How an uploaded price file was read, before anything is stored."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from stockcast.errors import InvalidTicker
from stockcast.prices.file import FilePrices
from stockcast.prices.reading.read_as import ReadAs
from stockcast.prices.reading.sketch import FileSketch, sketch_file
from stockcast.prices.source import shape_question
from stockcast.prices.tickers import exchange_of, normalise_ticker
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.format import count
from stockcast.ui.shared import workspace
from stockcast.workflows.preview_import import ImportPreview, preview_import

_ADJUSTED = {
    "beside": "Adjusted: all prices are brought to the level of the adjusted close.",
    "alone": "Adjusted: the only close in the file is an adjusted one.",
    "no": "As they stand: the file does not say whether they are adjusted for splits and dividends.",
}
_MARKS = {".": "decimal point", ",": "decimal comma", None: "typed numbers"}


@st.cache_data(max_entries=4, ttl=900, show_spinner="Looking at the file …")
def read_sketch(name: str, content: bytes) -> FileSketch:
    """The columns of a file. Raises UnreadableFile."""
    return sketch_file(name, content)


def read_preview(name: str, content: bytes, ticker: str, read_as: ReadAs) -> ImportPreview:
    """A file read as the prices of a ticker, beside what is stored under it.

    Raises UnreadableFile, InvalidPrices, NoPricesFound or InvalidTicker.
    """
    ws, question = workspace(), shape_question(ticker)
    stored = ws.prices.find(question.ticker)
    key = (str(ws.settings.home), stored.content_hash if stored else "")
    return _read_preview(key, name, content, question.ticker, read_as)


@st.cache_data(max_entries=4, ttl=900, show_spinner="Reading the file …")
def _read_preview(
    stored: tuple[str, str], name: str, content: bytes, ticker: str, read_as: ReadAs
) -> ImportPreview:
    ws = workspace()
    return preview_import(ws.prices, FilePrices(name, content, read_as), shape_question(ticker), ws.clock())


def ticker_of_name(file_name: str) -> str:
    """The ticker that a file name seems to mean, such as CMIG4.SA of CMIG4.SA.csv; empty where it means none."""
    stem = file_name.rsplit(".", 1)[0]
    try:
        ticker = normalise_ticker(stem)
        exchange_of(ticker)
    except InvalidTicker:
        return ""
    return ticker


def show_preview(preview: ImportPreview, lookback: int) -> None:
    """The reading in words, what was left out, and the bars at both ends; forecasts need `lookback` sessions."""
    frame = preview.fetched.frame
    st.markdown("**This is how I read it.**" + ("" if preview.stored_already else " Nothing is stored yet."))
    st.table(_facts(preview), hide_header=True, border="horizontal")
    if preview.cautions:
        st.warning(bullets(preview.cautions), title="Please check", icon=":material/visibility:")
    repairs = preview.fetched.report.repairs
    st.markdown(f"**Left out or mended**\n\n{bullets(repair.sentence for repair in repairs)}" if repairs else
                "Nothing was left out or mended.")  # fmt: skip
    st.markdown(f"**Quality**\n\n{bullets(preview.quality.sentences)}")
    if len(frame) < lookback:
        st.warning(
            f"{count(len(frame), 'session', 'sessions')} can be looked at, but a forecast needs at least {lookback}.",
            icon=":material/hourglass_bottom:",
        )
    digits = st.column_config.NumberColumn(format="%.2f" if frame.close.min() >= 1 else "%.4g")
    table = preview_table(preview)
    columns = dict.fromkeys(table.columns, digits) | {"volume": st.column_config.NumberColumn(format="localized")}
    st.dataframe(table, column_config=columns, placeholder="–", alt="First and last bars of the file")


def preview_table(preview: ImportPreview) -> pd.DataFrame:
    """The first and the last bars, as they would be stored."""
    frame = preview.fetched.frame
    bars = frame.to_dataframe().rename(
        columns=lambda name: f"{name} ({frame.currency})" if name != "volume" else name
    )
    bars.index = pd.DatetimeIndex(bars.index).strftime("%Y-%m-%d").rename("session")
    return pd.concat([bars.head(3), bars.tail(3)]) if len(bars) > 6 else bars


def _facts(preview: ImportPreview) -> pd.DataFrame:
    reading, frame = preview.reading, preview.fetched.frame
    columns = ", ".join(f"{role} from '{name}'" for role, name in reading.columns)
    facts = {
        "File": f"{reading.kind} ({reading.detail}), {count(reading.rows, 'row', 'rows')} below the header",
        "Columns": columns,
        "Dates": f"as {reading.date_style}" if reading.date_style else "typed dates",
        "Numbers": _MARKS[reading.decimal_mark],
        "Currency": f"{frame.currency}, in which {frame.ticker} is quoted ({frame.exchange}); volume in shares",
        "Prices": _ADJUSTED[reading.adjusted],
        "Sessions": f"{count(len(frame), 'session', 'sessions')}, {frame.first_session} to {frame.last_session}",
    }
    return pd.DataFrame({"How": map(plain, facts.values())}, index=pd.Index(facts, name="What"))
