"""What an empty workspace says: the way to a first forecast, one click away."""

from __future__ import annotations

import streamlit as st

from stockcast.ui.access import acting, may_act
from stockcast.ui.escaping import plain
from stockcast.ui.language import _
from stockcast.ui.router import DATA
from stockcast.ui.shared import workspace
from stockcast.ui.tour import offer_tour

_MOST = 10  # tickers that are named one by one


def welcome() -> None:
    """Offers the bundled sample, or one's own prices."""
    with st.container(border=True):
        st.subheader(_("No prices are stored yet"))
        st.markdown(
            _(
                "stockcast forecasts the coming closes of a stock as a distribution, and shows the naive forecast "
                "beside it. It goes in four steps:"
            )
        )
        st.markdown(
            _(
                "1. **Prices**: the sample below, a download or your own file.\n"
                "2. **Forecast**: it is there at once; a simple model speaks from the beginning.\n"
                "3. **Training**: a network speaks instead, if it does better on sessions that it has not seen.\n"
                "4. **Trust**: backtests before, the live record after."
            )
        )
        if offer_sample():
            st.rerun()
        with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
            st.page_link(
                DATA, label=_("Or download from Yahoo, or upload a file"), icon=":material/arrow_forward:"
            )
            offer_tour("welcome")


def tell_missing(universe: str) -> None:
    """Names the tickers that a universe wants and nobody has stored yet."""
    ws = workspace()
    stored = {history.ticker for history in ws.prices.list()}
    missing = [ticker for ticker in ws.config(universe).universe.tickers if ticker not in stored]
    if missing:
        named = ", ".join(missing[:_MOST]) + (" …" if len(missing) > _MOST else "")
        st.warning(
            _("The universe {universe} names {tickers}, and nothing is stored for that.").format(
                universe=plain(universe), tickers=plain(named)
            ),
            title=_("Prices are missing"),
            icon=":material/warning:",
        )
        st.page_link(DATA, label=_("Get them on the Data page"), icon=":material/download:")


def offer_sample() -> bool:
    """A button that stores the bundled sample; True when it just did."""
    st.caption(_("Daily prices of AAPL, GOOG, IBM, MSFT and a short FB, 2000 to 2013. No network is needed."))
    label = _("Load the bundled sample")
    if not st.button(
        label, type="primary", icon=":material/inventory_2:", key="load_sample", disabled=not may_act()
    ):
        return False
    with st.spinner(_("Storing the bundled sample …")):
        stored = acting().ingest_sample()
    tickers = ", ".join(each.ticker for each in stored)
    st.toast(_("Stored {tickers}.").format(tickers=plain(tickers)), icon=":material/check:")
    return True
