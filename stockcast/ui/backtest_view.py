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
from stockcast.ui.domain_words import told
from stockcast.ui.escaping import plain
from stockcast.ui.figure_card import figure_card
from stockcast.ui.figure_words import in_words
from stockcast.ui.format import count, figures, glued, percent, signed_percent
from stockcast.ui.language import N_, _
from stockcast.workflows.backtest_charts import CALIBRATION, INTERVALS, OVER_TIME, Charts
from stockcast.workflows.backtest_tables import measure_rows

_REFITS = {
    "never": N_("not fitted again"),
    "yearly": N_("fitted again every year"),
    "quarterly": N_("fitted again every quarter"),
}


def show_backtest(job: Job) -> None:
    """A succeeded backtest or evaluation. Raises CorruptBundle when another version wrote it."""
    result = job.result or {}
    found = result.get("diagnosis")
    diagnosis = Diagnosis.from_json(found if isinstance(found, dict) else {})
    _verdict(diagnosis, job)
    _figures(diagnosis)
    st.subheader(_("Is the edge steady?"))
    _pair(diagnosis, OVER_TIME)
    st.subheader(_("Did the probabilities hold?"))
    st.caption(glued(plain(told(diagnosis.pit.sentence))))
    _pair(diagnosis, CALIBRATION)
    st.caption(
        _(
            "Grey: where chance alone would leave a calibrated forecaster in 95 % of cases, were "
            "tickers independent."
        )
    )
    _pair(diagnosis, INTERVALS)
    left, right = st.columns(2)
    with left:
        st.subheader(_("All figures"))
        rows = [[glued(told(cell)) for cell in row] for row in measure_rows(diagnosis)]
        titles = [_("Measure"), plain(diagnosis.label), _("Naive"), _("How to read it")]
        st.table(pd.DataFrame(rows, columns=titles), border="horizontal", hide_index=True)
    with right:
        st.subheader(_("Against each opponent"))
        show_opponents(diagnosis)
    st.subheader(_("What did it foresee least?"))
    show_worst(diagnosis)
    st.subheader(_("Ticker by ticker"))
    show_tickers(diagnosis)
    _downloads(diagnosis)


def _verdict(diagnosis: Diagnosis, job: Job) -> None:
    others = [duel for duel in diagnosis.duels if duel.opponent != diagnosis.scorecard.forecaster]
    good = bool(others) and all(duel.skill > 0 and duel.p_value <= SIGNIFICANT for duel in others)
    show, icon = (st.success, ":material/verified:") if good else (st.info, ":material/balance:")
    card = diagnosis.scorecard
    refit = _(_REFITS.get(str(job.request.get("refit", "never")), _REFITS["never"]))
    show(
        _(
            "Sessions {first_session} to {last_session}, {tickers} of the universe {universe}, {refit}; job {id}."
        ).format(
            first_session=card.first_session,
            last_session=card.last_session,
            tickers=count(len(card.tickers), "ticker", "tickers"),
            universe=plain(job.universe),
            refit=refit,
            id=job.id,
        ),
        title=glued(plain(told(diagnosis.verdict))),
        icon=icon,
    )


def _figures(diagnosis: Diagnosis) -> None:
    card = diagnosis.scorecard
    reference = next((duel for name in ("garch", "ewma") if (duel := diagnosis.duel(name))), None)
    with st.grid(4, min_column_width=150, gap="medium"):
        _skill_card(diagnosis.duel(NAIVE))
        _skill_card(reference)
        figure_card(
            _("80 % interval held"),
            percent(card.coverage_80),
            _("naive {naive_coverage_80}").format(naive_coverage_80=percent(card.naive_coverage_80)),
            _("Share of actual closes inside the 80 % interval; 80 % is right."),
        )
        figure_card(
            _("Forecasts judged"),
            figures(f"{card.count:,}"),
            _("naive {count}").format(count=figures(f"{card.count:,}")),
            _("One session ahead. Every opponent answered the same question."),
        )


def _skill_card(duel: Duel | None) -> None:
    if duel is None:
        return
    chance = told(p_text(duel.p_value))
    won = _("won {won} of {count}").format(won=duel.won, count=len(duel.tickers)) if len(duel.tickers) > 1 else ""
    figure_card(
        _("Skill over {opponent}").format(opponent=told(spoken(duel.opponent))),
        signed_percent(duel.skill),
        ", ".join(filter(None, (chance, won))),
        _(
            "1 - CRPS / CRPS of {opponent}: how much better the whole distribution was, over "
            "{sessions}. The p-value (Diebold-Mariano) says how easily chance alone would do "
            "that."
        ).format(opponent=told(spoken(duel.opponent)), sessions=count(duel.sessions, "session", "sessions")),
    )


def _pair(diagnosis: Diagnosis, charts: Charts) -> None:
    """Charts side by side, below one another on a phone."""
    for column, (title, draw) in zip(st.columns(len(charts)), charts, strict=True):
        with column:
            st.markdown(f"**{told(title)}**")
            st.plotly_chart(
                in_words(draw(diagnosis)), width="stretch", key=draw.__name__, config=TOOL_BAR, alt=told(title)
            )


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
            _("Download the report"),
            page,
            file_name=f"{name}.html",
            mime="text/html",
            icon=":material/description:",
            key="backtest_html",
            on_click="ignore",
            help=_("One page with all of this; it needs no network."),
        )
        st.download_button(
            _("Download the tickers as CSV"),
            table,
            file_name=f"{name}.csv",
            mime="text/csv",
            icon=":material/download:",
            key="backtest_csv",
            on_click="ignore",
        )
