"""Who speaks, since when, why, and how well it did on sessions that it had not seen."""

from __future__ import annotations

import streamlit as st

from stockcast.evaluation.scorecard import Scorecard
from stockcast.evaluation.significance import p_text
from stockcast.registry.versions import CHALLENGER, CHAMPION, ModelVersion
from stockcast.ui.chart_style import CHALLENGER_BADGE, CHAMPION_BADGE
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.figure_card import figure_card
from stockcast.ui.format import moment, percent, signed_percent


def champion_line(version: ModelVersion) -> None:
    """One line: the version that speaks, with its badge."""
    trained = f", trained on sessions up to {version.trained_until}" if version.trained_until else ""
    st.markdown(
        f"{badges(version)} **{plain(version.label)}** speaks, registered {moment(version.created_at)}{trained}."
    )
    note(version)


def note(version: ModelVersion) -> None:
    """What a person said who overruled the gate: it stays visible wherever that version speaks."""
    if version.note:
        st.caption(f":material/person: A person decided this: {plain(version.note)}")


def badges(version: ModelVersion) -> str:
    """Markdown badges in the colours that the champion and the challenger have in every chart."""
    found = []
    if CHAMPION in version.aliases:
        found.append(f":{CHAMPION_BADGE}-badge[:material/campaign: Champion]")
    if CHALLENGER in version.aliases:
        found.append(f":{CHALLENGER_BADGE}-badge[:material/front_hand: Challenger]")
    return " ".join(found)


def reasons(version: ModelVersion) -> None:
    """Why the gate decided as it did."""
    st.markdown(bullets(version.reasons))


def skill_metrics(card: Scorecard) -> None:
    """The four figures that say whether to trust it, each beside what it is held against."""
    with st.grid(4, min_column_width=150, gap="medium"):
        figure_card(
            "MAPE",
            percent(card.mape / 100, 3),
            f"naive {percent(card.naive_mape / 100, 3)}",
            "Mean absolute error of the median in percent. On closes the naive forecast is nearly optimal.",
        )
        figure_card(
            "Skill against naive",
            signed_percent(card.skill),
            p_text(card.dm_p_value),
            "1 - CRPS / naive CRPS: how much better the whole distribution is. The p-value (Diebold-Mariano) says "
            "how easily chance alone would do that.",
        )
        figure_card(
            "80 % interval held",
            percent(card.coverage_80),
            f"naive {percent(card.naive_coverage_80)}",
            "Share of actual closes inside the 80 % interval; 80 % is right.",
        )
        figure_card(
            "Forecasts judged",
            f"{card.count:,}",
            f"{card.first_session} to {card.last_session}",
            "One session ahead, on sessions that the model had not seen.",
        )
