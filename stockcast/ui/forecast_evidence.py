"""Below the answer: the fan of the coming sessions, its table, and the chance of closing above a level."""

from __future__ import annotations

import streamlit as st

from stockcast.prices.store import StoredHistory
from stockcast.registry.versions import ModelVersion
from stockcast.ui.answer_view import show_fan, show_tables
from stockcast.ui.error_boundary import boundary
from stockcast.ui.first_window import below
from stockcast.ui.forecast_address import link_to_view
from stockcast.ui.forecast_choices import choose_ahead, choose_beside, choose_past, read_beside, shortened
from stockcast.ui.forecast_level import choose_level, level_of, show_chances
from stockcast.ui.forecast_table import offer_downloads
from stockcast.ui.language import _
from stockcast.ui.report_button import offer_report
from stockcast.workflows.forecast import Answer


@st.fragment
def evidence(answer: Answer, universe: str, history: StoredHistory, speaks: ModelVersion) -> None:
    """Redraws itself alone when something in it is chosen; the answer above stays as it is."""
    with boundary():
        st.subheader(_("The coming sessions"))
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            ahead = choose_ahead(answer.forecast.horizon)
            past = choose_past(answer)
            offers = choose_beside(universe)
        others = read_beside(offers, universe, history, speaks)
        level = level_of(answer, history.ticker, in_address=True)
        shown = shortened(answer, ahead)
        show_fan(shown, "ticker", others, level.price if level.chosen else None, past)
        below("forecast")
        show_tables(shown, "ticker", others)
        with st.container(horizontal=True, vertical_alignment="center"):
            offer_downloads(shown, others, level.price, "ticker")
            offer_report(answer, universe, "ticker")
            with st.popover(_("Link to this view"), icon=":material/link:"):
                st.code(link_to_view(universe, history.ticker), language=None, wrap_lines=True)
                st.caption(
                    _("It holds the ticker, the universe, the sessions shown, what stands beside, the level and "
                      "the supposed close. The address of this page does, too.")
                )  # fmt: skip
        st.subheader(_("The chance of closing above a level"))
        chances = st.container()  # the answer first, its knobs below
        choose_level(answer, level, history.ticker)
        with chances:
            show_chances(shown, others, level)


def window_evidence(answer: Answer, key: str) -> None:
    """The same for a window that was handed over: nothing stands beside, and no address holds it."""
    about = f"{key}_{answer.forecast.context.fingerprint[:8]}"  # another window has another level
    level = level_of(answer, about, in_address=False)
    show_fan(answer, key, level=level.price if level.chosen else None)
    show_tables(answer, key)
    with st.container(horizontal=True, vertical_alignment="center"):
        offer_downloads(answer, (), level.price, key)
    st.markdown(_("**The chance of closing above a level**"))
    chances = st.container()
    choose_level(answer, level, about)
    with chances:
        show_chances(answer, (), level)
