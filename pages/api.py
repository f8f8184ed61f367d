"""API: can a program ask, and how?"""

import streamlit as st

from stockcast.ui import router
from stockcast.ui.api_keys_view import show_keys
from stockcast.ui.api_snippets import show_snippets
from stockcast.ui.api_status import show_status
from stockcast.ui.api_try import last_window, try_it
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.language import _
from stockcast.ui.selection import choose_ticker, universe
from stockcast.ui.shared import champion, workspace

router.require_frame()

st.title(_("Can a program ask?"))
histories = workspace().prices.list()
speaks = None
with boundary():
    speaks = champion(universe()) if histories else None
show_status(universe(), speaks)

st.subheader(_("Try it"))
if histories:
    window = None
    with boundary():
        window = last_window(choose_ticker(histories), universe())
    if window is not None:
        st.caption(
            _("Sends the last {count} closes of {ticker} to POST /predict.").format(
                count=len(window.closes), ticker=plain(window.ticker)
            )
        )
        try_it(window)
        st.subheader(_("Ask from your program"))
        show_snippets(window)
else:
    st.info(_("No prices are stored yet, so there is no window to send."), icon=":material/inbox:")
    st.page_link(router.DATA, label=_("Get prices on the Data page"), icon=":material/download:")

st.subheader(_("Keys"))
show_keys()
