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
from stockcast.ui.escaping import plain
from stockcast.ui.figure_card import figure_card
from stockcast.ui.format import count, glued, percent, signed_percent
from stockcast.ui.track_charts import coverage_chart, cusum_chart, saved_chart, skill_path_chart
from stockcast.ui.track_words import cusum_words, standing, verdict
from stockcast.workflows.backtest_charts import pit_figure

_NO_PROMISE = "no backtest known"
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
    ahead = "one session ahead" if record.horizon == 1 else f"{record.horizon} sessions ahead"
    speakers = ", ".join(f"v{part.name}" for part in record.versions)
    show(
        f"Sessions {scores.first_session} to {scores.last_session}, {plain(who)} of the universe "
        f"{plain(record.universe)}, {ahead}, said by {speakers}. {plain(record.left_out.sentence)}",
        title=glued(plain(verdict(scores))),
        icon=icon,
    )


def show_cards(scores: LiveScores, promise: Promise | None, waiting: Sequence[OpenForecast]) -> None:
    """Live figures beside what the backtest promised."""
    with st.grid(3, min_column_width=150, gap="medium"):
        figure_card(
            "Skill against naive",
            signed_percent(scores.skill),
            _promised(signed_percent(promise.skill) if promise else None),
            f"1 - CRPS / naive CRPS: how much better the whole distribution was. Chance alone: "
            f"{p_text(scores.p_value)} (Diebold-Mariano, on means per session). Promised: by the backtest.",
        )
        figure_card(
            "MAPE against naive",
            f"{scores.mape_ratio:.3f}",
            _promised(f"{promise.mape_ratio:.3f}" if promise else None),
            "Error of the median over that of the naive forecast: below 1 is better. On closes the naive forecast "
            "is nearly optimal.",
        )
        for coverage in scores.coverages:
            _coverage_card(coverage, promise)
        overdue = sum(each.state != "awaited" for each in waiting)
        figure_card(
            "Open forecasts",
            f"{len(waiting):,}",
            f"{overdue:,} overdue" if overdue else "none overdue",
            "Said and not come true yet; overdue when the session is over and its close is not stored.",
        )


def _coverage_card(coverage: LiveCoverage, promise: Promise | None) -> None:
    name = f"{coverage.promised * 100:.0f}"
    backtest = getattr(promise, f"coverage_{name}") if promise else None
    figure_card(
        f"{name} % interval held",
        percent(coverage.share),
        f"chance {coverage.low * 100:.0f} – {percent(coverage.high, 0)}",
        f"{coverage.held:,} of {coverage.count:,} closes. Tickers move together, so that these tell as much as "
        f"{coverage.independent:,} independent forecasts: the band is that of so many. "
        + (f"In the backtest {percent(backtest)}; naive {percent(coverage.naive_share)}." if backtest else ""),
    )


def _promised(figure: str | None) -> str:
    return f"promised {figure}" if figure else _NO_PROMISE


def show_pictures(record: TrackRecord, scores: LiveScores) -> None:
    """The record over time, and whether its probabilities held."""
    st.subheader("Is the edge steady?")
    _pair(
        ("Skill so far", lambda: skill_path_chart(record.path, record.promise)),
        ("CRPS saved so far", lambda: saved_chart(record.path)),
    )
    st.subheader("Did the probabilities hold?")
    if record.pit is not None:
        st.caption(glued(plain(record.pit.sentence)))
    pit = record.pit
    _pair(
        ("Intervals, with the band of chance", lambda: coverage_chart(scores.coverages, record.promise)),
        *((("Place of each return in its distribution", lambda: pit_figure(pit, "Live")),) if pit else ()),
    )
    st.caption("Grey: where chance alone would leave a calibrated forecaster in 95 % of cases.")
    if record.cusum is not None:
        st.markdown("**Runs of misses** (CUSUM of the 80 % interval)")
        st.caption(plain(cusum_words(record.cusum)))
        _chart("Runs of misses", cusum_chart(record.cusum))


def _pair(*charts: tuple[str, Callable[[], go.Figure]]) -> None:
    """Charts side by side, below one another on a phone."""
    for column, (title, draw) in zip(st.columns(len(charts)), charts, strict=True):
        with column:
            st.markdown(f"**{title}**")
            _chart(title, draw())


def _chart(title: str, figure: go.Figure) -> None:
    key = "track_" + title.split(",")[0].lower().replace(" ", "_")
    st.plotly_chart(figure, width="stretch", key=key, config=TOOL_BAR, alt=title)
