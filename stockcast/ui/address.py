"""What a page writes into its address, and what a link or the way back asks for.

The browser sends its address with every message, so over a slow connection a message may bring an address that a
page has written over since. Taken for a link, it would undo what the visitor has just chosen: for a moment, what
was written over is no wish.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

import streamlit as st

STALE: Final = 2.0  # seconds for which a browser may not have heard yet of what was written


@dataclass(frozen=True)
class _Written:
    """What we wrote last, and what it replaced, with the time of a monotonic clock."""

    value: str | None = None
    replaced: Mapping[str | None, float] = field(default_factory=dict)


def asked(name: str) -> str | None:
    """What the address asks for, told once; None where it holds what we wrote, or nothing."""
    value = st.query_params.get(name)
    if value is None or not changed(name):
        return None
    st.session_state[_place(name)] = _Written(value)
    return value


def changed(name: str) -> bool:
    """Whether the address says something that we did not write: a link, or the way back."""
    value, written = st.query_params.get(name), _written(name)
    if value == written.value:
        return False
    return monotonic() - written.replaced.get(value, -STALE) >= STALE


def standing(name: str) -> str | None:
    """What the address says, or will say once the browser has heard of it."""
    return st.query_params.get(name) if changed(name) else _written(name).value


def write(name: str, value: str | None) -> None:
    """Makes the address hold a value, or nothing."""
    before, now = _written(name), monotonic()
    if value != before.value:
        lately = {each: at for each, at in before.replaced.items() if now - at < STALE and each != value}
        st.session_state[_place(name)] = _Written(value, {**lately, before.value: now})
    if value is None:
        if name in st.query_params:
            del st.query_params[name]
    elif st.query_params.get(name) != value:
        st.query_params[name] = value


def _written(name: str) -> _Written:
    written: _Written = st.session_state.get(_place(name), _Written())
    return written


def _place(name: str) -> str:
    return f"{name}_in_address"
