"""What the next training would do otherwise than the champion's did."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from stockcast.config import Config
from stockcast.config_versions import ConfigVersion
from stockcast.evaluation.split import least_sessions
from stockcast.prices.store import StoredHistory
from stockcast.ui.champion_card import badges
from stockcast.ui.config_changes import show_changes
from stockcast.ui.escaping import plain
from stockcast.ui.format import count
from stockcast.ui.language import _
from stockcast.ui.router import DATA, TRAIN
from stockcast.ui.shared import champion, workspace
from stockcast.workflows.compare_configs import Change, Since

_MOST_NAMES = 8


def show_since(current: ConfigVersion, histories: Sequence[StoredHistory]) -> None:
    """The fields that differ, with the champion's value and the next one. `histories`: all that are stored."""
    if not histories:
        st.caption(_("Nobody speaks yet: the first prices come first."))
        st.page_link(DATA, label=_("Get prices"), icon=":material/download:", width="content")
        return
    speaks = champion(current.universe)
    since = _since(str(workspace().settings.home), speaks.run_id, current)
    changes = [*_learnt_from(since, current.config, histories), *since.changes]
    name = f"{badges(speaks)} **{plain(speaks.label)}**"
    if changes:
        st.markdown(
            _("{champion} speaks. The next training differs in **{fields}**:").format(
                champion=name, fields=count(len(changes), "field", "fields")
            )
        )
        show_changes(changes, before=speaks.label, after=_("Next training"))
    else:
        st.markdown(
            _("{champion} speaks. The next training would use the same configuration.").format(champion=name)
        )
    if not since.has_network:
        st.caption(
            _(
                "{champion} is a baseline: it has no network, so the fields of network and training have nothing "
                "to be compared with."
            ).format(champion=plain(speaks.label))
        )
    st.page_link(TRAIN, label=_("Train it now"), icon=":material/model_training:", width="content")


def _learnt_from(since: Since, following: Config, histories: Sequence[StoredHistory]) -> list[Change]:
    """The tickers themselves, as `every stored one` is another set than it was; too short ones are left out."""
    learnt, named = since.version.tickers, following.universe.tickers
    least = least_sessions(following)
    tickers = [
        each.ticker for each in histories if each.sessions >= least and each.ticker in (named or [each.ticker])
    ]
    told = any(change.field == "universe.tickers" for change in since.changes)
    if told or not learnt or set(learnt) == set(tickers):
        return []
    return [Change("universe.tickers", _names(learnt), _names(tickers))]


def _names(tickers: Sequence[str]) -> str:
    shown = ", ".join(sorted(tickers)[:_MOST_NAMES])
    return shown if len(tickers) <= _MOST_NAMES else f"{shown} …"


@st.cache_resource(max_entries=50, show_spinner=False)
def _since(home: str, run_id: str, current: ConfigVersion) -> Since:
    ws = workspace()
    return ws.universe_desk.since(ws.champion(current.universe), current.config)
