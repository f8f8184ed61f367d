"""A figure in a card: what it is, its value, and what it is held against."""

from __future__ import annotations

import streamlit as st


def figure_card(
    label: str, value: str, note: str, explained: str | None = None, *, about: str | None = None
) -> None:
    """`note` stands in grey below the value, `about` behind it; `explained` opens at the question mark."""
    st.metric(
        label,
        value,
        note,
        delta_description=about,
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
        help=explained,
    )
