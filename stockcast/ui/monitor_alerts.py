"""Alerts on the Monitor page: what rings and why, what was said about it, and what it has set off."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from stockcast.monitoring.alerts import RETRAINED, Alert
from stockcast.ui.access import acting
from stockcast.ui.column_titles import titled
from stockcast.ui.domain_words import told
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.format import count, glued, moment
from stockcast.ui.language import N_, _
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
    st.subheader(_("What rings?"))
    if not standing:
        st.caption(_("None stands. The rules look at skill, coverage and lasting drift after each night's work."))
    for alert in sorted(standing, key=lambda each: (each.state != "open", -each.id)):
        _alert(alert)
    if closed:
        with st.expander(
            _("Closed: {alerts}").format(alerts=count(len(closed), "alert", "alerts")), icon=":material/history:"
        ):
            table = closed_table(closed)
            st.dataframe(
                table,
                hide_index=True,
                key="alerts_closed",
                column_config=titled(table),
                alt=_("Closed alerts"),
            )


def _about(alerts: Sequence[Alert], ticker: str | None) -> list[Alert]:
    """Those of a ticker, and those of the whole universe, which are about it as well."""
    return [each for each in alerts if ticker is None or each.ticker in (None, ticker)]


def _alert(alert: Alert) -> None:
    with st.container(border=True):
        badge = (
            f":orange-badge[:material/notifications_active: {_('Open alert')}]"
            if alert.state == "open"
            else f":gray-badge[:material/visibility: {_('Acknowledged')}]"
        )
        st.markdown(
            f"{badge} "
            + _("**{subject}**, since {when}").format(
                subject=plain(told(alert.subject)), when=moment(alert.opened_at)
            )
        )
        st.markdown(glued(plain(told(alert.sentence))))
        if alert.note and alert.acknowledged_at:
            st.caption(
                _(":material/edit_note: {note} (noted {acknowledged_at})").format(
                    note=plain(alert.note), acknowledged_at=moment(alert.acknowledged_at)
                )
            )
        if alert.notify_error:
            st.caption(
                _(":material/mail_off: A message was not sent: {notify_error}").format(
                    notify_error=plain(told(alert.notify_error))
                )
            )
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            _ways(alert)
            _acknowledge(alert)


def _ways(alert: Alert) -> None:
    if alert.job_id is not None:
        st.page_link(
            TRAIN,
            label=_("The training that it asked for"),
            icon=":material/model_training:",
            query_params={JOB: alert.job_id},
        )
    elif alert.rule in RETRAINED:
        st.page_link(TRAIN, label=_("Retrain the model"), icon=":material/model_training:")
    elif alert.ticker is not None:
        st.page_link(
            FORECAST,
            label=_("See what is wrong with {ticker}").format(ticker=plain(alert.ticker)),
            icon=":material/arrow_forward:",
            query_params={TICKER: alert.ticker},
        )


def _acknowledge(alert: Alert) -> None:
    label = _("I have seen this") if alert.state == "open" else _("Add a note")
    with (
        st.popover(label, icon=":material/edit_note:"),
        st.form(f"alert_{alert.id}", border=False, clear_on_submit=True),
    ):
        note = st.text_area(
            _("What did you find, or what is to be done?"), key=f"alert_{alert.id}_note", max_chars=500, height=90
        )
        asked = st.form_submit_button(_("Keep this note"), icon=":material/check:", key=f"alert_{alert.id}_keep")
    if asked:
        with boundary():
            acting().alerts.acknowledge(alert.id, note)
            st.rerun()


def closed_table(closed: Sequence[Alert]) -> pd.DataFrame:
    """One row an alert."""
    return pd.DataFrame(
        [
            {
                N_("About"): told(alert.subject),
                N_("Opened"): alert.opened_at.date(),
                N_("Closed"): alert.closed_at.date() if alert.closed_at else None,
                N_("What it said"): told(alert.sentence),
                N_("Note"): alert.note or "",
            }
            for alert in closed
        ]
    )
