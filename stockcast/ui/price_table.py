"""Every stored history in one table: its reach, its age, where it came from, and what was found in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import pandas as pd
import streamlit as st

from stockcast.prices.sessions import sessions_since
from stockcast.prices.store import StoredHistory
from stockcast.ui.column_titles import titled
from stockcast.ui.escaping import plain
from stockcast.ui.format import count
from stockcast.ui.language import N_, _
from stockcast.ui.price_download import download
from stockcast.ui.shared import workspace

_YAHOO = "yahoo"
ROWS: Final = 18  # seen without scrolling; with the title above they fill a window of 1440 x 900
_ROW: Final = 33  # pixels


def price_table(histories: Sequence[StoredHistory], now: datetime) -> pd.DataFrame:
    """One row a ticker."""
    return pd.DataFrame(
        [
            {
                N_("Ticker"): history.ticker,
                N_("Last"): history.last_session,
                N_("Age"): sessions_since(history.exchange, history.last_session, now),
                N_("First"): history.first_session,
                N_("Sessions"): history.sessions,
                N_("Currency"): history.currency,
                N_("Findings"): history.report.findings,
                N_("Source"): history.source,
                N_("Asked"): history.as_of,
            }
            for history in histories
        ]
    ).astype({"Findings": "Int64"})


def show_price_table(histories: Sequence[StoredHistory]) -> None:
    """The table, and a button that brings it up to date where that is possible."""
    place = st.container()
    table = price_table(histories, workspace().clock())
    behind = table[(table["Age"] > 0) & (table["Source"] == _YAHOO)]["Ticker"].tolist()
    if behind and st.button(
        _("Bring {tickers} up to date").format(tickers=count(len(behind), "ticker", "tickers")),
        icon=":material/sync:",
        key="update_all",
        help=_(
            "Asks Yahoo for the sessions that are missing at the end, and whether it tells the rest as before."
        ),
    ):
        download(behind)
        table = price_table(workspace().prices.list(), workspace().clock())
    with place:
        _show(table)


def _show(table: pd.DataFrame) -> None:
    st.markdown(_answer(table))
    st.dataframe(
        table,
        hide_index=True,
        height=_ROW * (min(len(table), ROWS) + 1) + 3,  # told, so that what stands below it stays where it is
        key="histories",
        placeholder="–",
        column_config=titled(
            table,
            {
                "Ticker": st.column_config.TextColumn(pinned=True),
                "Last": st.column_config.DateColumn(format="YYYY-MM-DD", help=_("The last stored session.")),
                "Age": st.column_config.NumberColumn(
                    format="localized",
                    help=_("Sessions that the exchange has completed since the last stored one; 0 is up to date."),
                ),
                "First": st.column_config.DateColumn(format="YYYY-MM-DD", help=_("The first stored session.")),
                "Sessions": st.column_config.NumberColumn(format="localized", help=_("Stored daily bars.")),
                "Currency": st.column_config.TextColumn(
                    help=_("Currency of the prices, as the exchange quotes them.")
                ),
                "Findings": st.column_config.NumberColumn(
                    help=_(
                        "Rows of the quality report: gaps, odd moves, standstills, sessions without volume, "
                        "repairs. Not counted before the history is next brought up to date."
                    )
                ),
                "Source": st.column_config.TextColumn(help=_("Where the prices came from.")),
                "Asked": st.column_config.DatetimeColumn(
                    format="YYYY-MM-DD HH:mm", timezone="UTC", help=_("When the source was last asked, in UTC.")
                ),
            },
        ),
        alt=_("Stored price histories"),
    )


def _answer(table: pd.DataFrame) -> str:
    old = table[table["Age"] > 0]
    said = _("{tickers} stored, {sessions}").format(
        tickers=count(len(table), "ticker", "tickers"),
        sessions=count(int(table["Sessions"].sum()), "session", "sessions"),
    )
    if old.empty:
        return _("{said}, all up to date.").format(said=said)
    ticker, age = max(zip(old["Ticker"], old["Age"], strict=True), key=lambda each: each[1])
    return _("{said}. {count} up to date; the oldest is {ticker}, {sessions} behind its exchange.").format(
        said=said,
        count=len(table) - len(old),
        ticker=plain(ticker),
        sessions=count(int(age), "session", "sessions"),
    )
