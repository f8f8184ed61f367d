"""The live record on the Monitor page: the sentence first, then figures, pictures and tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import plotly.graph_objects as go
import streamlit as st

from stockcast.evaluation.significance import p_text
from stockcast.monitoring.live_coverage import LiveCoverage
from stockcast.monitoring.open_forecasts import OpenForecast
from stockcast.monitoring.record import LiveScores, Promise, TrackRecord
from stockcast.ui.chart_style import TOOL_BAR
from stockcast.ui.domain_words import told
from stockcast.ui.escaping import plain
from stockcast.ui.figure_card import figure_card
from stockcast.ui.figure_words import in_words
from stockcast.ui.format import count, figures, glued, percent, signed_percent
from stockcast.ui.language import N_, _
from stockcast.ui.track_charts import coverage_chart, cusum_chart, saved_chart, skill_path_chart
from stockcast.ui.track_words import cusum_words, standing, verdict
from stockcast.workflows.backtest_charts import pit_figure

_NO_PROMISE = N_("no backtest known")
_SHOWN = {
    "good": (st.success, ":material/verified:"),
    "open": (st.info, ":material/balance:"),
    "few": (st.info, ":material/hourglass_top:"),
    "bad": (st.warning, ":material/warning:"),
}


def show_verdict(record: TrackRecord, scores: LiveScores) -> None:
    """What it comes to, in one sentence with its counts."""
    show, icon = _SHOWN[standing(scores)]
    who = count(len(record.tickers), "ticker", "tickers") if record.ticker is None else record.ticker
    ahead = (
        _("one session ahead")
        if record.horizon == 1
        else _("{horizon} sessions ahead").format(horizon=record.horizon)
    )
    speakers = ", ".join(f"v{part.name}" for part in record.versions)
    show(
        _(
            "Sessions {first_session} to {last_session}, {who} of the universe {universe}, "
            "{ahead}, said by {speakers}. {sentence}"
        ).format(
            first_session=scores.first_session,
            last_session=scores.last_session,
            who=plain(who),
            universe=plain(record.universe),
            ahead=ahead,
            speakers=speakers,
            sentence=plain(told(record.left_out.sentence)),
        ),
        title=glued(plain(verdict(scores))),
        icon=icon,
    )


def show_cards(scores: LiveScores, promise: Promise | None, waiting: Sequence[OpenForecast]) -> None:
    """Live figures beside what the backtest promised."""
    with st.grid(3, min_column_width=150, gap="medium"):
        figure_card(
            _("Skill against naive"),
            signed_percent(scores.skill),
            _promised(signed_percent(promise.skill) if promise else None),
            _(
                "1 - CRPS / naive CRPS: how much better the whole distribution was. Chance alone: "
                "{p_value} (Diebold-Mariano, on means per session). Promised: by the backtest."
            ).format(p_value=told(p_text(scores.p_value))),
        )
        figure_card(
            _("MAPE against naive"),
            figures(f"{scores.mape_ratio:.3f}"),
            _promised(figures(f"{promise.mape_ratio:.3f}") if promise else None),
            _(
                "Error of the median over that of the naive forecast: below 1 is better. On closes "
                "the naive forecast is nearly optimal."
            ),
        )
        for coverage in scores.coverages:
            _coverage_card(coverage, promise)
        overdue = sum(each.state != "awaited" for each in waiting)
        figure_card(
            _("Open forecasts"),
            figures(f"{len(waiting):,}"),
            _("{overdue} overdue").format(overdue=figures(f"{overdue:,}")) if overdue else _("none overdue"),
            _("Said and not come true yet; overdue when the session is over and its close is not stored."),
        )


def _coverage_card(coverage: LiveCoverage, promise: Promise | None) -> None:
    name = f"{coverage.promised * 100:.0f}"
    backtest = getattr(promise, f"coverage_{name}") if promise else None
    explained = _(
        "{held} of {count} closes. Tickers move together, so that these tell as much as "
        "{independent} independent forecasts: the band is that of so many."
    ).format(
        held=figures(f"{coverage.held:,}"),
        count=figures(f"{coverage.count:,}"),
        independent=figures(f"{coverage.independent:,}"),
    )
    beside = ""
    if backtest:
        beside = _("In the backtest {backtest}; naive {naive_share}.").format(
            backtest=percent(backtest), naive_share=percent(coverage.naive_share)
        )
    figure_card(
        _("{name} % interval held").format(name=name),
        percent(coverage.share),
        _("chance {low} – {high}").format(
            low=figures(f"{coverage.low * 100:.0f}"), high=percent(coverage.high, 0)
        ),
        " ".join(filter(None, (explained, beside))),
    )


def _promised(figure: str | None) -> str:
    return _("promised {figure}").format(figure=figure) if figure else _(_NO_PROMISE)


def show_pictures(record: TrackRecord, scores: LiveScores) -> None:
    """The record over time, and whether its probabilities held."""
    st.subheader(_("Is the edge steady?"))
    _pair(
        ("skill_so_far", _("Skill so far"), lambda: skill_path_chart(record.path, record.promise)),
        ("crps_saved_so_far", _("CRPS saved so far"), lambda: saved_chart(record.path)),
    )
    st.subheader(_("Did the probabilities hold?"))
    if record.pit is not None:
        st.caption(glued(plain(told(record.pit.sentence))))
    pit = record.pit
    _pair(
        (
            "intervals",
            _("Intervals, with the band of chance"),
            lambda: coverage_chart(scores.coverages, record.promise),
        ),
        *(
            (("place", _("Place of each return in its distribution"), lambda: in_words(pit_figure(pit, "Live"))),)
            if pit
            else ()
        ),
    )
    st.caption(_("Grey: where chance alone would leave a calibrated forecaster in 95 % of cases."))
    if record.cusum is not None:
        st.markdown(_("**Runs of misses** (CUSUM of the 80 % interval)"))
        st.caption(plain(cusum_words(record.cusum)))
        _chart("runs_of_misses", _("Runs of misses"), cusum_chart(record.cusum))


def _pair(*charts: tuple[str, str, Callable[[], go.Figure]]) -> None:
    """Charts with their names and titles, side by side, below one another on a phone."""
    for column, (name, title, draw) in zip(st.columns(len(charts)), charts, strict=True):
        with column:
            st.markdown(f"**{title}**")
            _chart(name, title, draw())


def _chart(name: str, title: str, figure: go.Figure) -> None:
    st.plotly_chart(figure, width="stretch", key=f"track_{name}", config=TOOL_BAR, alt=title)
