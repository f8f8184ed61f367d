"""What an empty workspace says: the way to a first forecast, one click away."""

from __future__ import annotations

import streamlit as st

from stockcast.ui.escaping import plain
from stockcast.ui.router import DATA
from stockcast.ui.shared import workspace


def welcome() -> None:
    """Offers the bundled sample, or one's own prices."""
    with st.container(border=True):
        st.subheader("No prices are stored yet")
        st.markdown(
            "stockcast forecasts the coming closes of a stock as a distribution, and shows the naive forecast "
            "beside it. It needs daily prices first."
        )
        if offer_sample():
            st.rerun()
        st.page_link(DATA, label="Or download from Yahoo, or upload a file", icon=":material/arrow_forward:")


def tell_missing(universe: str) -> None:
    """Names the tickers that a universe wants and nobody has stored yet."""
    ws = workspace()
    stored = {history.ticker for history in ws.prices.list()}
    missing = [ticker for ticker in ws.config(universe).universe.tickers if ticker not in stored]
    if missing:
        st.warning(
            f"The universe {plain(universe)} names {plain(', '.join(missing))}, and nothing is stored for that.",
            title="Prices are missing",
            icon=":material/warning:",
        )
        st.page_link(DATA, label="Get them on the Data page", icon=":material/download:")


def offer_sample() -> bool:
    """A button that stores the bundled sample; True when it just did."""
    st.caption("Daily prices of AAPL, GOOG, IBM, MSFT and a short FB, 2000 to 2013. No network is needed.")
    if not st.button("Load the bundled sample", type="primary", icon=":material/inventory_2:", key="load_sample"):
        return False
    with st.spinner("Storing the bundled sample …"):
        stored = workspace().ingest_sample()
    st.toast(f"Stored {', '.join(each.ticker for each in stored)}.", icon=":material/check:")
    return True
