"""What stands in a page's first window is drawn before what lies below it.

A browser shows a skeleton for each element whose code it still has to load, and React puts what was loaded in its
place no sooner than 0.3 seconds after the last skeleton came. What lies below brings skeletons of its own, and so
would keep the answer waiting. Therefore, at the first run of a page, the first window is given time to be drawn.
"""

from __future__ import annotations

import time
from typing import Final

import streamlit as st

_SHOWN: Final = "page_shown"
MOMENT: Final = 0.7  # seconds; most first windows are drawn by then


def below(page: str) -> None:
    """From here on it lies below the first window; later runs of the page, which change little, do not wait."""
    if st.session_state.get(_SHOWN) != page:
        st.session_state[_SHOWN] = page
        time.sleep(MOMENT)
