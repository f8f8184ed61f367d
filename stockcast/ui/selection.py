"""What a visitor looks at, kept in the address of every page: it survives a refresh and can be shared.

Streamlit forgets a widget that is not drawn and empties the address at every change of the page. So the choice
is kept in the session and written into the address at each run; an address that was changed from outside, by a
link or by going back, wins over the session.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from stockcast.config import DEFAULT_UNIVERSE
from stockcast.prices.store import StoredHistory
from stockcast.ui.address import asked, write
from stockcast.ui.language import LANGUAGE, LANGUAGES, _, language
from stockcast.ui.shared import workspace

UNIVERSE, TICKER = "universe", "ticker"


def restore_selection() -> None:
    """Agrees session and address with one another; app.py calls it before anything is drawn."""
    for name in (UNIVERSE, TICKER, LANGUAGE):
        if (wanted := asked(name)) is not None:
            st.session_state[name] = wanted
        if name in st.session_state:
            write(name, st.session_state[name])


def choose_universe() -> None:
    """Draws the choice of the universe where there is one to make."""
    universes = sorted(workspace().universes(), key=lambda name: (name != DEFAULT_UNIVERSE, name))
    if len(universes) > 1:
        _choose(UNIVERSE, _("Universe"), universes, _("The tickers that share one model."))


def choose_language() -> None:
    """Draws a way into each other language, under the name that it has there. A list of two would be heavy."""
    for name, title in LANGUAGES.items():
        if name != language():
            st.button(
                title,
                icon=":material/translate:",
                type="tertiary",
                key=f"{LANGUAGE}_{name}",
                on_click=_speak,
                args=(name,),
            )


def universe() -> str:
    """The universe that was chosen."""
    chosen = st.session_state.get(UNIVERSE)
    return chosen if chosen in workspace().universes() else DEFAULT_UNIVERSE


def select_universe(name: str) -> None:
    """Makes another universe the chosen one, after which the page is run again."""
    st.session_state[UNIVERSE] = name


def histories_of(universe_name: str) -> tuple[StoredHistory, ...]:
    """Stored histories of a universe's tickers; empty when nothing is stored."""
    ws = workspace()
    named = ws.config(universe_name).universe.tickers
    return tuple(history for history in ws.prices.list() if not named or history.ticker in named)


def choose_ticker(histories: Sequence[StoredHistory]) -> StoredHistory:
    """Draws the choice of a stored ticker. `histories` must not be empty."""
    by_ticker = {history.ticker: history for history in histories}
    return by_ticker[_choose(TICKER, "Ticker", list(by_ticker), "Of all stored tickers.")]


def _choose(name: str, label: str, options: Sequence[str], help_text: str) -> str:
    known = st.session_state.get(name)
    chosen = next((option for option in options if option == known), options[0])
    st.session_state[_widget(name)] = st.session_state[name] = chosen
    write(name, chosen)
    st.selectbox(label, options, key=_widget(name), on_change=_keep, args=(name,), help=help_text, width=240)
    return chosen


def _keep(name: str) -> None:
    """A visitor has chosen; runs before the page does."""
    st.session_state[name] = st.session_state[_widget(name)]


def _speak(name: str) -> None:
    """A visitor has chosen another language; runs before the page does."""
    st.session_state[LANGUAGE] = name


def _widget(name: str) -> str:
    return f"{name}_choice"
