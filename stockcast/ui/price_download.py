"""Prices from Yahoo, several tickers at a time: one that fails does not hold up the others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import streamlit as st

from stockcast.errors import StockcastError
from stockcast.ui.access import acting
from stockcast.ui.domain_words import told
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.format import count
from stockcast.ui.language import _
from stockcast.ui.price_search import pick_found, search_form

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
            _("Tickers"),
            placeholder="CMIG4.SA, PETR4.SA, AAPL",
            key="yahoo_tickers",
            help=_("As Yahoo writes them, up to {most_tickers}, with commas or blanks between them.").format(
                most_tickers=MOST_TICKERS
            ),
        )
        left, right = st.columns(2)
        start = left.date_input(
            _("From"),
            value=None,
            min_value=date(1990, 1, 1),
            key="yahoo_start",
            help=_("Empty: all that Yahoo has."),
        )
        end = right.date_input(
            _("Until"),
            value=None,
            min_value=date(1990, 1, 1),
            key="yahoo_end",
            help=_("Empty: the newest session."),
        )
        asked = st.form_submit_button(_("Download"), type="primary", icon=":material/download:", key="yahoo_go")
    st.caption(
        _(
            "Without dates a stored history is only brought up to date. Prices are adjusted for "
            "splits and dividends; today's unfinished bar is left out."
        )
    )
    if asked:
        download(list(dict.fromkeys([*picked, *tickers_in(text)])), start, end)


def download(tickers: Sequence[str], start: date | None = None, end: date | None = None) -> None:
    """Downloads and stores, with one line for each ticker."""
    if not 1 <= len(tickers) <= MOST_TICKERS:
        st.warning(
            _("Name between one and {most_tickers} tickers.").format(most_tickers=MOST_TICKERS),
            icon=":material/sell:",
        )
        return
    failed = 0
    with st.status(
        _("Asking Yahoo for {tickers} …").format(tickers=count(len(tickers), "ticker", "tickers")), expanded=True
    ) as status:
        bar = st.progress(0.0)
        lines = {ticker: st.empty() for ticker in tickers}
        for ticker, line in lines.items():
            line.markdown(_(":material/schedule: **{ticker}** waits.").format(ticker=plain(ticker)))
        for done, (ticker, line) in enumerate(lines.items(), 1):
            line.markdown(
                _(":material/downloading: **{ticker}** is being asked for …").format(ticker=plain(ticker))
            )
            try:
                stored = acting().ingest_yahoo(ticker, start, end)
            except StockcastError as problem:
                failed += 1
                line.markdown(
                    f":material/error: **{plain(ticker)}** "
                    f"{plain(told(problem.message))} {plain(told(problem.hint))}"
                )
            else:
                said = (stored.sentence, *(repair.sentence for repair in stored.report.repairs))
                line.markdown(f":material/check: **{plain(ticker)}** {plain(' '.join(map(told, said)))}")
            bar.progress(done / len(tickers))
        good = len(tickers) - failed
        status.update(
            label=(
                _("{good} of {tickers} stored, {failed} failed") if failed else _("{good} of {tickers} stored")
            ).format(good=good, tickers=count(len(tickers), "ticker", "tickers"), failed=failed),
            state="error" if failed else "complete",
            expanded=True,
        )
