"""Pictures of a track record: plain values in, a Plotly figure out."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from stockcast.monitoring.live_coverage import LiveCoverage
from stockcast.monitoring.miss_cusum import MissCusum
from stockcast.monitoring.record import Promise, SkillPoint
from stockcast.ui.chart_style import CHAMPION, FALLING, HISTORY, NAIVE, session_axis, styled, translucent
from stockcast.ui.language import _

_WILD = 10  # sessions at the beginning whose mean says so little that it must not stretch the axis
_MOST_POINTS = 1_000
_HEIGHT = 320


def skill_path_chart(path: Sequence[SkillPoint], promise: Promise | None) -> go.Figure:
    """Skill over everything up to each session, beside what the backtest promised."""
    shown = _thinned(path)
    values = [100 * point.skill for point in shown]
    figure = go.Figure(
        go.Scatter(
            x=[str(point.session) for point in shown],
            y=values,
            name=_("Live skill so far"),
            mode="lines",
            line={"color": CHAMPION, "width": 2.5},
            customdata=[point.count for point in shown],
            hovertemplate=_("skill %{y:+.2f} % over %{customdata:,} forecasts<extra></extra>"),
        )
    )
    figure.add_hline(y=0, line={"color": NAIVE, "width": 2, "dash": "dot"})
    settled = values[min(_WILD, len(values) // 2) :]
    marks = [0.0, *settled]
    if promise is not None:
        promised = 100 * promise.skill
        figure.add_trace(
            go.Scatter(
                x=[str(shown[0].session), str(shown[-1].session)],
                y=[promised, promised],
                mode="lines",
                name=_("Promised by the backtest"),
                line={"color": HISTORY, "width": 2, "dash": "dash"},
                hoverinfo="skip",
            )
        )
        marks.append(promised)
    room = 0.15 * max(max(marks) - min(marks), 1.0)
    figure.update_xaxes(**session_axis([str(point.session) for point in shown]))
    figure.update_yaxes(title_text=_("Skill (%)"), ticksuffix=" %", range=[min(marks) - room, max(marks) + room])
    return styled(figure, height=_HEIGHT).update_layout(showlegend=True)


def saved_chart(path: Sequence[SkillPoint]) -> go.Figure:
    """CRPS saved so far against naive: a line that rises steadily is an edge, a step is an accident."""
    shown = _thinned(path)
    figure = go.Figure(
        go.Scatter(
            x=[str(point.session) for point in shown],
            y=[point.advantage for point in shown],
            mode="lines",
            name=_("against naive"),
            line={"color": CHAMPION, "width": 2.5},
            fill="tozeroy",
            fillcolor=translucent(CHAMPION, 0.15),
            hovertemplate=_("%{y:+.3f} % of the price<extra></extra>"),
        )
    )
    figure.add_hline(y=0, line={"color": NAIVE, "width": 2, "dash": "dot"})
    figure.update_xaxes(**session_axis([str(point.session) for point in shown]))
    figure.update_yaxes(title_text=_("CRPS saved (% of price)"))
    return styled(figure, height=_HEIGHT).update_layout(showlegend=False)


def coverage_chart(coverages: Sequence[LiveCoverage], promise: Promise | None) -> go.Figure:
    """How far each interval's share was from the promised one, beside the band of chance and the backtest."""
    names = [f"{each.promised * 100:.0f} %" for each in coverages]
    low, high = ([100 * (getattr(each, edge) - each.promised) for each in coverages] for edge in ("low", "high"))
    figure = go.Figure(
        go.Bar(
            y=names,
            x=[end - start for start, end in zip(low, high, strict=True)],
            base=low,
            orientation="h",
            width=0.5,
            name=_("95 % of chance"),
            marker={"color": translucent(HISTORY, 0.3), "line": {"width": 0}},
            hoverinfo="skip",
        )
    )
    series = [
        (_("Naive"), [each.naive_share for each in coverages], NAIVE, "diamond-open"),
        (_("Live"), [each.share for each in coverages], CHAMPION, "circle"),
    ]
    if promise is not None:
        kept = [getattr(promise, f"coverage_{each.promised * 100:.0f}") for each in coverages]
        series.insert(0, (_("In the backtest"), kept, HISTORY, "line-ns"))
    for name, shares, colour, symbol in series:
        figure.add_trace(
            go.Scatter(
                y=names,
                x=[100 * (share - each.promised) for share, each in zip(shares, coverages, strict=True)],
                mode="markers",
                name=name,
                marker={"symbol": symbol, "size": 13, "color": colour, "line": {"width": 2, "color": colour}},
                customdata=[100 * share for share in shares],
                hovertemplate=_(
                    "{name}, %{{y}} interval: held %{{customdata:.1f}} % (%{{x:+.1f}} points)<extra></extra>"
                ).format(name=name),
            )
        )
    figure.add_vline(x=0, line={"color": HISTORY, "width": 1, "dash": "dash"})
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=names[::-1], title_text=_("Interval")
    )
    drawn = [abs(x) for trace in figure.data[1:] for x in trace.x] + [abs(x) for x in (*low, *high)]
    furthest = 1.15 * max(1.0, *drawn)  # the promise stands in the middle
    figure.update_xaxes(
        title_text=_("Held less promised (points)"), tickformat="+.2~f", range=[-furthest, furthest]
    )
    return styled(figure, height=360).update_layout(hovermode="closest", showlegend=True)


def cusum_chart(cusum: MissCusum) -> go.Figure:
    """Both sums of misses with the threshold at which they ring."""
    labels = [str(session) for session in cusum.sessions]
    figure = go.Figure()
    for name, values, colour, dash in (
        (_("Too few misses"), cusum.too_few, HISTORY, "dash"),
        (_("Too many misses"), cusum.too_many, CHAMPION, "solid"),
    ):
        figure.add_trace(
            go.Scatter(
                x=labels,
                y=values,
                name=name,
                mode="lines",
                line={"color": colour, "width": 2, "dash": dash},
                hovertemplate=f"{name} %{{y:.2f}}<extra></extra>",
            )
        )
    figure.add_hline(
        y=cusum.threshold,
        line={"color": FALLING, "width": 2, "dash": "dot"},
        annotation={"text": _("alarm"), "font": {"color": FALLING}, "xanchor": "right", "yanchor": "bottom"},
    )
    figure.update_xaxes(**session_axis(labels))
    figure.update_yaxes(title_text=_("Evidence (nats)"), range=[-0.2, cusum.threshold * 1.25])
    return styled(figure, height=_HEIGHT).update_layout(showlegend=True)


def _thinned(path: Sequence[SkillPoint]) -> Sequence[SkillPoint]:
    """At most so many points, the last one among them: a page draws no more."""
    step = max(1, -(-len(path) // _MOST_POINTS))
    return path[::-step][::-1]
