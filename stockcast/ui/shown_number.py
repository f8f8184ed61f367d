"""A number that several widgets show, or that a page may change while one of them is being moved.

The browser sends what every widget shows along with every message, and a value that the page sets takes back what
was typed or dragged since. Over a slow connection two widgets that set one another therefore take back one
another's steps. So nothing is set here: a widget that must show what it was not moved to is a new one, under a new
key.
"""

from __future__ import annotations

import math

import streamlit as st


def key_showing(widget: str, number: float) -> str:
    """The key under which to draw a widget with this value: a new one, unless it was moved or drawn there last."""
    made, shown = st.session_state.get(_made(widget), (0, math.nan))
    if not math.isclose(shown, number, rel_tol=1e-9, abs_tol=1e-12):
        made += 1
        st.session_state[_made(widget)] = made, number
    return _key(widget, made)


def moved_to(widget: str, key: str) -> float | None:
    """The number that a widget, drawn under this key, was moved to; None where another one has replaced it."""
    made, _shown = st.session_state[_made(widget)]
    if key != _key(widget, made):
        return None
    number = float(st.session_state[key])
    st.session_state[_made(widget)] = made, number
    return number


def _key(widget: str, made: int) -> str:
    return f"{widget}_{made}"


def _made(widget: str) -> str:
    return f"{widget}_made"
