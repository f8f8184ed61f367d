"""Prices from a visitor's file: read, shown as they were read, and stored only when that is accepted."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from stockcast.errors import StockcastError
from stockcast.prices.reading.read_as import AS_IT_STANDS
from stockcast.prices.reading.sketch import FileSketch
from stockcast.ui.access import acting
from stockcast.ui.domain_words import told
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.language import _
from stockcast.ui.price_mapping import choose_reading
from stockcast.ui.price_preview import read_preview, read_sketch, show_preview, ticker_of_name
from stockcast.ui.selection import universe
from stockcast.ui.shared import workspace
from stockcast.workflows.preview_import import ImportPreview

FILE_TYPES = ["csv", "txt", "tsv", "xlsx", "parquet"]


def price_upload() -> None:
    """The upload, its preview, the ways to read it otherwise, and the button that stores it."""
    st.markdown(
        _(
            "CSV, XLSX or Parquet with one row per session: a date and a close, and open, high, "
            "low and volume where there are any. Portuguese headers, decimal commas and "
            "`dd/mm/yyyy` are understood."
        )
    )
    upload = st.file_uploader(
        _("Price file"),
        type=FILE_TYPES,
        key="price_file",
        max_upload_size=20,
        help=_("One ticker a file, up to 20 MB. You see how it was read before anything is stored."),
    )
    if upload is None:
        return
    content = upload.getvalue()
    with boundary():
        sketch = read_sketch(upload.name, content)
        ticker = st.text_input(
            _("Ticker"),
            value=ticker_of_name(upload.name),
            key=f"price_ticker_{upload.file_id}",
            placeholder="CMIG4.SA",
            help=_("As Yahoo writes it. The suffix names the exchange: .SA is São Paulo, none is New York."),
        )
        if not ticker.strip():
            st.info(_("Name the ticker whose prices these are."), icon=":material/sell:")
            return
        _preview_and_accept(upload, content, sketch, ticker)


def _preview_and_accept(upload: UploadedFile, content: bytes, sketch: FileSketch, ticker: str) -> None:
    answer = st.container(border=True)  # what is said below decides it
    read_as = choose_reading(sketch, upload.file_id, _unclear(upload.name, content, ticker))
    with answer, boundary():
        preview = read_preview(upload.name, content, ticker, read_as)
        lookback = workspace().config(universe()).windows.lookback
        show_preview(preview, lookback)
        if _accepted(preview):
            stored = acting().ingest_file(upload.name, content, ticker, read_as)
            st.success(plain(told(stored.sentence)), icon=":material/check_circle:")


def _unclear(name: str, content: bytes, ticker: str) -> bool:
    """Whether the file alone does not tell how to read it."""
    try:
        read_preview(name, content, ticker, AS_IT_STANDS)
    except StockcastError:
        return True
    return False


def _accepted(preview: ImportPreview) -> bool:
    """The button, and what it would replace."""
    if preview.replaces and not preview.stored_already:
        st.warning(
            bullets(map(told, preview.replaces)),
            title=_("{ticker} is stored already").format(ticker=plain(preview.fetched.frame.ticker)),
            icon=":material/swap_horiz:",
        )
    elif not preview.replaces:
        st.caption(_("Nothing is stored under this ticker so far."))
    else:
        st.info(plain(" ".join(map(told, preview.replaces))), icon=":material/check:")
    return st.button(
        _("Replace what is stored") if preview.replaces else _("Store these prices"),
        type="primary",
        icon=":material/save:",
        key="store_prices",
        disabled=preview.stored_already,
        help=_("Stores exactly what the preview shows."),
    )
