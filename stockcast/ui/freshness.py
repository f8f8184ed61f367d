"""How old the prices behind a forecast are, in a calm voice."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from stockcast.ui.domain_words import told
from stockcast.ui.format import count
from stockcast.ui.language import _
from stockcast.ui.router import DATA
from stockcast.workflows.forecast import Answer, Staleness

SAMPLE = "sample"
_NOTICEABLE = 1  # sessions behind: the last one may just not have been fetched yet


def freshness_note(answers: Sequence[Answer], sources: Sequence[str]) -> None:
    """One note about all shown forecasts whose prices lag behind their exchange; nothing when none does.

    `sources` names where the prices of each answer came from.
    """
    late = [(answer.stale, source) for answer, source in zip(answers, sources, strict=True) if answer.stale]
    if not late:
        return
    from_sample = [stale for stale, source in late if source == SAMPLE]
    others = [stale for stale, source in late if source != SAMPLE]
    if from_sample:
        _tell_sample(from_sample[0])
    if others:
        _tell_others(others)
    st.page_link(DATA, label=_("Get current prices on the Data page"), icon=":material/download:")


def _tell_sample(stale: Staleness) -> None:
    st.info(
        _(
            "The bundled sample ends on {date}, on purpose: it works without a network. Its forecasts are for the "
            "session after that, so read them as a demonstration, not as news."
        ).format(date=stale.last_session),
        title=_("You are looking at sample prices"),
        icon=":material/history_edu:",
    )


def _tell_others(late: Sequence[Staleness]) -> None:
    worst = max(late, key=lambda stale: stale.sessions_behind)
    if len(late) == 1:
        body = told(worst.sentence)
    else:
        body = _(
            "{tickers} end before the last completed session, the oldest on {date}, {sessions} ago. Each forecast "
            "is for the session after its own last close."
        ).format(
            tickers=count(len(late), "ticker", "tickers"),
            date=worst.last_session,
            sessions=count(worst.sessions_behind, "session", "sessions"),
        )
    show = st.info if worst.sessions_behind <= _NOTICEABLE else st.warning
    show(body, title=_("Prices are not up to date"), icon=":material/schedule:")
