"""Who speaks, since when, why, and how well it did on sessions that it had not seen."""

from __future__ import annotations

import streamlit as st

from stockcast.evaluation.scorecard import Scorecard
from stockcast.registry.versions import CHALLENGER, CHAMPION, ModelVersion
from stockcast.ui.chart_style import CHALLENGER_BADGE, CHAMPION_BADGE
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.format import count, moment, p_value, percent, signed_percent


def champion_line(version: ModelVersion) -> None:
    """One line: the version that speaks, with its badge."""
    trained = f", trained on sessions up to {version.trained_until}" if version.trained_until else ""
    st.markdown(
        f"{badges(version)} **{plain(version.label)}** speaks, registered {moment(version.created_at)}{trained}."
    )


def badges(version: ModelVersion) -> str:
    """Markdown badges in the colours that the champion and the challenger have in every chart."""
    found = []
    if CHAMPION in version.aliases:
        found.append(f":{CHAMPION_BADGE}-badge[:material/campaign: Champion]")
    if CHALLENGER in version.aliases:
        found.append(f":{CHALLENGER_BADGE}-badge[:material/front_hand: Challenger]")
    return " ".join(found)


def reasons(version: ModelVersion) -> None:
    """Why the gate decided as it did, and what a person has noted."""
    if version.note:
        st.info(plain(version.note), title="A person decided this", icon=":material/person:")
    st.markdown(bullets(version.reasons))


def skill_metrics(card: Scorecard) -> None:
    """The four figures that say whether to trust it, each beside what it is held against."""
    with st.grid(4, min_column_width=150, gap="medium"):
        st.metric(
            "MAPE",
            f"{card.mape:.3f} %",
            f"naive {card.naive_mape:.3f} %",
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help="Mean absolute error of the median in percent. On closes the naive forecast is nearly optimal.",
        )
        st.metric(
            "Skill against naive",
            signed_percent(card.skill),
            p_value(card.dm_p_value),
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help="1 - CRPS / naive CRPS: how much better the whole distribution is. The p-value (Diebold-Mariano) "
            "says how easily chance alone would do that.",
        )
        st.metric(
            "80 % interval held",
            percent(card.coverage_80),
            "80 % is right",
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help="Share of actual closes inside the 80 % interval.",
        )
        st.metric(
            "Judged on",
            count(card.count, "forecast"),
            f"{card.first_session} to {card.last_session}",
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help="One session ahead, on sessions that the model had not seen.",
        )
