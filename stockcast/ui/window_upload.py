"""A visitor's own window of closes: pasted or uploaded, shown as it was read, and forecast when that is accepted.

Nothing of it is stored among the prices.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import streamlit as st

from stockcast.prices.reading.read_as import ReadAs
from stockcast.prices.store import StoredHistory
from stockcast.prices.window import PriceWindow
from stockcast.registry.versions import ModelVersion
from stockcast.ui.answer_view import show_answer
from stockcast.ui.error_boundary import boundary
from stockcast.ui.forecast_evidence import window_evidence
from stockcast.ui.forecast_reading import choose_window_reading, read_preview, show_reading
from stockcast.ui.format import count
from stockcast.ui.language import N_, _
from stockcast.ui.shared import workspace
from stockcast.workflows.export_forecast import window_csv, window_xlsx
from stockcast.workflows.forecast import Answer
from stockcast.workflows.preview_window import WindowPreview

FILE_TYPES = ["csv", "txt", "tsv", "json", "xlsx", "parquet"]
NO_TICKER = "not named"  # an option of the widget, in every language
_NO_TICKER = N_("not named")
_FILE, _PASTE = "file", "paste"
_WAYS = {_FILE: N_("Upload a file"), _PASTE: N_("Paste from a spreadsheet")}
_ACCEPTED = "window_accepted"  # in the session: the reading that was
_MOST_PASTED = 200_000  # characters
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class _Given:
    """What somebody has handed over."""

    name: str
    content: bytes
    ticker: str | None

    @property
    def id(self) -> str:
        """Tells one from another."""
        return hashlib.sha256(f"{self.name}\n{self.ticker}\n".encode() + self.content).hexdigest()[:16]


@st.fragment
def window_upload(universe: str, speaks: ModelVersion, tickers: list[str], chosen: StoredHistory) -> None:
    """The fields, the reading, and the forecast once it is accepted; `chosen` fills the template."""
    place = st.expander(
        _("Forecast your own window"), icon=":material/upload_file:", key="window_open", on_change="rerun"
    )
    if place.open:  # what nobody looks at need not be drawn
        with place:
            _show(universe, speaks, tickers, chosen)


def _show(universe: str, speaks: ModelVersion, tickers: list[str], chosen: StoredHistory) -> None:
    lookback = workspace().speaker(universe).forecaster.lookback
    st.markdown(
        _("Exactly **{closes}**, oldest first: one per line, a table with a `Close` or `Fechamento` column, or "
          "JSON. Decimal commas, Brazilian dates and header lines are understood. With dates and a ticker the "
          "forecast has dates, too. Nothing of it is stored among the prices.").format(
            closes=count(lookback, "close", "closes")
        )
    )  # fmt: skip
    given = _given(lookback, tickers)
    _template(chosen, lookback)
    if given is None:
        return
    with boundary():
        reading = st.container(border=True)  # what is said below decides it
        read_as, accepted = choose_window_reading(given.name, given.content, given.id), False
        with reading, boundary():
            preview = _preview(given, lookback, read_as)
            show_reading(preview, given.name, lookback)
            reading_id = f"{given.id}{read_as}{preview.lines}{universe}"
            accepted = _accepted(preview, reading_id)
        if accepted:
            ws = workspace()
            stored = ws.prices.find(given.ticker) if given.ticker else None
            beside = stored.content_hash if stored else ""
            key = (str(ws.settings.home), reading_id, beside, speaks.run_id, str(ws.clock().date()))
            with st.spinner(_("Forecasting …")):
                answer = _answer(key, preview.window, universe)
            st.subheader(_("What comes after your window"))
            show_answer(answer, universe, "window")
            window_evidence(answer, "window")


@st.cache_resource(max_entries=100, ttl=3600, show_spinner=False)
def _answer(key: tuple[str, ...], _window: PriceWindow, _universe: str) -> Answer:
    """Journaled once, however often something beside it is chosen."""
    return workspace().forecast_window(_window, _universe, "page")


def _given(lookback: int, tickers: list[str]) -> _Given | None:
    """Draws the ways to hand closes over."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        way = st.segmented_control(
            _("Where the closes come from"), list(_WAYS), format_func=lambda each: _(_WAYS[each]), default=_FILE,
            required=True, key="window_from",
            help=_("A file of up to 20 MB, or cells copied from a spreadsheet or a web page."),
        )  # fmt: skip
        named = st.selectbox(
            _("Its ticker"), [NO_TICKER, *tickers], key="window_ticker", width=220,
            format_func=lambda each: _(_NO_TICKER) if each == NO_TICKER else each,
            help=_("Names the exchange and the currency, and lets the closes be held against the stored history."),
        )  # fmt: skip
    ticker = None if named == NO_TICKER else named
    if way == _PASTE:
        pasted = st.text_area(
            _("Closes, or dates and closes"), key="window_paste", height=220, max_chars=_MOST_PASTED,
            placeholder="Data\tFechamento\n02/01/2024\t11,49\n03/01/2024\t1.011,52",
            help=_("Copy the cells and paste them here, with or without their header. Ctrl+Enter reads them."),
        )  # fmt: skip
        return _Given(_("pasted text"), pasted.encode(), ticker) if pasted and pasted.strip() else None
    upload = st.file_uploader(
        _("File with {closes}").format(closes=count(lookback, "close", "closes")),
        type=FILE_TYPES,
        key="window_file",
        max_upload_size=20,
        help=_("CSV, XLSX, Parquet, JSON or plain text. You see how it was read before anything is forecast."),
    )
    return None if upload is None else _Given(upload.name, upload.getvalue(), ticker)


