"""A finished backtest on the page: the sentence first, then the figures, the pictures and the tables."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from stockcast.evaluation.diagnose import spoken
from stockcast.evaluation.diagnosis import NAIVE, Diagnosis, Duel
from stockcast.evaluation.gate import SIGNIFICANT
from stockcast.evaluation.significance import p_text
from stockcast.jobs.job import Job
from stockcast.ui.backtest_tables_view import show_opponents, show_tickers, show_worst
from stockcast.ui.chart_style import TOOL_BAR
from stockcast.ui.escaping import plain
from stockcast.ui.figure_card import figure_card
from stockcast.ui.format import count, glued, percent, signed_percent
from stockcast.workflows.backtest_charts import CALIBRATION, INTERVALS, OVER_TIME, Charts
from stockcast.workflows.backtest_tables import measure_rows

_REFITS = {
    "never": "not fitted again",
    "yearly": "fitted again every year",
    "quarterly": "fitted again every quarter",
}


def show_backtest(job: Job) -> None:
    """A succeeded backtest or evaluation. Raises CorruptBundle when another version wrote it."""
    result = job.result or {}
    found = result.get("diagnosis")
    diagnosis = Diagnosis.from_json(found if isinstance(found, dict) else {})
    _verdict(diagnosis, job)
    _figures(diagnosis)
    st.subheader("Is the edge steady?")
    _pair(diagnosis, OVER_TIME)
    st.subheader("Did the probabilities hold?")
    st.caption(glued(plain(diagnosis.pit.sentence)))
    _pair(diagnosis, CALIBRATION)
    st.caption(
        "Grey: where chance alone would leave a calibrated forecaster in 95 % of cases, were tickers independent."
    )
    _pair(diagnosis, INTERVALS)
    left, right = st.columns(2)
    with left:
        st.subheader("All figures")
        rows = [[glued(cell) for cell in row] for row in measure_rows(diagnosis)]
        titles = ["Measure", plain(diagnosis.label), "Naive", "How to read it"]
        st.table(pd.DataFrame(rows, columns=titles), border="horizontal", hide_index=True)
    with right:
        st.subheader("Against each opponent")
        show_opponents(diagnosis)
    st.subheader("What did it foresee least?")
    show_worst(diagnosis)
    st.subheader("Ticker by ticker")
    show_tickers(diagnosis)
    _downloads(diagnosis)


def _verdict(diagnosis: Diagnosis, job: Job) -> None:
    others = [duel for duel in diagnosis.duels if duel.opponent != diagnosis.scorecard.forecaster]
    good = bool(others) and all(duel.skill > 0 and duel.p_value <= SIGNIFICANT for duel in others)
    show, icon = (st.success, ":material/verified:") if good else (st.info, ":material/balance:")
    card = diagnosis.scorecard
    refit = _REFITS.get(str(job.request.get("refit", "never")), "not fitted again")
    show(
        f"Sessions {card.first_session} to {card.last_session}, {count(len(card.tickers), 'ticker', 'tickers')} of the "
        f"universe {plain(job.universe)}, {refit}; job {job.id}.",
        title=glued(plain(diagnosis.verdict)),
        icon=icon,
    )


def _figures(diagnosis: Diagnosis) -> None:
    card = diagnosis.scorecard
    reference = next((duel for name in ("garch", "ewma") if (duel := diagnosis.duel(name))), None)
    with st.grid(4, min_column_width=150, gap="medium"):
        _skill_card(diagnosis.duel(NAIVE))
        _skill_card(reference)
        figure_card(
            "80 % interval held",
            percent(card.coverage_80),
            f"naive {percent(card.naive_coverage_80)}",
            "Share of actual closes inside the 80 % interval; 80 % is right.",
        )
        figure_card(
            "Forecasts judged",
            f"{card.count:,}",
            f"naive {card.count:,}",
            "One session ahead. Every opponent answered the same question.",
        )


def _skill_card(duel: Duel | None) -> None:
    if duel is None:
        return
    tickers = f", won {duel.won} of {len(duel.tickers)}" if len(duel.tickers) > 1 else ""
    figure_card(
        f"Skill over {spoken(duel.opponent)}",
        signed_percent(duel.skill),
        f"{p_text(duel.p_value)}{tickers}",
        f"1 - CRPS / CRPS of {spoken(duel.opponent)}: how much better the whole distribution was, over "
        f"{count(duel.sessions, 'session', 'sessions')}. The p-value (Diebold-Mariano) says how easily chance alone would do "
        "that.",
    )


def _pair(diagnosis: Diagnosis, charts: Charts) -> None:
    """Charts side by side, below one another on a phone."""
    for column, (title, draw) in zip(st.columns(len(charts)), charts, strict=True):
        with column:
            st.markdown(f"**{title}**")
            st.plotly_chart(draw(diagnosis), width="stretch", key=draw.__name__, config=TOOL_BAR, alt=title)


def _downloads(diagnosis: Diagnosis) -> None:
    def page() -> bytes:
        # The report's own drawing library is megabytes that nobody needs before the button is pressed.
        from stockcast.workflows.backtest_report import report_html

        return report_html(diagnosis)

    def table() -> bytes:
        from stockcast.workflows.backtest_report import ticker_csv

        return ticker_csv(diagnosis)

    card = diagnosis.scorecard
    name = f"backtest-{card.forecaster}-{card.first_session}-{card.last_session}"
    with st.container(horizontal=True):
        st.download_button(
            "Download the report", page, file_name=f"{name}.html", mime="text/html", icon=":material/description:",
            key="backtest_html", on_click="ignore", help="One page with all of this; it needs no network.",
        )  # fmt: skip
        st.download_button(
            "Download the tickers as CSV", table, file_name=f"{name}.csv", mime="text/csv",
            icon=":material/download:", key="backtest_csv", on_click="ignore",
        )  # fmt: skip
