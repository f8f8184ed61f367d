"""What needs attention on the Overview: doubtful inputs by ticker, and alerts of the track record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import streamlit as st

from stockcast.monitoring.acknowledgements import Acknowledgement
from stockcast.monitoring.findings import DriftReport, Finding
from stockcast.ui.domain_words import told
from stockcast.ui.drift_acknowledge import acknowledged_words
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.format import count
from stockcast.ui.language import _
from stockcast.ui.router import FORECAST, MONITOR
from stockcast.ui.selection import TICKER
from stockcast.ui.shared import workspace

_MOST = 5  # tickers that are told one by one


@dataclass(frozen=True)
class TickerDrift:
    """What was found of one ticker's stored history, and what was acknowledged of it."""

    ticker: str
    shown: DriftReport
    acknowledged: tuple[tuple[Finding, Acknowledgement], ...] = ()


def attention(universe: str, found: Iterable[TickerDrift]) -> None:
    """Alerts first, then inputs that look wrong or unusual."""
    alert_notice(universe)
    reports = list(found)
    red, amber = ([each for each in reports if each.shown.severity == severity] for severity in ("red", "amber"))
    if red:
        heading = _("Check your data: the prices of {tickers} look wrong").format(tickers=_names(red))
        st.error(_worst(red), title=heading, icon=":material/gpp_bad:")
        _ways(red)
    if amber:
        heading = _("The prices of {tickers} look unusual").format(tickers=_names(amber))
        st.warning(_worst(amber), title=heading, icon=":material/warning:")
        _ways(amber)


def alert_notice(universe: str) -> None:
    """A line about open alerts, with the way to them; nothing when there are none."""
    alerts = workspace().alerts.list(universe, ("open",))
    if not alerts:
        return
    st.warning(
        bullets(told(alert.sentence) for alert in alerts[:_MOST])
        + _more(count(len(alerts) - _MOST, "more alert", "more alerts") if len(alerts) > _MOST else ""),
        title=_("The live record needs attention: {alerts}").format(
            alerts=count(len(alerts), "open alert", "open alerts")
        ),
        icon=":material/notifications_active:",
    )
    st.page_link(MONITOR, label=_("See the alerts on the Monitor page"), icon=":material/arrow_forward:")


def _names(found: Sequence[TickerDrift]) -> str:
    return plain(found[0].ticker) if len(found) == 1 else count(len(found), "ticker", "tickers")


def _worst(found: Sequence[TickerDrift]) -> str:
    lines = [f"{each.ticker}: {told(_gravest(each.shown).sentence)}" for each in found[:_MOST]]
    if len(lines) == 1:
        return plain(lines[0])
    beyond = len(found) - _MOST
    return bullets(lines) + _more(count(beyond, "more ticker", "more tickers") if beyond > 0 else "")


def _more(what: str) -> str:
    return "\n- " + _("and {what}").format(what=what) if what else ""


def _ways(found: Sequence[TickerDrift]) -> None:
    with st.container(horizontal=True, gap="medium"):
        for each in found[:_MOST]:
            st.page_link(
                FORECAST,
                label=_("See {ticker} and what to do").format(ticker=plain(each.ticker)),
                icon=":material/arrow_forward:",
                query_params={TICKER: each.ticker},
            )


def attention_notes(found: Sequence[TickerDrift]) -> None:
    """What is only good to know, and what was seen before: folded, below the answer."""
    notes = [each for each in found if each.shown.severity == "info"]
    seen = [(each.ticker, *pair) for each in found for pair in each.acknowledged]
    if notes:
        heading = _("Good to know about {tickers}").format(tickers=_names(notes))
        with st.expander(heading, icon=":material/info:"):
            st.markdown(bullets(f"{each.ticker}: {told(_gravest(each.shown).sentence)}" for each in notes))
    if seen:
        heading = _("Seen before: {findings}").format(findings=count(len(seen), "finding", "findings"))
        with st.expander(heading, icon=":material/visibility:"):
            for ticker, finding, word in seen:
                st.markdown(
                    f"{plain(ticker)}: {plain(told(finding.sentence))}  \n:material/edit_note: {plain(word.note)}"
                )
                st.caption(acknowledged_words(word))


def _gravest(report: DriftReport) -> Finding:
    return next(finding for finding in report.findings if finding.severity == report.severity)
