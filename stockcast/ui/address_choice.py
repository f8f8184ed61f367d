"""Choices that stand in the address by their own names, in whatever language they are shown.

Streamlit can bind a widget to the address by itself, but then writes there what the visitor reads; such a link
would mean nothing to whoever reads another language.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from stockcast.ui.address import changed, write
from stockcast.ui.language import _


def choose_one(
    label: str,
    name: str,
    options: Sequence[str],
    *,
    help: str | None = None,
    width: int | None = None,
    buttons: bool = False,
    shown: Callable[[str], str] = _,
) -> str:
    """Draws a choice and returns it. The first option is chosen at first, and does not stand in the address."""
    return choose_from(label, name, options, options[0], help=help, width=width, buttons=buttons, shown=shown)


def choose_from(
    label: str,
    name: str,
    options: Sequence[str],
    default: str,
    *,
    help: str | None = None,
    width: int | None = None,
    buttons: bool = False,
    shown: Callable[[str], str] = _,
) -> str:
    """The same with another option at first; `buttons` beside one another instead of a list."""
    if name not in st.session_state or changed(name):
        st.session_state[name] = st.query_params.get(name, default)
    if st.session_state[name] not in options:
        st.session_state[name] = default
    words = {option: shown(option) for option in options}
    if buttons:
        st.segmented_control(label, options, key=name, required=True, format_func=words.__getitem__, help=help)
    else:
        st.selectbox(label, options, key=name, format_func=words.__getitem__, help=help, width=width or "stretch")
    chosen = str(st.session_state[name])
    write(name, None if chosen == default else chosen)
    return chosen
