"""Tickers by company name: a search at Yahoo, and the matches to pick from."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from stockcast.prices.yahoo import Listing
from stockcast.ui.escaping import plain
from stockcast.ui.language import _
from stockcast.ui.shared import workspace
from stockcast.workflows.search_tickers import search_tickers

_FOUND = "yahoo_found"


def search_form() -> None:
    """The field, and what it found; kept until the next search. Raises SourceError or InvalidRequest."""
    with st.form("yahoo_search", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            _("Find a ticker"),
            placeholder=_("A company's name, such as Petrobras"),
            key="yahoo_search_text",
            max_chars=80,
            help=_("Asks Yahoo. What you pick is downloaded together with the tickers that you type below."),
        )
        asked = st.form_submit_button(_("Search"), icon=":material/search:", key="yahoo_search_go")
    if not asked:
        return
    st.session_state[_FOUND] = ()
    with st.spinner(_("Asking Yahoo …")):
        st.session_state[_FOUND] = found = search_tickers(workspace().settings.yahoo_cache, text)
    if not found:
        st.info(
            _("Yahoo knows nothing like \u201c{text}\u201d.").format(text=plain(text)),
            icon=":material/search_off:",
        )


def pick_found() -> list[str]:
    """The matches of the last search, and which of their tickers are picked."""
    found: Sequence[Listing] = st.session_state.get(_FOUND, ())
    known = {each.ticker: _words(each) for each in found if each.known}
    if left_out := [each.ticker for each in found if not each.known]:
        st.caption(
            _("Left out, as the calendar of their exchange is not known: {left_out}.").format(
                left_out=plain(", ".join(left_out))
            )
        )
    if not known:
        return []
    picked: list[str] = st.pills(
        _("Matches"),
        list(known),
        selection_mode="multi",
        format_func=known.__getitem__,
        key="yahoo_picked",
        help=_("Pick what to download."),
    )
    return picked


def _words(listing: Listing) -> str:
    about = (f"**{plain(listing.ticker)}**", *map(plain, (listing.name, listing.exchange, listing.kind)))
    return " · ".join(filter(None, about))
