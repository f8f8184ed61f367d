"""Every stored history in one table: its reach, its age, where it came from, and what was found in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
import streamlit as st

from stockcast.prices.sessions import sessions_since
from stockcast.prices.store import StoredHistory
from stockcast.ui.escaping import plain
from stockcast.ui.format import count
from stockcast.ui.price_download import download
from stockcast.ui.shared import workspace

_YAHOO = "yahoo"


def price_table(histories: Sequence[StoredHistory], now: datetime) -> pd.DataFrame:
    """One row a ticker."""
    return pd.DataFrame(
        [
            {
                "Ticker": history.ticker,
                "Last": history.last_session,
                "Age": sessions_since(history.exchange, history.last_session, now),
                "First": history.first_session,
                "Sessions": history.sessions,
                "Currency": history.currency,
                "Findings": history.report.findings,
                "Source": history.source,
                "Asked": history.as_of,
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
        f"Bring {count(len(behind), 'ticker', 'tickers')} up to date",
        icon=":material/sync:",
        key="update_all",
        help="Asks Yahoo for the sessions that are missing at the end, and whether it tells the rest as before.",
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
        key="histories",
        placeholder="–",
        column_config={
            "Ticker": st.column_config.TextColumn(pinned=True),
            "Last": st.column_config.DateColumn(format="YYYY-MM-DD", help="The last stored session."),
            "Age": st.column_config.NumberColumn(
                format="localized",
                help="Sessions that the exchange has completed since the last stored one; 0 is up to date.",
            ),
            "First": st.column_config.DateColumn(format="YYYY-MM-DD", help="The first stored session."),
            "Sessions": st.column_config.NumberColumn(format="localized", help="Stored daily bars."),
            "Currency": st.column_config.TextColumn(help="Currency of the prices, as the exchange quotes them."),
            "Findings": st.column_config.NumberColumn(
                help="Rows of the quality report: gaps, odd moves, standstills, sessions without volume, repairs. "
                "Not counted before the history is next brought up to date."
            ),
            "Source": st.column_config.TextColumn(help="Where the prices came from."),
            "Asked": st.column_config.DatetimeColumn(
                format="YYYY-MM-DD HH:mm", timezone="UTC", help="When the source was last asked, in UTC."
            ),
        },
        alt="Stored price histories",
    )


def _answer(table: pd.DataFrame) -> str:
    old = table[table["Age"] > 0]
    said = f"{count(len(table), 'ticker', 'tickers')} stored, {table['Sessions'].sum():,} sessions"
    if old.empty:
        return f"{said}, all up to date."
    ticker, age = max(zip(old["Ticker"], old["Age"], strict=True), key=lambda each: each[1])
    return (
        f"{said}. {len(table) - len(old)} up to date; the oldest is {plain(ticker)}, {count(int(age), 'session', 'sessions')} "
        "behind its exchange."
    )
