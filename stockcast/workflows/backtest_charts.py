"""The pictures of a Diagnosis, for the page and for the report: plain values in, a Plotly figure out."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from itertools import accumulate

import plotly.graph_objects as go

from stockcast.evaluation.diagnose import spoken
from stockcast.evaluation.diagnosis import NAIVE as NAIVE_FORECASTER
from stockcast.evaluation.diagnosis import Diagnosis, Duel, PitHistogram
from stockcast.workflows.chart_palette import (
    CHALLENGER,
    CHAMPION,
    FALLING,
    HISTORY,
    NAIVE,
    RISING,
    styled,
    translucent,
)

Charts = tuple[tuple[str, Callable[[Diagnosis], go.Figure]], ...]
_OPPONENTS = {NAIVE_FORECASTER: NAIVE, "garch": CHALLENGER, "ewma": RISING, "linear": FALLING}
_MOST_NAMES = 8  # of periods below the axis


def skill_chart(diagnosis: Diagnosis) -> go.Figure:
    """Skill by month or quarter, one bar an opponent: above zero the model was better."""
    figure = go.Figure()
    for duel in _opponents(diagnosis):
        figure.add_trace(
            go.Bar(
                x=[period.name for period in duel.periods],
                y=[100 * period.skill for period in duel.periods],
                name=f"against {_name(duel)}",
                marker={"color": _colour(duel)},
                customdata=[period.count for period in duel.periods],
                hovertemplate=f"against {_name(duel)} %{{y:+.2f}} % (%{{customdata:,}} forecasts)<extra></extra>",
            )
        )
    figure.add_hline(y=0, line={"color": HISTORY, "width": 1})
    _period_axis(figure, diagnosis)
    figure.update_layout(showlegend=True)  # a single opponent is named, too
    figure.update_yaxes(title_text="Skill (%)", ticksuffix=" %")
    return styled(figure, height=320)


def advantage_chart(diagnosis: Diagnosis) -> go.Figure:
    """CRPS saved so far against each opponent: a line that rises steadily is an edge, a step is an accident."""
    figure = go.Figure()
    for duel in _opponents(diagnosis):
        figure.add_trace(
            go.Scatter(
                x=[period.name for period in duel.periods],
                y=list(accumulate(period.advantage for period in duel.periods)),
                name=f"against {_name(duel)}",
                mode="lines+markers",
                marker={"size": 5},
                line={"color": _colour(duel), "width": 2},
                hovertemplate=f"against {_name(duel)} %{{y:+.3f}}<extra></extra>",
            )
        )
    figure.add_hline(y=0, line={"color": HISTORY, "width": 1})
    _period_axis(figure, diagnosis)
    figure.update_layout(showlegend=True)
    figure.update_yaxes(title_text="CRPS saved (% of price)")
    return styled(figure, height=320)


def calibration_chart(diagnosis: Diagnosis) -> go.Figure:
    """How far the share of returns below each quantile was from the promised one, with the band of chance.

    The difference, not the share itself: on a diagonal from 0 to 100 % nobody sees a miss of two points.
    """
    points = diagnosis.calibration
    levels = [100 * point.level for point in points]
    low, high = ([100 * (getattr(point, edge) - point.level) for point in points] for edge in ("low", "high"))
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(x=levels, y=high, mode="lines", line={"width": 0}, showlegend=False, hoverinfo="skip")
    )
    figure.add_trace(
        go.Scatter(
            x=levels, y=low, mode="lines", line={"width": 0}, fill="tonexty", name="95 % of chance",
            fillcolor=translucent(HISTORY, 0.3), hoverinfo="skip",
        )
    )  # fmt: skip
    for name, field, colour, dash in (
        ("Naive", "naive_share", NAIVE, "dot"),
        (_label(diagnosis), "share", CHAMPION, "solid"),
    ):
        shares = [100 * getattr(point, field) for point in points]
        figure.add_trace(
            go.Scatter(
                x=levels,
                y=[share - level for share, level in zip(shares, levels, strict=True)],
                name=name,
                mode="lines",
                line={"color": colour, "width": 2.5, "dash": dash},
                customdata=shares,
                hovertemplate=f"{name} %{{customdata:.1f}} % (%{{y:+.1f}} points)<extra></extra>",
            )
        )
    figure.add_hline(y=0, line={"color": HISTORY, "width": 1, "dash": "dash"})
    figure.update_xaxes(title_text="Promised share below", range=[0, 100], dtick=25, ticksuffix=" %")
    figure.update_yaxes(title_text="Kept less promised (points)", tickformat="+.2~f")
    return styled(figure, height=360)


def pit_chart(diagnosis: Diagnosis) -> go.Figure:
    """Share of returns in each twentieth of their own distribution: level when the forecasts are calibrated."""
    return pit_figure(diagnosis.pit, _label(diagnosis))


def pit_figure(pit: PitHistogram, name: str) -> go.Figure:
    """A PIT histogram with the band of chance."""
    counts, total = pit.counts, sum(pit.counts)
    width = 100 / len(counts)
    figure = go.Figure(
        go.Bar(
            x=[width * (number + 0.5) for number in range(len(counts))],
            y=[100 * count / total for count in counts],
            width=width * 0.92,
            name=name,
            marker={"color": CHAMPION},
            customdata=counts,
            hovertemplate="%{y:.1f} % of returns (%{customdata:,})<extra></extra>",
        )
    )
    figure.add_hrect(
        y0=100 * pit.low / total,
        y1=100 * pit.high / total,
        fillcolor=translucent(HISTORY, 0.3),
        line_width=0,
    )
    figure.add_hline(y=width, line={"color": HISTORY, "width": 1, "dash": "dash"})
    figure.update_xaxes(title_text="Place inside its distribution", range=[0, 100], dtick=25, ticksuffix=" %")
    figure.update_yaxes(title_text="Share of returns", ticksuffix=" %", rangemode="tozero")
    return styled(figure, height=360)


def regime_chart(diagnosis: Diagnosis) -> go.Figure:
    """How often the 80 % and 90 % intervals held in calm, usual and turbulent sessions."""
    rows = diagnosis.regimes
    names = [f"{row.name}<br>{row.volatility:.2f} % a day" for row in rows]
    return _coverage_chart(diagnosis, names, rows, (80, 90), "Volatility at the cutoff")


def horizon_chart(diagnosis: Diagnosis) -> go.Figure:
    """How often the intervals held one to five sessions ahead."""
    rows = diagnosis.horizons
    return _coverage_chart(diagnosis, [f"+{row.horizon}" for row in rows], rows, (80, 90, 95), "Sessions ahead")


# The pictures in the order in which they are shown, with their headings, two beside one another.
OVER_TIME: Charts = (("Skill by period", skill_chart), ("CRPS saved so far", advantage_chart))
CALIBRATION: Charts = (
    ("Kept less promised shares", calibration_chart),
    ("Place of each return in its distribution", pit_chart),
)
INTERVALS: Charts = (
    ("Intervals held, by volatility", regime_chart),
    ("Intervals held, by sessions ahead", horizon_chart),
)


def _coverage_chart(
    diagnosis: Diagnosis, names: Sequence[str], rows: Sequence[object], promised: Sequence[int], axis: str
) -> go.Figure:
    """The promised shares as lines, the kept ones as marks: ours and the naive ones."""
    figure = go.Figure()
    for share in promised:
        figure.add_hline(y=share, line={"color": HISTORY, "width": 1, "dash": "dash"})
    for who, prefix, colour, symbol, dash in (
        ("Naive", "naive_", NAIVE, "diamond-open", "dot"),
        (_label(diagnosis), "", CHAMPION, "circle", "solid"),
    ):
        for share in promised:
            figure.add_trace(
                go.Scatter(
                    x=list(names),
                    y=[100 * getattr(row, f"{prefix}coverage_{share}") for row in rows],
                    mode="lines+markers",
                    line={"color": colour, "width": 1.5, "dash": dash},
                    name=who,
                    legendgroup=who,
                    showlegend=share == promised[0],
                    marker={"color": colour, "symbol": symbol, "size": 9, "line": {"width": 2, "color": colour}},
                    customdata=[getattr(row, "count") for row in rows],  # noqa: B009
                    hovertemplate=f"{who}, {share} % interval: %{{y:.1f}} % of %{{customdata:,}}<extra></extra>",
                )
            )
    figure.update_xaxes(title_text=axis, type="category")
    figure.update_yaxes(title_text="Held", ticksuffix=" %")
    return styled(figure, height=320)


def _opponents(diagnosis: Diagnosis) -> list[Duel]:
    """The duels worth drawing: nobody is drawn against itself."""
    others = [duel for duel in diagnosis.duels if duel.opponent != diagnosis.scorecard.forecaster]
    return others or list(diagnosis.duels)


def _period_axis(figure: go.Figure, diagnosis: Diagnosis) -> None:
    names = [period.name for period in diagnosis.duels[0].periods]
    step = max(1, -(-len(names) // _MOST_NAMES))
    shown = names[::-step][::-1]
    broken = [name.replace(" ", "<br>") for name in shown]
    figure.update_xaxes(type="category", tickmode="array", tickvals=shown, ticktext=broken, tickangle=0)


def _colour(duel: Duel) -> str:
    return _OPPONENTS.get(duel.opponent, HISTORY)


def _name(duel: Duel) -> str:
    return html.escape(spoken(duel.opponent))


def _label(diagnosis: Diagnosis) -> str:
    return html.escape(diagnosis.label)
