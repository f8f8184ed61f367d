"""Prices from a visitor's file: read, shown as they were read, and stored only on demand."""

from __future__ import annotations

import streamlit as st

from stockcast.prices.reading.datestyle import DateOrder
from stockcast.prices.store import StoredHistory
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.format import count
from stockcast.ui.price_preview import Preview, read_preview, ticker_of_name
from stockcast.ui.shared import workspace

FILE_TYPES = ["csv", "txt", "tsv", "xlsx", "parquet"]
_ORDERS: dict[str, DateOrder] = {
    "Decide by the dates": "auto",
    "Day first (31/12)": "dmy",
    "Month first (12/31)": "mdy",
}


def price_upload() -> None:
    """The upload, its preview and the button that stores it."""
    st.markdown(
        "CSV, XLSX or Parquet with one row per session: a date and a close, and open, high, low and volume where "
        "there are any. Portuguese headers, decimal commas and `dd/mm/yyyy` are understood."
    )
    upload = st.file_uploader("Price file", type=FILE_TYPES, key="price_file", max_upload_size=20)
    if upload is None:
        return
    left, right = st.columns(2)
    ticker = left.text_input(
        "Ticker",
        value=ticker_of_name(upload.name),
        key=f"price_ticker_{upload.file_id}",
        placeholder="CMIG4.SA",
        help="As Yahoo writes it. The suffix names the exchange: .SA is São Paulo, none is New York.",
    )
    order = right.selectbox(
        "Order of day and month",
        list(_ORDERS),
        key=f"price_order_{upload.file_id}",
        help="Matters only where no day above 12 decides it.",
    )
    if not ticker.strip():
        st.info("Name the ticker whose prices these are.", icon=":material/sell:")
        return
    with boundary():
        content = upload.getvalue()
        preview = read_preview(upload.name, content, ticker, _ORDERS[order])
        _show(preview)
        if st.button("Store these prices", type="primary", icon=":material/save:", key="store_prices"):
            stored = workspace().ingest_file(upload.name, content, ticker, _ORDERS[order])
            st.success(plain(stored.sentence), icon=":material/check_circle:")


def _show(preview: Preview) -> None:
    frame, report = preview.fetched.frame, preview.fetched.report
    with st.container(border=True):
        st.markdown("**This is how it was read.** Nothing is stored yet.")
        st.markdown(plain(preview.sentence))
        if report.repairs:
            st.markdown(bullets(repair.sentence for repair in report.repairs))
        st.dataframe(preview.table, alt="First and last bars of the file")
        st.caption(
            f"{count(len(frame), 'session')} of {frame.ticker}, {frame.first_session} to {frame.last_session}, "
            f"in {frame.currency}. {_consequence(workspace().prices.find(frame.ticker))}"
        )


def _consequence(present: StoredHistory | None) -> str:
    if present is None:
        return "Nothing is stored under this ticker so far."
    return (
        f"Storing replaces {count(present.sessions, 'session')} from {plain(present.source)}, "
        f"{present.first_session} to {present.last_session}."
    )
