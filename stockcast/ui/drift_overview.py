"""What needs attention on the Overview: doubtful inputs by ticker, and alerts of the track record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from stockcast.monitoring.acknowledgements import Acknowledgement
from stockcast.monitoring.findings import DriftReport, Finding
from stockcast.ui.drift_acknowledge import acknowledged_words
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.format import count
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
    """Alerts first, then inputs that look wrong or unusual; what is only good to know stays folded."""
    alert_notice(universe)
    told = list(found)
    for severity, show, heading, icon in (
        ("red", st.error, "Check your data: the prices of {} look wrong", ":material/gpp_bad:"),
        ("amber", st.warning, "The prices of {} look unusual", ":material/warning:"),
    ):
        _inputs([each for each in told if each.shown.severity == severity], show, heading, icon)
    _folded(told)


def alert_notice(universe: str) -> None:
    """A line about open alerts, with the way to them; nothing when there are none."""
    alerts = workspace().alerts.list(universe, ("open",))
    if not alerts:
        return
    st.warning(
        bullets(alert.sentence for alert in alerts[:_MOST])
        + (f"\n- and {count(len(alerts) - _MOST, 'more alert', 'more alerts')}" if len(alerts) > _MOST else ""),
        title=f"The live record needs attention: {count(len(alerts), 'open alert', 'open alerts')}",
        icon=":material/notifications_active:",
    )
    st.page_link(MONITOR, label="See the alerts on the Monitor page", icon=":material/arrow_forward:")


def _inputs(found: Sequence[TickerDrift], show: Callable[..., DeltaGenerator], heading: str, icon: str) -> None:
    if not found:
        return
    names = plain(found[0].ticker) if len(found) == 1 else count(len(found), "ticker", "tickers")
    lines = [f"{each.ticker}: {_gravest(each.shown).sentence}" for each in found[:_MOST]]
    more = f"\n- and {count(len(found) - _MOST, 'more ticker', 'more tickers')}" if len(found) > _MOST else ""
    show(
        plain(lines[0]) if len(found) == 1 else bullets(lines) + more,
        title=heading.format(names),
        icon=icon,
    )
    with st.container(horizontal=True, gap="medium"):
        for each in found[:_MOST]:
            st.page_link(
                FORECAST, label=f"See {plain(each.ticker)} and what to do", icon=":material/arrow_forward:",
                query_params={TICKER: each.ticker},
            )  # fmt: skip


def _folded(found: Sequence[TickerDrift]) -> None:
    notes = [each for each in found if each.shown.severity == "info"]
    seen = [(each.ticker, *pair) for each in found for pair in each.acknowledged]
    if notes:
        with st.expander(f"Good to know about {count(len(notes), 'ticker', 'tickers')}", icon=":material/info:"):
            st.markdown(bullets(f"{each.ticker}: {_gravest(each.shown).sentence}" for each in notes))
    if seen:
        with st.expander(f"Seen before: {count(len(seen), 'finding', 'findings')}", icon=":material/visibility:"):
            for ticker, finding, word in seen:
                st.markdown(
                    f"{plain(ticker)}: {plain(finding.sentence)}  \n:material/edit_note: {plain(word.note)}"
                )
                st.caption(acknowledged_words(word))


def _gravest(report: DriftReport) -> Finding:
    return next(finding for finding in report.findings if finding.severity == report.severity)
