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
from stockcast.ui.column_titles import localised
from stockcast.ui.domain_words import told
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.format import count
from stockcast.ui.language import N_, _
from stockcast.ui.shared import workspace
from stockcast.workflows.preview_import import ImportPreview, preview_import

_ADJUSTED = {
    "beside": N_("Adjusted: all prices are brought to the level of the adjusted close."),
    "alone": N_("Adjusted: the only close in the file is an adjusted one."),
    "no": N_("As they stand: the file does not say whether they are adjusted for splits and dividends."),
}
_ROLES = {
    "session": N_("session"),
    "open": N_("open"),
    "high": N_("high"),
    "low": N_("low"),
    "close": N_("close"),
    "adjusted": N_("adjusted close"),
    "volume": N_("volume"),
}
_MARKS = {".": N_("decimal point"), ",": N_("decimal comma"), None: N_("typed numbers")}


def read_sketch(name: str, content: bytes) -> FileSketch:
    """The columns of a file. Raises UnreadableFile."""
    with st.spinner(_("Looking at the file …")):
        return _read_sketch(name, content)


@st.cache_data(max_entries=4, ttl=900, show_spinner=False)
def _read_sketch(name: str, content: bytes) -> FileSketch:
    return sketch_file(name, content)


def read_preview(name: str, content: bytes, ticker: str, read_as: ReadAs) -> ImportPreview:
    """A file read as the prices of a ticker, beside what is stored under it.

    Raises UnreadableFile, InvalidPrices, NoPricesFound or InvalidTicker.
    """
    ws, question = workspace(), shape_question(ticker)
    stored = ws.prices.find(question.ticker)
    key = (str(ws.settings.home), stored.content_hash if stored else "")
    with st.spinner(_("Reading the file …")):
        return _read_preview(key, name, content, question.ticker, read_as)


@st.cache_data(max_entries=4, ttl=900, show_spinner=False)
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
    read = _("**This is how I read it.**")
    st.markdown(read if preview.stored_already else f"{read} {_('Nothing is stored yet.')}")
    st.table(_facts(preview), hide_header=True, border="horizontal")
    if preview.cautions:
        st.warning(bullets(map(told, preview.cautions)), title=_("Please check"), icon=":material/visibility:")
    repairs = preview.fetched.report.repairs
    st.markdown(
        f"**{_('Left out or mended')}**\n\n{bullets(told(repair.sentence) for repair in repairs)}"
        if repairs
        else _("Nothing was left out or mended.")
    )
    st.markdown(f"**{_('Quality')}**\n\n{bullets(map(told, preview.quality.sentences))}")
    if len(frame) < lookback:
        st.warning(
            _("{sessions} can be looked at, but a forecast needs at least {lookback}.").format(
                sessions=count(len(frame), "session", "sessions"), lookback=lookback
            ),
            icon=":material/hourglass_bottom:",
        )
    written = "%.2f" if frame.close.min() >= 1 else "%.4g"
    table = preview_table(preview)
    columns = {
        name: st.column_config.NumberColumn(
            _column_title(name), format="localized" if name == "volume" else written
        )
        for name in table.columns
    }
    data, known = localised(table, columns)
    known["session"] = st.column_config.TextColumn(_column_title("session"))
    st.dataframe(data, column_config=known, placeholder="–", alt=_("First and last bars of the file"))


def preview_table(preview: ImportPreview) -> pd.DataFrame:
    """The first and the last bars, as they would be stored."""
    frame = preview.fetched.frame
    bars = frame.to_dataframe().rename(
        columns=lambda name: f"{name} ({frame.currency})" if name != "volume" else name
    )
    bars.index = pd.DatetimeIndex(bars.index).strftime("%Y-%m-%d").rename("session")
    return pd.concat([bars.head(3), bars.tail(3)]) if len(bars) > 6 else bars


def _column_title(name: str) -> str:
    """The name of a column of the bars, with the currency behind it where it has one."""
    role, *currency = name.split(" ", 1)
    return " ".join((_(_ROLES.get(role, role)), *currency))


def _facts(preview: ImportPreview) -> pd.DataFrame:
    reading, frame = preview.reading, preview.fetched.frame
    columns = ", ".join(
        _("{role} from '{name}'").format(role=_(_ROLES.get(role, role)), name=name)
        for role, name in reading.columns
    )
    facts = {
        N_("File"): _("{kind} ({detail}), {rows} below the header").format(
            kind=reading.kind, detail=told(reading.detail), rows=count(reading.rows, "row", "rows")
        ),
        N_("Columns"): columns,
        N_("Dates"): (
            _("as {style}").format(style=told(reading.date_style)) if reading.date_style else _("typed dates")
        ),
        N_("Numbers"): _(_MARKS[reading.decimal_mark]),
        N_("Currency"): _("{currency}, in which {ticker} is quoted ({exchange}); volume in shares").format(
            currency=frame.currency, ticker=frame.ticker, exchange=frame.exchange
        ),
        N_("Prices"): _(_ADJUSTED[reading.adjusted]),
        N_("Sessions"): _("{sessions}, {first} to {last}").format(
            sessions=count(len(frame), "session", "sessions"), first=frame.first_session, last=frame.last_session
        ),
    }
    return pd.DataFrame({"How": map(plain, facts.values())}, index=pd.Index(map(_, facts), name="What"))
