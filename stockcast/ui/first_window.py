"""What stands in a page's first window is drawn before what lies below it.

A browser draws all that a page has sent together, and what nobody sees yet keeps the answer waiting. So at the
first run of a page it is given a moment for what it has.
"""

from __future__ import annotations

import time
from typing import Final

import streamlit as st

_SHOWN: Final = "page_shown"
_MOMENT: Final = 0.12  # seconds; a first window is drawn in less


def below(page: str) -> None:
    """From here on it lies below the first window; later runs of the page, which change little, do not wait."""
    if st.session_state.get(_SHOWN) != page:
        st.session_state[_SHOWN] = page
        time.sleep(_MOMENT)
