"""Every stored history: where it came from, how far it reaches, how old it is."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from stockcast.prices.store import StoredHistory


def history_rows(histories: Sequence[StoredHistory]) -> pd.DataFrame:
    """One row a ticker."""
    return pd.DataFrame(
        [
            {
                "Ticker": history.ticker,
                "Exchange": history.exchange,
                "Currency": history.currency,
                "Sessions": history.sessions,
                "First": history.first_session,
                "Last": history.last_session,
                "Source": history.source,
                "As of": history.as_of,
                "Mended": sum(repair.count for repair in history.report.repairs),
            }
            for history in histories
        ]
    )


def show_histories(histories: Sequence[StoredHistory]) -> None:
    """The table."""
    st.dataframe(
        history_rows(histories),
        hide_index=True,
        key="histories",
        column_config={
            "Sessions": st.column_config.NumberColumn(format="localized"),
            "First": st.column_config.DateColumn(format="YYYY-MM-DD"),
            "Last": st.column_config.DateColumn(format="YYYY-MM-DD"),
            "As of": st.column_config.DatetimeColumn(
                format="YYYY-MM-DD HH:mm", timezone="UTC", help="When the source was last asked, in UTC."
            ),
            "Mended": st.column_config.NumberColumn(help="Rows mended or left out when the prices were read."),
        },
        alt="Stored price histories",
    )
