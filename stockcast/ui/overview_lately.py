"""How well the champion did lately: the live record where there is enough of one, or else its backtest."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from stockcast.evaluation.scorecard import Scorecard
from stockcast.monitoring.record import LiveScores, TrackRecord
from stockcast.ui.champion_card import against_naive, skill_metrics
from stockcast.ui.figure_card import figure_card
from stockcast.ui.format import MISSING, count, figures, percent, signed_percent
from stockcast.ui.language import _
from stockcast.ui.router import BACKTEST, MONITOR
from stockcast.ui.track_words import chance


@dataclass(frozen=True)
class Lately:
    """How one ticker's forecasts did: shares of one, and of how many forecasts."""

    live: bool
    count: int
    held: float  # of the 80 % intervals
    skill: float

    @property
    def words(self) -> str:
        """With the count, and where the figures come from."""
        told = _("{share} of {count} held, skill {skill}").format(
            share=percent(self.held, 0), count=figures(f"{self.count:,}"), skill=signed_percent(self.skill)
        )
        return told if self.live else _("Backtest: {figures}").format(figures=told)


def lately(ticker: str, record: TrackRecord | None, card: Scorecard | None) -> Lately | None:
    """One ticker's own figures; None where it has not been judged yet."""
    live = next((part.scores for part in (record.tickers if record else ()) if part.name == ticker), None)
    if live is not None and live.enough:
        return Lately(True, live.count, live.coverage(0.8).share, live.skill)
    judged = next((each for each in (card.tickers if card else ()) if each.ticker == ticker), None)
    if judged is None or not judged.naive_crps:
        return None
    return Lately(False, judged.count, judged.coverage_80, 1 - judged.crps / judged.naive_crps)


def show_lately(record: TrackRecord | None, card: Scorecard | None) -> None:
    """The figures of the whole universe, each beside what it is held against, and where the evidence is."""
    live = record.scores if record else None
    if live is not None and live.enough:
        st.caption(
            _("What was said live, one session ahead: {forecasts} over the last {sessions}.").format(
                forecasts=count(live.count, "forecast", "forecasts"),
                sessions=count(live.sessions, "session", "sessions"),
            )
        )
        _live_metrics(live)
    elif card is not None:
        st.caption(_few(live))
        skill_metrics(card)
    else:
        st.caption(_("This model has not been judged yet."))
    with st.container(horizontal=True, gap="medium"):
        st.page_link(
            MONITOR, label=_("The whole live record"), icon=":material/monitor_heart:",
        )  # fmt: skip
        st.page_link(BACKTEST, label=_("The backtests"), icon=":material/fact_check:")


def _few(live: LiveScores | None) -> str:
    if live is None:
        return _(
            "No live forecast has come true yet. In its backtest, on sessions that it had not seen, one session "
            "ahead:"
        )
    return _(
        "Only {forecasts} came true so far, over {sessions}: too few to tell. In its backtest, one session ahead:"
    ).format(
        forecasts=count(live.count, "live forecast", "live forecasts"),
        sessions=count(live.sessions, "session", "sessions"),
    )


def _live_metrics(live: LiveScores) -> None:
    held = live.coverage(0.8)
    with st.grid(4, min_column_width=150, gap="medium"):
        against_naive(live.mape, live.naive_mape, live.skill, live.p_value)
        figure_card(
            _("80 % interval held"),
            percent(held.share),
            chance(held),
            _(
                "Share of actual closes inside the 80 % interval; 80 % is right. Naive intervals held {naive}."
            ).format(naive=percent(held.naive_share)),
        )
        figure_card(
            _("Live forecasts judged"),
            figures(f"{live.count:,}"),
            _("since {date}").format(date=live.first_session),
            _(
                "Each ticker and session once, as it was first said, before the session had closed: {first} to "
                "{last}."
            ).format(first=live.first_session, last=live.last_session),
        )


def words_of(found: Lately | None) -> str:
    """For a table."""
    return found.words if found is not None else MISSING
