"""How a window of closes was read, before anything is forecast; and the ways to read it otherwise."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from stockcast.errors import StockcastError
from stockcast.prices.reading.datestyle import DateOrder
from stockcast.prices.reading.numerals import DecimalMark
from stockcast.prices.reading.read_as import AS_IT_STANDS, ReadAs
from stockcast.prices.reading.sketch import ColumnSketch, sketch_file
from stockcast.prices.windowfile import read_window_as
from stockcast.ui.domain_words import told
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.format import count, price
from stockcast.ui.language import N_, _
from stockcast.workflows.preview_window import WindowPreview, preview_window

_ORDERS: dict[DateOrder, str] = {
    "auto": N_("Let the dates decide"),
    "dmy": N_("Day first (31/12)"),
    "mdy": N_("Month first (12/31)"),
}
_MARKS: dict[DecimalMark | None, str] = {
    None: N_("Let the numbers decide"),
    ".": N_("Point (1,234.56)"),
    ",": N_("Comma (1.234,56)"),
}
_WRITTEN: dict[DecimalMark | None, str] = {
    ".": N_("with a decimal point"),
    ",": N_("with a decimal comma"),
    None: N_("as typed numbers"),
}
_SHOWN = 3  # closes at either end


@st.cache_data(max_entries=8, ttl=900, show_spinner=False)
def read_preview(
    name: str, content: bytes, lookback: int, ticker: str | None, read_as: ReadAs, *, last_only: bool
) -> WindowPreview:
    """A reading. Raises UnreadableFile."""
    return preview_window(name, content, lookback, ticker=ticker, read_as=read_as, last_only=last_only)


def choose_window_reading(name: str, content: bytes, key: str) -> ReadAs:
    """Draws the ways to read it, open where it cannot be read as it stands, and returns what was said."""
    unclear, columns = _is_unclear(name, content), _columns(name, content)
    label = _("Say how to read it") if unclear else _("Read it another way")
    with (
        st.expander(label, expanded=unclear, icon=":material/tune:"),
        st.container(horizontal=True, gap="medium"),
    ):
        order = st.selectbox(
            _("Order of day and month"), list(_ORDERS), format_func=lambda each: _(_ORDERS[each]), width=240,
            key=f"window_order_{key}", help=_("Matters only where no day above 12 decides it."),
        )  # fmt: skip
        mark = st.selectbox(
            _("Decimal mark"), list(_MARKS), format_func=lambda each: _(_MARKS[each]), width=240,
            key=f"window_mark_{key}",
            help=_("Matters only where numbers such as 1.234 could be read in two ways."),
        )  # fmt: skip
        close = st.selectbox(
            _("Column of the closes"), [0, *columns], width=240, key=f"window_column_{key}",
            format_func=lambda number: _shown(columns[number]) if number else _("Let the header decide"),
            help=_("Matters only where several columns could hold them."),
        )  # fmt: skip
    return ReadAs(order, mark, (("close", close), ("adjusted", 0)) if close else ())


def show_reading(preview: WindowPreview, name: str, lookback: int) -> None:
    """The reading in words, what was left out line by line, and the closes at both ends."""
    st.markdown(_("**This is how I read it.** Nothing is forecast from it without your word."))
    st.caption(_("{source}: {what}").format(source=plain(name), what=_described(preview)))
    st.table(_facts(preview), hide_header=True, border="horizontal")
    if preview.changes:
        st.markdown(_("**Left out, merged or sorted**") + f"\n\n{bullets(map(told, preview.changes))}")
    if preview.faults:
        st.error(bullets(map(told, preview.faults)), title=_("The window does not fit"), icon=":material/error:")
    if preview.cautions:
        st.warning(bullets(map(told, preview.cautions)), title=_("Please check"), icon=":material/visibility:")
    if len(preview.window.closes):
        st.table(ends_table(preview), border="horizontal", hide_index=True)


def ends_table(preview: WindowPreview) -> pd.DataFrame:
    """The first and the last closes with their lines, as they would be forecast from."""
    total = len(preview.window.closes)
    places = [at for at in range(total) if at < _SHOWN or at >= total - _SHOWN]
    sessions = preview.window.sessions
    table = {
        _("Line"): [str(preview.lines[at]) for at in places],
        _("Session"): ["–" if sessions is None else str(sessions[at]) for at in places],
        _("Close"): [price(float(preview.window.closes[at])) for at in places],
    }
    return pd.DataFrame(table)


def _described(preview: WindowPreview) -> str:
    closes, sessions = count(len(preview.window.closes), "close", "closes"), preview.window.sessions
    if sessions is None or not len(sessions):
        return _("{closes} without dates.").format(closes=closes)
    return _("{closes}, dated {first} to {last}.").format(closes=closes, first=sessions[0], last=sessions[-1])


def _facts(preview: WindowPreview) -> pd.DataFrame:
    reading = preview.reading
    if reading is None:
        facts = {_("Source"): _("A JSON list of numbers")}
    else:
        columns = (
            _("{role} from '{name}'").format(role=role, name=named)
            for role, named in reading.columns
            if role in ("session", "close", "adjusted")
        )
        facts = {
            _("Source"): f"{reading.kind} ({told(reading.detail)})",
            _("Columns"): ", ".join(columns),
            _("Dates"): _dates(reading.date_style) if preview.window.sessions is not None else _("none"),
            _("Numbers"): _(_WRITTEN[reading.decimal_mark]),
        }
    return pd.DataFrame({"How": map(plain, facts.values())}, index=pd.Index(list(facts), name="What"))


@st.cache_data(max_entries=8, ttl=900, show_spinner=False)
def _is_unclear(name: str, content: bytes) -> bool:
    """Whether it cannot be read as it stands."""
    try:
        read_window_as(name, content, AS_IT_STANDS)
    except StockcastError:
        return True
    return False


@st.cache_data(max_entries=8, ttl=900, show_spinner=False)
def _columns(name: str, content: bytes) -> dict[int, ColumnSketch]:
    """The columns by their number; none where there is no choice."""
    try:
        columns = sketch_file(name, content).columns
    except StockcastError:
        return {}
    return {column.number: column for column in columns} if len(columns) > 1 else {}


def _dates(style: str | None) -> str:
    return _("as {style}").format(style=told(style)) if style else _("typed dates")


def _shown(column: ColumnSketch) -> str:
    examples = ", ".join(column.examples)
    return f"{column.number}. {column.name} ({examples})" if examples else f"{column.number}. {column.name}"
