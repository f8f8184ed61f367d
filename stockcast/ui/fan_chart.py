"""The last sessions with a fan for the coming ones: an answer in, a Plotly figure out."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from stockcast.forecasting.returns import Floats
from stockcast.ui.chart_style import CHAMPION, HISTORY, NAIVE, session_axis, styled, translucent
from stockcast.ui.format import interval, money
from stockcast.workflows.forecast import Answer


def fan_chart(answer: Answer) -> go.Figure:
    """The window that was read, the median with its 80 and 95 % intervals, and the naive forecast."""
    forecast = answer.forecast
    past, coming = _labels(answer)
    closes = answer.window.closes
    last, future = past[-1], [past[-1], *coming]
    figure = go.Figure()
    for share, opacity in ((0.95, 0.2), (0.80, 0.4)):
        low, high = (np.concatenate([[closes[-1]], edge]) for edge in forecast.interval(share))
        figure.add_trace(_edge(future, high))
        figure.add_trace(_edge(future, low, fill=opacity, name=f"{share:.0%} interval".replace("%", " %")))
    figure.add_trace(
        go.Scatter(
            x=past,
            y=closes,
            mode="lines",
            name="Close",
            line={"color": HISTORY, "width": 2},
            hovertemplate="close %{y:,.2f}<extra></extra>",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=future,
            y=[closes[-1], *answer.naive.median],
            mode="lines",
            name="Naive: no change",
            line={"color": NAIVE, "width": 2, "dash": "dot"},
            hovertemplate="naive %{y:,.2f}<extra></extra>",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=coming,
            y=forecast.median,
            mode="lines+markers",
            name=f"Median of {answer.speaker.version.label}",
            line={"color": CHAMPION, "width": 2.5},
            marker={"size": 7},
            customdata=_evidence(answer),
            hovertemplate="median %{y:,.2f}<br>80 %: %{customdata[0]}<br>95 %: %{customdata[1]}<extra></extra>",
        )
    )
    figure.add_vline(x=last, line={"color": HISTORY, "width": 1, "dash": "dash"}, opacity=0.6)
    figure.update_xaxes(
        **session_axis([*past, *coming]),
        title_text="" if answer.window.sessions is not None else "Sessions from the last close",
    )
    unit = forecast.context.currency
    figure.update_yaxes(title_text=f"Close ({unit})" if unit else "Close", tickformat=",.2f")
    return styled(figure, height=440)


def _labels(answer: Answer) -> tuple[list[str], list[str]]:
    """Names of the sessions read and of those forecast: dates where they are known, distances where not."""
    context, count = answer.forecast.context, len(answer.window.closes)
    if context.cutoff is not None and answer.window.sessions is not None:
        past = [str(day) for day in answer.window.sessions]
    else:
        past = [str(distance) for distance in range(1 - count, 1)]
    if context.sessions is not None:
        return past, [day.isoformat() for day in context.sessions[: answer.forecast.horizon]]
    return past, [f"+{distance}" for distance in range(1, answer.forecast.horizon + 1)]


def _edge(labels: list[str], values: Floats, fill: float | None = None, name: str = "") -> go.Scatter:
    """One edge of an interval; the lower one fills up to the upper one before it."""
    return go.Scatter(
        x=labels,
        y=values,
        mode="lines",
        line={"color": translucent(CHAMPION, 0.5), "width": 0.5},
        fill="tonexty" if fill else None,
        fillcolor=translucent(CHAMPION, fill or 0),
        name=name,
        showlegend=bool(name),
        hoverinfo="skip",
    )


def _evidence(answer: Answer) -> list[list[str]]:
    forecast, unit = answer.forecast, answer.forecast.context.currency
    edges = [forecast.interval(share) for share in (0.80, 0.95)]
    return [
        [f"{interval(low[h], high[h])} {unit or ''}".strip() for low, high in edges]
        + [money(forecast.median[h], unit)]
        for h in range(forecast.horizon)
    ]
