"""Alerts on the Monitor page: what rings and why, what was said about it, and what it has set off."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from stockcast.monitoring.alerts import RETRAINED, Alert
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.format import count, glued, moment
from stockcast.ui.router import FORECAST, TRAIN
from stockcast.ui.selection import TICKER
from stockcast.ui.shared import workspace
from stockcast.ui.training_watch import JOB

_MOST_CLOSED = 20


def show_alerts(universe: str, ticker: str | None, *, quiet: bool) -> None:
    """Standing alerts with what can be done, then the closed ones; `quiet`: nothing where there is none."""
    standing = _about(workspace().alerts.list(universe), ticker)
    closed = _about(workspace().alerts.list(universe, ("closed",)), ticker)[:_MOST_CLOSED]
    if quiet and not standing and not closed:
        return
    st.subheader("What rings?")
    if not standing:
        st.caption("None stands. The rules look at skill, coverage and lasting drift after each night's work.")
    for alert in sorted(standing, key=lambda each: (each.state != "open", -each.id)):
        _alert(alert)
    if closed:
        with st.expander(f"Closed: {count(len(closed), 'alert', 'alerts')}", icon=":material/history:"):
            st.dataframe(closed_table(closed), hide_index=True, key="alerts_closed", alt="Closed alerts")


def _about(alerts: Sequence[Alert], ticker: str | None) -> list[Alert]:
    """Those of a ticker, and those of the whole universe, which are about it as well."""
    return [each for each in alerts if ticker is None or each.ticker in (None, ticker)]


def _alert(alert: Alert) -> None:
    with st.container(border=True):
        badge = (
            ":orange-badge[:material/notifications_active: Open]"
            if alert.state == "open"
            else ":gray-badge[:material/visibility: Acknowledged]"
        )
        st.markdown(f"{badge} **{plain(alert.subject)}**, since {moment(alert.opened_at)}")
        st.markdown(glued(plain(alert.sentence)))
        if alert.note and alert.acknowledged_at:
            st.caption(f":material/edit_note: {plain(alert.note)} (noted {moment(alert.acknowledged_at)})")
        if alert.notify_error:
            st.caption(f":material/mail_off: A message was not sent: {plain(alert.notify_error)}")
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            _ways(alert)
            _acknowledge(alert)


def _ways(alert: Alert) -> None:
    if alert.job_id is not None:
        st.page_link(
            TRAIN, label="The training that it asked for", icon=":material/model_training:",
            query_params={JOB: alert.job_id},
        )  # fmt: skip
    elif alert.rule in RETRAINED:
        st.page_link(TRAIN, label="Retrain the model", icon=":material/model_training:")
    elif alert.ticker is not None:
        st.page_link(
            FORECAST, label=f"See what is wrong with {plain(alert.ticker)}", icon=":material/arrow_forward:",
            query_params={TICKER: alert.ticker},
        )  # fmt: skip


def _acknowledge(alert: Alert) -> None:
    label = "I have seen this" if alert.state == "open" else "Add a note"
    with (
        st.popover(label, icon=":material/edit_note:"),
        st.form(f"alert_{alert.id}", border=False, clear_on_submit=True),
    ):
        note = st.text_area(
            "What did you find, or what is to be done?", key=f"alert_{alert.id}_note", max_chars=500, height=90
        )
        asked = st.form_submit_button("Keep this note", icon=":material/check:", key=f"alert_{alert.id}_keep")
    if asked:
        with boundary():
            workspace().alerts.acknowledge(alert.id, note)
            st.rerun()


def closed_table(closed: Sequence[Alert]) -> pd.DataFrame:
    """One row an alert."""
    return pd.DataFrame(
        [
            {
                "About": alert.subject,
                "Opened": alert.opened_at.date(),
                "Closed": alert.closed_at.date() if alert.closed_at else None,
                "What it said": alert.sentence,
                "Note": alert.note or "",
            }
            for alert in closed
        ]
    )