def _template(chosen: StoredHistory, lookback: int) -> None:
    """A file to fill in, filled with what is stored."""
    if chosen.sessions < lookback:
        return
    stem = f"window-{''.join(mark for mark in chosen.ticker if mark.isalnum() or mark in '.-')}"
    explained = _("The last {closes} of {ticker}, to be changed and handed over.").format(
        closes=count(lookback, "close", "closes"), ticker=chosen.ticker
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            _("Template as CSV"), lambda: window_csv(workspace().prices.load(chosen.ticker), lookback),
            f"{stem}.csv", "text/csv", icon=":material/download:", key="window_template_csv", on_click="ignore",
            help=explained,
        )  # fmt: skip
        st.download_button(
            _("Template as XLSX"), lambda: window_xlsx(workspace().prices.load(chosen.ticker), lookback),
            f"{stem}.xlsx", _XLSX, icon=":material/download:", key="window_template_xlsx", on_click="ignore",
            help=explained,
        )  # fmt: skip


def _preview(given: _Given, lookback: int, read_as: ReadAs) -> WindowPreview:
    """The reading, after the question whether the last closes of too many are meant."""
    preview = read_preview(given.name, given.content, lookback, given.ticker, read_as, last_only=False)
    if preview.found <= lookback:
        return preview
    last_only = st.toggle(
        _("Take the last {lookback} of {found}").format(
            lookback=lookback, found=count(preview.found, "close", "closes")
        ),
        key=f"window_last_{given.id}",
        help=_("A window is as long as what the model reads."),
    )
    if not last_only:
        return preview
    return read_preview(given.name, given.content, lookback, given.ticker, read_as, last_only=True)


def _accepted(preview: WindowPreview, key: str) -> bool:
    """Whether this very reading was accepted; draws the button until it is."""
    if preview.faults:
        return False
    if st.session_state.get(_ACCEPTED) == key:
        return True
    st.button(
        _("Forecast these closes"), type="primary", icon=":material/show_chart:", key="window_go",
        on_click=_accept, args=(key,),
        help=_("The forecast is written into the journal, as every other; the closes are not stored."),
    )  # fmt: skip
    return False


def _accept(key: str) -> None:
    st.session_state[_ACCEPTED] = key
