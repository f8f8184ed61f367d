"""Who speaks, since when, why, and how well it did on sessions that it had not seen."""

from __future__ import annotations

import streamlit as st

from stockcast.evaluation.scorecard import Scorecard
from stockcast.evaluation.significance import p_text
from stockcast.registry.versions import CHALLENGER, CHAMPION, ModelVersion
from stockcast.ui.chart_style import CHALLENGER_BADGE, CHAMPION_BADGE
from stockcast.ui.domain_words import told
from stockcast.ui.escaping import bullets, plain
from stockcast.ui.figure_card import figure_card
from stockcast.ui.format import figures, moment, percent, signed_percent
from stockcast.ui.language import _


def champion_line(version: ModelVersion) -> None:
    """One line: the version that speaks, with its badge."""
    if version.trained_until:
        said = _("{badges} **{version}** speaks, registered {moment}, trained on sessions up to {trained_until}.")
    else:
        said = _("{badges} **{version}** speaks, registered {moment}.")
    st.markdown(
        said.format(
            badges=badges(version),
            version=plain(version.label),
            moment=moment(version.created_at),
            trained_until=version.trained_until,
        )
    )
    note(version)


def note(version: ModelVersion) -> None:
    """What a person said who overruled the gate: it stays visible wherever that version speaks."""
    if version.note:
        st.caption(_(":material/person: A person decided this: {note}").format(note=plain(version.note)))


def badges(version: ModelVersion) -> str:
    """Markdown badges in the colours that the champion and the challenger have in every chart."""
    found = []
    if CHAMPION in version.aliases:
        found.append(f":{CHAMPION_BADGE}-badge[:material/campaign: {_('Champion')}]")
    if CHALLENGER in version.aliases:
        found.append(f":{CHALLENGER_BADGE}-badge[:material/front_hand: {_('Challenger')}]")
    return " ".join(found)


def reasons(version: ModelVersion) -> None:
    """Why the gate decided as it did."""
    st.markdown(bullets(told(reason) for reason in version.reasons))


def skill_metrics(card: Scorecard) -> None:
    """The four figures that say whether to trust it, each beside what it is held against."""
    with st.grid(4, min_column_width=150, gap="medium"):
        against_naive(card.mape, card.naive_mape, card.skill, card.dm_p_value)
        figure_card(
            _("80 % interval held"),
            percent(card.coverage_80),
            _("naive {value}").format(value=percent(card.naive_coverage_80)),
            _("Share of actual closes inside the 80 % interval; 80 % is right."),
        )
        figure_card(
            _("Forecasts judged"),
            figures(f"{card.count:,}"),
            _("since {date}").format(date=card.first_session),
            _("One session ahead, on sessions that the model had not seen: {first} to {last}.").format(
                first=card.first_session, last=card.last_session
            ),
        )


def against_naive(mape: float, naive_mape: float, skill: float, p_value: float) -> None:
    """The cards of both measures, each beside what it is held against; MAPE in percent."""
    figure_card(
        _("MAPE"),
        percent(mape / 100, 3),
        _("naive {value}").format(value=percent(naive_mape / 100, 3)),
        _("Mean absolute error of the median in percent. On closes the naive forecast is nearly optimal."),
    )
    figure_card(
        _("Skill against naive"),
        signed_percent(skill),
        figures(p_text(p_value)),
        _(
            "1 - CRPS / naive CRPS: how much better the whole distribution is. The p-value (Diebold-Mariano) "
            "says how easily chance alone would do that."
        ),
    )
