"""The last sessions with a fan for the coming ones: an answer in, a Plotly figure out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from stockcast.forecasting.returns import Floats
from stockcast.ui.chart_style import CHAMPION, HISTORY, NAIVE, session_axis, styled, translucent
from stockcast.ui.drift_words import SIGNS
from stockcast.ui.format import interval, money, percent
from stockcast.workflows.forecast import Answer

# Wide intervals first, so that narrow ones lie on top of them.
_FANS = ((0.95, 0.2), (0.80, 0.4))  # coverage, opacity


def fan_chart(answer: Answer, marked: Mapping[int, tuple[str, str]] | None = None) -> go.Figure:
    """The window that was read, the median with its 80 and 95 % intervals, and the naive forecast.

    `marked` are closes of the window that the drift check names: their severity, and what was found.
    """
    forecast, closes = answer.forecast, answer.window.closes
    past, coming = _labels(answer)
    opening = [past[-1], *coming]  # a fan opens at the last close
    figure = go.Figure()
    for share, opacity in _FANS:
        low, high = (np.concatenate([closes[-1:], edge]) for edge in forecast.interval(share))
        figure.add_trace(_edge(opening, high))
        figure.add_trace(_edge(opening, low, fill=opacity, name=f"{percent(share, 0)} interval"))
    figure.add_trace(_line(past, closes, "Close", {"color": HISTORY, "width": 2}))
    median = _line(
        coming, forecast.median, f"Median of {answer.speaker.version.label}", {"color": CHAMPION, "width": 2.5}
    )
    figure.add_trace(median.update(mode="lines+markers", marker={"size": 7}))
    naive = np.concatenate([closes[-1:], answer.naive.median])  # on top: the median often lies right below it
    figure.add_trace(_line(opening, naive, "Naive: no change", {"color": NAIVE, "width": 2, "dash": "dot"}))
    for severity in ("info", "amber", "red"):
        places = [place for place, (found, _) in (marked or {}).items() if found == severity]
        if places:
            figure.add_trace(_marks(severity, [past[place] for place in places], closes[places]))
    figure.add_trace(_words(answer, [*past, *coming], marked or {}))
    figure.add_vline(x=past[-1], line={"color": HISTORY, "width": 1, "dash": "dash"}, opacity=0.6)
    figure.update_xaxes(**session_axis([*past, *coming]))
    if answer.window.sessions is None:
        figure.update_xaxes(title_text="Sessions from the last close")
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


def _line(labels: list[str], values: Floats, name: str, line: dict[str, object]) -> go.Scatter:
    return go.Scatter(x=labels, y=values, mode="lines", name=name, line=line, hoverinfo="skip")


def _edge(labels: list[str], values: Floats, fill: float | None = None, name: str = "") -> go.Scatter:
    """One edge of an interval; the lower one fills up to the upper one before it."""
    edge = _line(labels, values, name, {"color": translucent(CHAMPION, 0.5), "width": 0.5})
    return edge.update(
        fill="tonexty" if fill else None, fillcolor=translucent(CHAMPION, fill or 0), showlegend=bool(name)
    )


def _marks(severity: str, labels: list[str], closes: Floats) -> go.Scatter:
    """The closes that a finding names."""
    sign = SIGNS[severity]
    marks = _line(labels, closes, f"Looks {sign.word}", {})
    return marks.update(mode="markers", marker=sign.marker)


def _words(answer: Answer, labels: list[str], marked: Mapping[int, tuple[str, str]]) -> go.Scatter:
    """What is told where the mouse is: one unseen trace, so that no session is told its neighbour's value."""
    forecast, unit = answer.forecast, answer.forecast.context.currency
    told = [f"Close {money(close, unit)}" for close in answer.window.closes]
    for place, (_, words) in marked.items():
        told[place] += f"<br><b>{words}</b>"
    for h in range(forecast.horizon):
        edges = [(share, forecast.interval(share)) for share, _ in reversed(_FANS)]
        told.append(
            f"<b>Median {money(forecast.median[h], unit)}</b><br>"
            + "".join(f"{percent(share, 0)}: {interval(low[h], high[h])}<br>" for share, (low, high) in edges)
            + f"Naive {money(answer.naive.median[h], unit)}"
        )
    return go.Scatter(
        x=labels,
        y=np.concatenate([answer.window.closes, forecast.median]),
        mode="markers",
        marker={"opacity": 0, "color": CHAMPION},
        showlegend=False,
        customdata=told,
        hovertemplate="%{customdata}<extra></extra>",
    )
