"""How old the prices behind a forecast are, in a calm voice."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from stockcast.ui.format import count
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
    st.page_link(DATA, label="Get current prices on the Data page", icon=":material/download:")


def _tell_sample(stale: Staleness) -> None:
    st.info(
        f"The bundled sample ends on {stale.last_session}, on purpose: it works without a network. Its forecasts "
        f"are for the session after that, so read them as a demonstration, not as news.",
        title="You are looking at sample prices",
        icon=":material/history_edu:",
    )


def _tell_others(late: Sequence[Staleness]) -> None:
    worst = max(late, key=lambda stale: stale.sessions_behind)
    if len(late) == 1:
        body = worst.sentence
    else:
        body = (
            f"{count(len(late), 'ticker', 'tickers')} end before the last completed session, the oldest on "
            f"{worst.last_session}, {count(worst.sessions_behind, 'session', 'sessions')} ago. Each forecast is for the "
            "session after its own last close."
        )
    show = st.info if worst.sessions_behind <= _NOTICEABLE else st.warning
    show(body, title="Prices are not up to date", icon=":material/schedule:")
