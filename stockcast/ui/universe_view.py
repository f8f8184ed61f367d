"""Universes: which there are, and how to create and rename one."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from stockcast.config import DEFAULT_UNIVERSE
from stockcast.config_versions import ConfigVersion
from stockcast.jobs.schedule import plan
from stockcast.ui.access import acting, author, may_act
from stockcast.ui.config_draft import drop
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.format import MISSING, moment
from stockcast.ui.language import _
from stockcast.ui.registry_reads import forget
from stockcast.ui.selection import select_universe
from stockcast.ui.shared import workspace
from stockcast.ui.universe_schedule import clocks, zone_label


def show_universes(current: ConfigVersion, stored: Sequence[str]) -> None:
    """The list, the calendar of the chosen one, and the ways to another name or another universe."""
    _list(stored)
    with st.expander(_("Create a universe"), icon=":material/add:"):
        _create(current, stored)
    with st.expander(_("Rename {universe}").format(universe=plain(current.universe)), icon=":material/edit:"):
        _rename(current.universe)


def _list(stored: Sequence[str]) -> None:
    ws = workspace()
    rows = []
    for name in ws.universes():
        current = ws.configs.current(name)
        named = list(current.config.universe.tickers)
        planned = plan(name, current.config.schedule, current.created_at)
        exchanges = clocks(named or stored)
        rows.append(
            {
                _("Universe"): name,
                _("Tickers"): ", ".join(named) if named else _("all stored ({number})").format(number=len(stored)),
                _("Calendar"): ", ".join(f"{code} ({zone_label(zone)})" for code, zone in exchanges) or MISSING,
                _("Configuration"): current.version,
                _("Next by itself"): moment(planned.coming(ws.clock(), 1)[0]) if planned else _("never"),
            }
        )
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, height="content", key="universes",
        column_config={
            _("Calendar"): st.column_config.TextColumn(
                help=_("The exchanges of its tickers, as their suffixes tell: sessions, holidays, closing times.")
            ),
            _("Configuration"): st.column_config.NumberColumn(format="%d", help=_("The version in force.")),
        },
        alt=_("All universes with tickers, calendar and schedule"),
    )  # fmt: skip
    st.caption(
        _(
            "A universe is a list of tickers that share one model, with its own configuration, champion and track "
            "record. Tickers and schedule of the chosen one are fields of the form above."
        )
    )


def _create(current: ConfigVersion, stored: Sequence[str]) -> None:
    with st.form("create_universe", border=False):
        name = st.text_input(
            _("Name"), key="new_universe", max_chars=40, placeholder="banks",
            help=_("Letters, digits, '-', '_' and '.'. Programs ask for it by this name."),
        )  # fmt: skip
        tickers = st.multiselect(
            _("Tickers"), sorted(stored), key="new_universe_tickers", accept_new_options=True,
            placeholder=_("Every stored ticker; choose some, or type one"),
            help=_("Stored ones, or others that you download later, as Yahoo writes them: CMIG4.SA."),
        )  # fmt: skip
        copied = st.checkbox(
            _("With the configuration of {universe}").format(universe=current.universe), key="new_universe_copy",
            help=_("Otherwise with the defaults."),
        )  # fmt: skip
        go = st.form_submit_button(
            _("Create it"), type="primary", icon=":material/add:", key="create_universe_go", disabled=not may_act()
        )
    if go:
        with boundary():
            base = current.config if copied else None
            made = acting().universe_desk.create(name, tickers, based_on=base, author=author())
            _enter(made.universe, _("{universe} is created.").format(universe=plain(made.universe)))


def _rename(universe: str) -> None:
    if universe == DEFAULT_UNIVERSE:
        st.caption(_("The default universe is always there and keeps its name. Create another one instead."))
        return
    st.markdown(
        _(
            "Everything follows: the model with its versions, its runs, jobs, configurations, journal and alerts. "
            "Programs that ask for **{universe}** must ask for the new name from then on."
        ).format(universe=plain(universe))
    )
    with st.form("rename_universe", border=False):
        name = st.text_input(_("New name"), key="renamed_universe", max_chars=40, placeholder=universe)
        go = st.form_submit_button(
            _("Rename it"), icon=":material/edit:", key="rename_universe_go", disabled=not may_act()
        )
    if go:
        with boundary():
            with st.spinner(_("Renaming …")):
                acting().universe_desk.rename(universe, name)
            drop(universe)
            forget()
            _enter(
                name.strip(),
                _("{universe} is now called {name}.").format(universe=plain(universe), name=plain(name)),
            )


def _enter(universe: str, told: str) -> None:
    select_universe(universe)
    st.toast(told, icon=":material/check:")
    st.rerun()
