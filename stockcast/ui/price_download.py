"""Prices from Yahoo, several tickers at a time: one that fails does not hold up the others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import streamlit as st

from stockcast.errors import StockcastError
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.format import count
from stockcast.ui.price_search import pick_found, search_form
from stockcast.ui.shared import workspace

MOST_TICKERS = 50


def tickers_in(text: str) -> list[str]:
    """The tickers of a line or list, in the order given, each once."""
    return list(dict.fromkeys(part.upper() for part in re.split(r"[\s,;]+", text) if part))


def price_download() -> None:
    """The search, the form, and the download with its progress."""
    with boundary():
        search_form()
    picked = pick_found()
    with st.form("yahoo", border=False):
        text = st.text_input(
            "Tickers",
            placeholder="CMIG4.SA, PETR4.SA, AAPL",
            key="yahoo_tickers",
            help=f"As Yahoo writes them, up to {MOST_TICKERS}, with commas or blanks between them.",
        )
        left, right = st.columns(2)
        start = left.date_input(
            "From", value=None, min_value=date(1990, 1, 1), key="yahoo_start", help="Empty: all that Yahoo has."
        )
        end = right.date_input(
            "Until",
            value=None,
            min_value=date(1990, 1, 1),
            key="yahoo_end",
            help="Empty: the newest session.",
        )
        asked = st.form_submit_button("Download", type="primary", icon=":material/download:", key="yahoo_go")
    st.caption(
        "Without dates a stored history is only brought up to date. Prices are adjusted for splits and dividends; "
        "today's unfinished bar is left out."
    )
    if asked:
        download(list(dict.fromkeys([*picked, *tickers_in(text)])), start, end)


def download(tickers: Sequence[str], start: date | None = None, end: date | None = None) -> None:
    """Downloads and stores, with one line for each ticker."""
    if not 1 <= len(tickers) <= MOST_TICKERS:
        st.warning(f"Name between one and {MOST_TICKERS} tickers.", icon=":material/sell:")
        return
    failed = 0
    with st.status(f"Asking Yahoo for {count(len(tickers), 'ticker', 'tickers')} …", expanded=True) as status:
        bar = st.progress(0.0)
        lines = {ticker: st.empty() for ticker in tickers}
        for ticker, line in lines.items():
            line.markdown(f":material/schedule: **{plain(ticker)}** waits.")
        for done, (ticker, line) in enumerate(lines.items(), 1):
            line.markdown(f":material/downloading: **{plain(ticker)}** is being asked for …")
            try:
                stored = workspace().ingest_yahoo(ticker, start, end)
            except StockcastError as problem:
                failed += 1
                line.markdown(
                    f":material/error: **{plain(ticker)}** {plain(problem.message)} {plain(problem.hint)}"
                )
            else:
                told = " ".join((stored.sentence, *(repair.sentence for repair in stored.report.repairs)))
                line.markdown(f":material/check: **{plain(ticker)}** {plain(told)}")
            bar.progress(done / len(tickers))
        good = len(tickers) - failed
        status.update(
            label=f"{good} of {count(len(tickers), 'ticker', 'tickers')} stored"
            + (f", {failed} failed" if failed else ""),
            state="error" if failed else "complete",
            expanded=True,
        )
