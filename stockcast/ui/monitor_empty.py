"""The Monitor page before anything counts: why it is empty, since when something waits, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from stockcast.monitoring.open_forecasts import OpenForecast
from stockcast.monitoring.record import TrackRecord
from stockcast.prices.sessions import last_completed_session
from stockcast.prices.store import StoredHistory
from stockcast.ui.domain_words import told
from stockcast.ui.escaping import plain
from stockcast.ui.format import figures
from stockcast.ui.freshness import SAMPLE
from stockcast.ui.language import _, ngettext
from stockcast.ui.router import BACKTEST, CONFIGURATION, DATA, OVERVIEW
from stockcast.ui.shared import workspace


def show_nothing_yet(
    record: TrackRecord, waiting: Sequence[OpenForecast], histories: Sequence[StoredHistory]
) -> None:
    """One box and the ways out."""
    st.info(
        " ".join(filter(None, (_explained(waiting, histories), plain(told(record.left_out.sentence))))),
        title=_title(waiting),
        icon=":material/hourglass_top:",
    )
    with st.container(horizontal=True, gap="medium"):
        if any(each.state != "awaited" for each in waiting) or not (waiting or current(histories)):
            st.page_link(DATA, label=_("Get current prices"), icon=":material/download:")
        elif not waiting:
            st.page_link(OVERVIEW, label=_("Make the first forecasts"), icon=":material/insights:")
        st.page_link(CONFIGURATION, label=_("Let a schedule do it"), icon=":material/schedule:")
        st.page_link(BACKTEST, label=_("Meanwhile, look at a backtest"), icon=":material/fact_check:")


def current(histories: Sequence[StoredHistory]) -> bool:
    """Whether a history reaches the last completed session: what is said of another one is said too late."""
    now = workspace().clock()
    return any(each.last_session >= last_completed_session(each.exchange, now) for each in histories)


def _title(waiting: Sequence[OpenForecast]) -> str:
    if not waiting:
        return _("No live forecast yet")
    waits = ngettext(
        "Nothing has come true yet: {count} forecast waits",
        "Nothing has come true yet: {count} forecasts wait",
        len(waiting),
    )
    return waits.format(count=figures(f"{len(waiting):,}"))


def _explained(waiting: Sequence[OpenForecast], histories: Sequence[StoredHistory]) -> str:
    counted = _(
        "Only what was said before it happened counts here: each forecast is kept when it is "
        "shown, and scored when the close that it spoke of is stored."
    )
    if all(each.source == SAMPLE for each in histories):
        return _(
            "{counted} The bundled sample has ended, so that nothing said about it now is said "
            "in time: bring your own tickers, and come back after their next close."
        ).format(counted=counted)
    if not waiting and not current(histories):
        return _(
            "{counted} The stored prices end too early for that: the sessions after them are over already."
        ).format(counted=counted)
    if not waiting:
        return _("{counted} Open the Overview once after a close, or let a schedule do it every evening.").format(
            counted=counted
        )
    awaited = [each for each in waiting if each.state == "awaited"]
    if awaited:
        first = min(awaited, key=lambda each: (each.session, each.ticker))
        due = f"{first.session} ({plain(first.ticker)})"
        return _(
            "{counted} The first one is due with the close of {due}: store that close, and come back."
        ).format(counted=counted, due=due)
    oldest = min(each.session for each in waiting)
    return _(
        "{counted} Sessions since {oldest} are over, but their closes are not stored yet: update the prices."
    ).format(counted=counted, oldest=oldest)
