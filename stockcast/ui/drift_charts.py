"""Pictures of drift: a window's features beside the training windows, and what was found over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import plotly.graph_objects as go

from stockcast.monitoring.drift_history import DriftDay
from stockcast.monitoring.evidence import FeatureEvidence
from stockcast.ui.chart_style import CHAMPION, HISTORY, session_axis, styled, translucent
from stockcast.ui.domain_words import told
from stockcast.ui.drift_words import SIGNS, measure_words
from stockcast.ui.format import MISSING, figures
from stockcast.ui.language import _

_EDGE = 1.9  # where a value is drawn that lies further out
_NAME_WIDTH = 22  # characters of a name on one line
_ROW = 46  # pixels


def range_chart(evidence: Sequence[FeatureEvidence]) -> go.Figure:
    """One strip a feature: where 98 and 90 % of the training windows lie, their median, and the window's value.

    Every feature has its own unit, so that each is drawn on a scale of its own: -1 and 1 are the ends of the 98 %.
    """
    names = [_broken(told(each.label)) for each in evidence]
    figure = go.Figure()
    for low, high, opacity, share in (("low", "high", 0.25, "98 %"), ("lower", "upper", 0.35, "90 %")):
        left = [_placed(each, getattr(each, low)) for each in evidence]
        right = [_placed(each, getattr(each, high)) for each in evidence]
        figure.add_trace(
            go.Bar(
                y=names,
                x=[end - start for start, end in zip(left, right, strict=True)],
                base=left,
                orientation="h",
                width=0.5,
                name=_("{share} of training windows").format(share=share),
                hoverinfo="skip",
                marker={"color": translucent(HISTORY, opacity), "line": {"width": 0}},
            )
        )
    figure.add_trace(
        go.Scatter(
            x=[0.0] * len(names),
            y=names,
            mode="markers",
            name=_("their median"),
            hoverinfo="skip",
            marker={"symbol": "line-ns", "size": 16, "color": HISTORY, "line": {"width": 2, "color": HISTORY}},
        )
    )
    sign = SIGNS["amber"]
    for inside, name, colour, symbol in (
        (True, _("this window"), CHAMPION, "circle"),
        (False, _("this window, outside"), sign.colour, sign.symbol),
    ):
        shown = [each for each in evidence if each.inside == inside]
        figure.add_trace(
            go.Scatter(
                x=[_placed(each, each.value) for each in shown],
                y=[_broken(told(each.label)) for each in shown],
                mode="markers",
                name=name,
                marker={"symbol": symbol, "size": 12, "color": colour},
                customdata=[_told(each) for each in shown],
                hovertemplate="%{customdata}<extra></extra>",
            )
        )
    figure.update_layout(barmode="overlay", hovermode="closest", showlegend=True)
    figure.update_xaxes(
        range=[-2.1, 2.1],
        tickmode="array",
        tickvals=[-1, 0, 1],
        ticktext=["1 %", _("median"), "99 %"],
        fixedrange=True,
    )
    figure.update_yaxes(
        categoryorder="array", categoryarray=names[::-1], fixedrange=True, range=[-0.6, len(names) - 0.4]
    )
    return styled(figure, height=130 + _ROW * len(names)).update_layout(dragmode=False)


@dataclass(frozen=True)
class Spot:
    """One sign of a strip: where it stands, and what is told there."""

    row: str
    cutoff: str
    severity: str
    sentence: str


def drift_strip(days: Sequence[DriftDay], rows: Sequence[str], cutoffs: Sequence[date]) -> go.Figure:
    """Tickers by cutoffs, the worst that was found of each."""
    wanted, shown = set(rows), set(cutoffs)
    spots = [
        Spot(day.ticker, str(day.cutoff), day.report.severity, _sentences(day))
        for day in days
        if day.ticker in wanted and day.cutoff in shown
    ]
    return _strip(spots, rows, cutoffs)


def measure_strip(days: Sequence[DriftDay], rows: Sequence[str], cutoffs: Sequence[date]) -> go.Figure:
    """Rules by cutoffs, for the days of one ticker; `rows` are names of measures."""
    shown = set(cutoffs)
    spots = [
        Spot(measure_words(finding.measure), str(day.cutoff), finding.severity, _wrapped(told(finding.sentence)))
        for day in days
        if day.cutoff in shown
        for finding in day.report.findings
    ]
    return _strip(spots, [measure_words(row) for row in rows], cutoffs)


def _strip(spots: Sequence[Spot], rows: Sequence[str], cutoffs: Sequence[date]) -> go.Figure:
    figure = go.Figure()
    for severity in ("healthy", "info", "amber", "red"):
        sign, held = SIGNS[severity], [spot for spot in spots if spot.severity == severity]
        if not held:
            continue
        figure.add_trace(
            go.Scatter(
                x=[spot.cutoff for spot in held],
                y=[spot.row for spot in held],
                mode="markers",
                name=_(sign.word),
                marker=sign.marker,
                cliponaxis=False,  # the newest cutoff stands at the edge
                customdata=[spot.sentence for spot in held],
                hovertemplate=f"<b>%{{y}}, %{{x}}</b>: {_(sign.word)}<br>%{{customdata}}<extra></extra>",
            )
        )
    figure.update_xaxes(**session_axis([str(day) for day in cutoffs]))
    figure.update_yaxes(
        type="category",
        categoryorder="array",
        categoryarray=list(rows)[::-1],
        range=[-0.6, len(rows) - 0.4],
        showgrid=True,
    )
    figure.update_layout(hovermode="closest", showlegend=True)
    return styled(figure, height=110 + 26 * max(len(rows), 2))


def _placed(each: FeatureEvidence, value: float) -> float:
    """-1 at the 1 % quantile, 0 at the median, 1 at the 99 % quantile; what lies far out stands at the edge."""
    side = each.high - each.median if value > each.median else each.median - each.low
    if value == each.median:
        return 0.0
    if side <= 0:
        return _EDGE if value > each.median else -_EDGE
    return max(-_EDGE, min(_EDGE, (value - each.median) / side))


def _told(each: FeatureEvidence) -> str:
    return _(
        "<b>{label}</b><br>{value} {unit}<br>98 % of training windows: {low} to {high}, median {median}"
    ).format(
        label=told(each.label),
        value=figures(f"{each.value:.3g}"),
        unit=told(each.unit),
        low=figures(f"{each.low:.3g}"),
        high=figures(f"{each.high:.3g}"),
        median=figures(f"{each.median:.3g}"),
    )


def _broken(label: str) -> str:
    """A name on lines that are short enough for a phone."""
    lines = [""]
    for word in label.split():
        joined = f"{lines[-1]} {word}".strip()
        lines = [*lines[:-1], joined] if len(joined) <= _NAME_WIDTH else [*lines, word]
    return "<br>".join(lines)


def _sentences(day: DriftDay) -> str:
    return "<br>".join(_wrapped(told(finding.sentence)) for finding in day.report.findings[:3]) or MISSING


def _wrapped(sentence: str, width: int = 60) -> str:
    lines = [""]
    for word in sentence.replace("<", "&lt;").split():
        joined = f"{lines[-1]} {word}".strip()
        lines = [*lines[:-1], joined] if len(joined) <= width else [*lines, word]
    return "<br>".join(lines)
