"""A whole answer on a page: the figures first, then the picture, then the evidence."""

from __future__ import annotations

import streamlit as st

from stockcast.monitoring.acknowledgements import Sifted
from stockcast.ui.champion_card import badges, note
from stockcast.ui.chart_style import TOOL_BAR
from stockcast.ui.drift_banner import drift_banner
from stockcast.ui.drift_words import marked_positions
from stockcast.ui.escaping import plain
from stockcast.ui.fan_chart import fan_chart
from stockcast.ui.figure_card import figure_card
from stockcast.ui.forecast_table import SHARES, csv_bytes, shown_table
from stockcast.ui.format import interval, money, percent, price, session, signed_percent
from stockcast.ui.freshness import freshness_note
from stockcast.ui.scorecard_table import skill_sentence
from stockcast.ui.shared import workspace
from stockcast.workflows.forecast import Answer


def show_answer(answer: Answer, universe: str, key: str, source: str | None = None) -> None:
    """Metrics, who speaks, drift, fan chart, table and download.

    `key` keeps several answers on one page apart; `source` says where stored prices came from, None for an upload.
    """
    told = _told(answer, universe, stored=source is not None)
    if told.shown.warning:  # no figure before a person knows that it rests on doubtful prices
        drift_banner(told, answer, universe, key, stored=source is not None)
    _figures(answer)
    _speaker(answer)
    if source is not None:
        freshness_note([answer], [source])
    if not told.shown.warning:
        drift_banner(told, answer, universe, key, stored=source is not None)
    st.plotly_chart(
        fan_chart(answer, marked_positions(answer.drift)),
        width="stretch",
        key=f"{key}_fan",
        config=TOOL_BAR,
        alt="Fan chart of the coming sessions",
    )
    st.table(shown_table(answer), border="horizontal", hide_index=True)
    name = (answer.forecast.context.ticker or "window").replace("^", "").replace("=", "-")
    st.download_button(
        "Download as CSV",
        csv_bytes(answer),
        file_name=f"forecast-{name}-{answer.forecast.context.cutoff or 'undated'}.csv",
        mime="text/csv",
        icon=":material/download:",
        key=f"{key}_csv",
        on_click="ignore",
    )


def _told(answer: Answer, universe: str, *, stored: bool) -> Sifted:
    """What a person said about a ticker was said about its stored history, not about an uploaded window."""
    if not stored:
        return Sifted(answer.drift, ())
    context = answer.forecast.context
    return workspace().alerts.sift(answer.drift, universe, context.ticker, context.cutoff)


def _figures(answer: Answer) -> None:
    forecast, context, last = answer.forecast, answer.forecast.context, answer.forecast.context.last_close
    with st.grid(4, min_column_width=150, gap="medium"):
        figure_card(
            f"Median, {session(forecast.session(1), 1)}",
            money(forecast.median[0], context.currency),
            signed_percent(forecast.median[0] / last - 1),
            "Half of the probability lies above it, half below.",
            about="on the last close",
        )
        for share in SHARES:
            low, high = forecast.interval(share)
            figure_card(
                f"{percent(share, 0)} interval",
                interval(low[0], high[0]),
                f"{signed_percent(low[0] / last - 1, 1)} to {signed_percent(high[0] / last - 1, 1)}",
                f"The close lies inside with {percent(share, 0)} probability.",
            )
        low, high = answer.naive.interval(0.8)
        figure_card(
            "Naive: no change",
            money(answer.naive.median[0], context.currency),
            f"{percent(0.8, 0)}: {interval(low[0], high[0])}",
            "The forecast that every model has to beat: tomorrow's close is today's.",
        )


def _speaker(answer: Answer) -> None:
    version, context = answer.speaker.version, answer.forecast.context
    seen = min(len(context.closes), answer.speaker.forecaster.history)
    what = "sessions" if context.bars is not None and answer.speaker.forecaster.groups else "closes"
    market = " and its market" if context.market is not None else ""
    read = f"{seen} {what}{market}" + (f" up to {context.cutoff}" if context.cutoff else "")
    st.markdown(
        f"{badges(version)} **{plain(version.label)}** read {read}, the last one {price(context.last_close)}."
        + (f" {skill_sentence(answer.speaker.scorecard)}" if answer.speaker.scorecard else "")
    )
    note(version)
