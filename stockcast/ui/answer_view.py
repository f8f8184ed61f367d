"""A whole answer on a page: the figures first, then the picture, then the evidence."""

from __future__ import annotations

import streamlit as st

from stockcast.ui.champion_card import badges
from stockcast.ui.chart_style import CONFIG
from stockcast.ui.drift_banner import drift_banner
from stockcast.ui.escaping import plain
from stockcast.ui.fan_chart import fan_chart
from stockcast.ui.forecast_table import csv_bytes, shown_table
from stockcast.ui.format import interval, money, price, session
from stockcast.ui.freshness import freshness_note
from stockcast.ui.scorecard_table import skill_sentence
from stockcast.workflows.forecast import Answer


def show_answer(answer: Answer, key: str, source: str | None = None) -> None:
    """Metrics, who speaks, drift, fan chart, table and download.

    `key` keeps several answers on one page apart; `source` says where stored prices came from.
    """
    _figures(answer)
    _speaker(answer)
    if source is not None:
        freshness_note([answer], [source])
    drift_banner(answer.drift)
    st.plotly_chart(
        fan_chart(answer), width="stretch", key=f"{key}_fan", config=CONFIG, alt="Fan chart of the coming sessions"
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


def _figures(answer: Answer) -> None:
    forecast, context = answer.forecast, answer.forecast.context
    low80, high80 = forecast.interval(0.80)
    low95, high95 = forecast.interval(0.95)
    with st.grid(4, min_column_width=150, gap="medium"):
        st.metric(
            f"Median, {session(forecast.session(1), 1)}",
            money(forecast.median[0], context.currency),
            f"{forecast.median[0] / context.last_close - 1:+.2%}".replace("%", " %"),
            delta_description="on the last close",
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help="Half of the probability lies above it, half below.",
        )
        for share, low, high in ((80, low80, high80), (95, low95, high95)):
            st.metric(
                f"{share} % interval",
                interval(low[0], high[0]),
                f"{low[0] / context.last_close - 1:+.1%} to {high[0] / context.last_close - 1:+.1%}".replace(
                    "%", " %"
                ),
                delta_color="off",
                delta_arrow="off",
                border=True,
                height="stretch",
                help=f"The close lies inside with {share} % probability.",
            )
        st.metric(
            "Naive: no change",
            money(answer.naive.median[0], context.currency),
            f"80 %: {interval(answer.naive.interval(0.8)[0][0], answer.naive.interval(0.8)[1][0])}",
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help="The forecast that every model has to beat: tomorrow's close is today's.",
        )


def _speaker(answer: Answer) -> None:
    version, context = answer.speaker.version, answer.forecast.context
    read = f"{len(answer.window.closes)} closes" + (f" up to {context.cutoff}" if context.cutoff else "")
    st.markdown(
        f"{badges(version)} **{plain(version.label)}** read {read}, the last one {price(context.last_close)}."
        + (f" {skill_sentence(answer.speaker.scorecard)}" if answer.speaker.scorecard else "")
    )
