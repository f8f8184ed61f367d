"""The Configuration page in its order: what differs from the champion's, the form, the versions, the universes."""

from __future__ import annotations

from textwrap import shorten

import streamlit as st

from stockcast.config_versions import ConfigVersion
from stockcast.ui.config_form import edit_config
from stockcast.ui.config_history import show_history
from stockcast.ui.config_since import show_since
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.first_window import below
from stockcast.ui.format import MISSING, moment
from stockcast.ui.language import _
from stockcast.ui.shared import workspace
from stockcast.ui.universe_view import show_universes


def show_configuration(universe: str) -> None:
    """All of it for one universe."""
    ws = workspace()
    current = ws.configs.current(universe)
    histories = ws.prices.list()
    stored = [history.ticker for history in histories]
    st.caption(_in_force(current))
    st.subheader(_("What differs from the champion?"))
    with boundary():
        show_since(current, histories)
    st.subheader(_("Change it"))
    with boundary():
        edit_config(current, stored)
    below("configuration")
    st.subheader(_("What changed, and when"))
    with boundary():
        show_history([*ws.configs.history(universe), ws.configs.find(universe, 0)])
    st.subheader(_("Universes"))
    with boundary():
        show_universes(current, stored)


def _in_force(current: ConfigVersion) -> str:
    if current.created_at is None:
        return _(
            "The defaults of the universe {universe}. A change is kept as a version and used by the next training."
        ).format(universe=plain(current.universe))
    return _("Version {version} of the universe {universe}. Saved {when} by {author}: {note}").format(
        version=current.version,
        universe=plain(current.universe),
        when=moment(current.created_at),
        author=plain(current.author or MISSING),
        note=plain(shorten(current.note, 160, placeholder=" …") or MISSING),
    )
