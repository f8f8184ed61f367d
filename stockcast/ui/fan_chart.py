"""The last sessions with a fan for the coming ones: an answer in, a Plotly figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import plotly.graph_objects as go

from stockcast.forecasting.returns import Floats
from stockcast.ui.chart_style import (
    CHALLENGER,
    CHAMPION,
    HISTORY,
    NAIVE,
    RISING,
    session_axis,
    styled,
    translucent,
)
from stockcast.ui.drift_words import SIGNS
from stockcast.ui.format import interval, money, percent
from stockcast.ui.language import _
from stockcast.workflows.compare_forecasts import Beside, Rival
from stockcast.workflows.forecast import Answer

# Wide intervals first, so that narrow ones lie on top of them.
_FANS = ((0.95, 0.2), (0.80, 0.4))  # coverage, opacity
_OUTLINED = 0.80  # of those that stand beside
# Never told apart by colour alone.
BESIDE: Final[Mapping[Rival, tuple[str, str]]] = {
    "challenger": (CHALLENGER, "dash"),
    "garch": (RISING, "longdashdot"),
}


def fan_chart(
    answer: Answer,
    marked: Mapping[int, tuple[str, str]] | None = None,
    *,
    others: Sequence[Beside] = (),
    level: float | None = None,
    past: int | None = None,
) -> go.Figure:
    """The window that was read, the median with its 80 and 95 % intervals, and the naive forecast.

    `marked` are closes of the window that the drift check names: their severity, and what was found. `others` are
    drawn as lines with the outline of their 80 % interval; `level` is a price across the chart; of what was read,
    only the `past` last sessions are shown.
    """
    if past is not None:
        answer, marked = _recent(answer, marked or {}, past)
    forecast, closes = answer.forecast, answer.window.closes
    read, coming = _labels(answer)
    opening = [read[-1], *coming]  # a fan opens at the last close
    figure = go.Figure()
    for share, opacity in _FANS:
        low, high = (np.concatenate([closes[-1:], edge]) for edge in forecast.interval(share))
        named = _("{share} interval").format(share=percent(share, 0))
        figure.add_trace(_edge(opening, high))
        figure.add_trace(_edge(opening, low, fill=opacity, name=named))
    ticker = forecast.context.ticker
    named = _("Close of {ticker}").format(ticker=ticker) if ticker else _("Close")  # a saved picture tells it, too
    figure.add_trace(_line(read, closes, named, {"color": HISTORY, "width": 2}))
    named = _("Median of {model}").format(model=answer.speaker.version.label)
    median = _line(coming, forecast.median, named, {"color": CHAMPION, "width": 2.5})
    figure.add_trace(median.update(mode="lines+markers", marker={"size": 7}))
    for beside in others:
        figure.add_traces(_beside(beside, opening, closes[-1:], forecast.horizon))
    naive = np.concatenate([closes[-1:], answer.naive.median])  # on top: the median often lies right below it
    figure.add_trace(_line(opening, naive, _("Naive: no change"), {"color": NAIVE, "width": 2, "dash": "dot"}))
    for severity in ("info", "amber", "red"):
        places = [place for place, (found, _words_of) in (marked or {}).items() if found == severity]
        if places:
            figure.add_trace(_marks(severity, [read[place] for place in places], closes[places]))
    if level is not None:
        figure.add_traces(_level(level, [*read, *coming], forecast.context.currency))
    figure.add_trace(_words(answer, [*read, *coming], marked or {}, others))
    figure.add_vline(x=read[-1], line={"color": HISTORY, "width": 1, "dash": "dash"}, opacity=0.6)
    figure.update_xaxes(**session_axis([*read, *coming]))
    if answer.window.sessions is None:
        figure.update_xaxes(title_text=_("Sessions from the last close"))
    unit = forecast.context.currency
    title = _("Close ({currency})").format(currency=unit) if unit else _("Close")
    figure.update_yaxes(title_text=title, tickformat=",.2f")
    # Below, so that the tool bar with its camera has the room above.
    return styled(figure, height=480).update_layout(
        legend={"y": -0.2, "yanchor": "top", "traceorder": "normal"}, margin={"t": 28}
    )


def _recent(
    answer: Answer, marked: Mapping[int, tuple[str, str]], past: int
) -> tuple[Answer, Mapping[int, tuple[str, str]]]:
    """The same with the last sessions of its window, and the marks among them."""
    window, skipped = answer.window, max(0, len(answer.window.closes) - past)
    sessions = None if window.sessions is None else window.sessions[skipped:]
    kept = replace(window, closes=window.closes[skipped:], sessions=sessions)
    return replace(answer, window=kept), {at - skipped: mark for at, mark in marked.items() if at >= skipped}


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


def _beside(beside: Beside, labels: list[str], last: Floats, ahead: int) -> list[go.Scatter]:
    """A median and the two edges of its interval, which come and go together in the legend."""
    colour, dash = BESIDE[beside.rival]
    low, high = beside.forecast.interval(_OUTLINED)
    named = _("{model}: median and {share} interval").format(model=beside.label, share=percent(_OUTLINED, 0))
    found = []
    for values, width, shown in ((beside.forecast.median, 2.0, True), (low, 1.25, False), (high, 1.25, False)):
        line = _line(
            labels, np.concatenate([last, values[:ahead]]), named, {"color": colour, "width": width, "dash": dash}
        )
        found.append(line.update(legendgroup=beside.rival, showlegend=shown))
    return found


def _level(level: float, labels: list[str], currency: str | None) -> list[go.Scatter]:
    """A price across the chart, in the colour of the text around it."""
    named = _("Level {level}").format(level=money(level, currency))
    ends = [labels[0], labels[-1]]
    return [_line(ends, np.array([level, level]), named, {"color": HISTORY, "width": 1.5, "dash": "dashdot"})]


def _marks(severity: str, labels: list[str], closes: Floats) -> go.Scatter:
    """The closes that a finding names."""
    sign = SIGNS[severity]
    marks = _line(labels, closes, _("Looks {how}").format(how=_(sign.word)), {})
    return marks.update(mode="markers", marker=sign.marker)


def _words(
    answer: Answer, labels: list[str], marked: Mapping[int, tuple[str, str]], others: Sequence[Beside]
) -> go.Scatter:
    """What is told where the mouse is: one unseen trace, so that no session is told its neighbour's value."""
    forecast, unit = answer.forecast, answer.forecast.context.currency
    told = [_("Close {price}").format(price=money(close, unit)) for close in answer.window.closes]
    for place, (_severity, words) in marked.items():
        told[place] += f"<br><b>{words}</b>"
    for h in range(forecast.horizon):
        lines = [_("<b>Median {price}</b>").format(price=money(forecast.median[h], unit))]
        for share, (low, high) in ((share, forecast.interval(share)) for share, _opacity in reversed(_FANS)):
            lines.append(f"{percent(share, 0)}: {interval(low[h], high[h])}")
        lines.append(_("Naive {price}").format(price=money(answer.naive.median[h], unit)))
        for beside in others:
            low, high = beside.forecast.interval(_OUTLINED)
            lines.append(
                f"{beside.label} {money(beside.forecast.median[h], unit)}, {percent(_OUTLINED, 0)}: "
                f"{interval(low[h], high[h])}"
            )
        told.append("<br>".join(lines))
    return go.Scatter(
        x=labels,
        y=np.concatenate([answer.window.closes, forecast.median]),
        mode="markers",
        marker={"opacity": 0, "color": CHAMPION},
        showlegend=False,
        customdata=told,
        hovertemplate="%{customdata}<extra></extra>",
    )
