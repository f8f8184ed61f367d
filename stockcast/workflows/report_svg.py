"""The pictures of a report as SVG: they need no script, and stay sharp in print.

A report with Plotly in it weighs 4.8 MB and needs a script; the same fan as SVG weighs 10 KB and needs none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Final

from stockcast.workflows.chart_palette import CHALLENGER, CHAMPION, FALLING, HISTORY, NAIVE
from stockcast.workflows.forecast import Answer
from stockcast.workflows.report_page import Html, money, price

PAST: Final = 30  # sessions shown before the fan
_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 760.0, 74.0, 16.0, 12.0, 30.0
_MARKS = {"red": FALLING, "amber": NAIVE, "info": CHAMPION}
_SHAPES = {  # never told apart by colour alone
    "red": "M{x0},{y0}L{x1},{y1}M{x0},{y1}L{x1},{y0}",
    "amber": "M{x},{y0}L{x1},{y}L{x},{y1}L{x0},{y}Z",
    "info": "M{x0},{y0}H{x1}V{y1}H{x0}Z",
}
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Plane:
    """Where values stand in the picture."""

    x: tuple[float, float]
    y: tuple[float, float]
    height: float

    def across(self, value: float) -> float:
        """Distance from the left edge."""
        low, high = self.x
        return _LEFT + (value - low) / ((high - low) or 1) * (_WIDTH - _LEFT - _RIGHT)

    def down(self, value: float) -> float:
        """Distance from the upper edge."""
        low, high = self.y
        return _TOP + (high - value) / ((high - low) or 1) * (self.height - _TOP - _BOTTOM)

    def path(self, points: Points) -> str:
        """Points for a line or an area."""
        return " ".join(f"{self.across(x):.1f},{self.down(y):.1f}" for x, y in points)


def fan_svg(answer: Answer, marked: Mapping[int, tuple[str, str]]) -> Html:
    """The last closes, the median with its 80 and 95 % intervals, and the naive forecast.

    `marked` are closes of the window that a finding names: their severity, and what was found.
    """
    forecast, unit = answer.forecast, answer.forecast.context.currency
    skipped = max(0, len(answer.window.closes) - PAST)
    closes = answer.window.closes[skipped:].tolist()
    last, ahead = closes[-1], range(1, forecast.horizon + 1)
    edges = {share: [each.tolist() for each in forecast.interval(share)] for share in (0.95, 0.80)}
    low, high = edges[0.95]
    plane = _plane((1 - len(closes), forecast.horizon), [*closes, *low, *high], 312)
    now = plane.across(0)
    parts = [*_grid(plane), f'<path d="M{now:.1f},{_TOP}V{plane.height - _BOTTOM}" stroke="{HISTORY}" '
             'stroke-dasharray="4 4" opacity=".7"/>']  # fmt: skip
    for opacity, (lower, upper) in zip((0.2, 0.4), edges.values(), strict=True):
        area = [(0.0, last), *zip(ahead, upper, strict=True), *zip(reversed(ahead), reversed(lower), strict=True)]
        parts.append(f'<polygon points="{plane.path(area)}" fill="{CHAMPION}" fill-opacity="{opacity}"/>')
    median = list(zip(ahead, forecast.median.tolist(), strict=True))
    parts.append(_line(plane, list(zip(range(1 - len(closes), 1), closes, strict=True)), HISTORY, 2))
    parts.append(_line(plane, [(0, last), *median], CHAMPION, 2.5))
    parts += [f'<circle cx="{plane.across(x):.1f}" cy="{plane.down(y):.1f}" r="3.5" fill="{CHAMPION}"/>'
              for x, y in median]  # fmt: skip
    naive = zip(ahead, answer.naive.median.tolist(), strict=False)
    parts.append(_line(plane, [(0, last), *naive], NAIVE, 3, "3 6"))
    for position, (severity, words) in marked.items():
        if position >= skipped:
            place = position - skipped
            parts.append(_mark(plane, place + 1 - len(closes), closes[place], severity, words))
    parts += _sessions(plane, answer, len(closes))
    for h, (_x, value) in zip(ahead, median, strict=True):
        told = f"{forecast.session(h) or f'+{h}'}: median {money(value, unit)}" + "".join(
            f", {100 * share:.0f} % {price(lower[h - 1])} – {price(upper[h - 1])}"
            for share, (lower, upper) in edges.items()
        )
        left, right = plane.across(h - 0.5), min(plane.across(h + 0.5), _WIDTH)
        parts.append(
            f'<rect x="{left:.1f}" y="{_TOP}" width="{right - left:.1f}" height="{plane.height - _TOP - _BOTTOM}" '
            f'fill="transparent"><title>{escape(told)}</title></rect>'
        )
    names = ((HISTORY, "Close", ""), (CHAMPION, "Median, 80 and 95 % interval", ""), (NAIVE, "Naive", "3 6"))
    title = f"Forecast of {forecast.context.ticker or 'the window'}"
    return _svg(plane, title, parts, names)


def curves_svg(train: Points, validation: Points) -> Html:
    """Training and validation loss by epoch, with the best epoch; both not empty."""
    both = [*train, *validation]
    plane = _plane((min(x for x, _y in both), max(x for x, _y in both)), [y for _x, y in both], 272)
    best = min(validation, key=lambda point: (point[1], point[0]))
    x, y = plane.across(best[0]), plane.down(best[1])
    floor = plane.height - _BOTTOM
    epochs = sorted({round(value) for value in _ticks(*plane.x, 8) if value == round(value)})
    return _svg(
        plane,
        "Loss by epoch",
        [
            *_grid(plane),
            _line(plane, train, HISTORY, 2, "2 4"),
            _line(plane, validation, CHALLENGER, 2.5),
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="none" stroke="{CHALLENGER}" stroke-width="2.5">'
            f"<title>Best: epoch {best[0]:.0f}, {best[1]:.4f}</title></circle>",
            *(_text(plane.across(each), floor + 18, str(each)) for each in epochs),
        ],
        ((HISTORY, "Training", "2 4"), (CHALLENGER, "Validation; ring: best epoch", "")),
    )


def _plane(x: tuple[float, float], values: Sequence[float], height: float) -> Plane:
    low, high = min(values), max(values)
    room = (high - low) * 0.06 or abs(high) * 0.01 or 1.0
    return Plane(x, (low - room, high + room), height)


def _ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers between two ends, at most so many."""
    rough = max((high - low) / most, 1e-12)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((size * power for size in (1, 2, 2.5, 5) if size * power >= rough), 10 * power)
    return [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _grid(plane: Plane) -> list[str]:
    ticks = _ticks(*plane.y, 6)
    step = min((after - before for before, after in pairwise(ticks)), default=1.0)
    digits = next((few for few in range(10) if math.isclose(round(step, few), step, rel_tol=1e-6)), 10)
    parts = []
    for value in ticks:
        y = plane.down(value)
        parts.append(f'<path class="grid" d="M{_LEFT},{y:.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(_text(_LEFT - 8, y + 4, f"{value:,.{digits}f}", "end"))
    return parts


def _sessions(plane: Plane, answer: Answer, count: int) -> list[str]:
    """Names of some sessions below the axis: the cutoff, every tenth before it, and the last one forecast."""
    forecast, days = answer.forecast, answer.window.sessions
    y = plane.height - _BOTTOM + 18
    named = {forecast.horizon: str(forecast.session(forecast.horizon) or f"+{forecast.horizon}")}
    for back in range(0 if forecast.horizon > 3 else 10, count - 3, 10):  # the last name needs its room
        named[-back] = str(-back) if days is None else str(days[len(days) - 1 - back])
    ends = {forecast.horizon: "end", 0: "end"}
    return [_text(plane.across(x), y, text, ends.get(x, "middle")) for x, text in named.items()]


def _line(plane: Plane, points: Points, colour: str, width: float, dash: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<polyline points="{plane.path(points)}" fill="none" stroke="{colour}" stroke-width="{width}" '
        f'stroke-linejoin="round"{dashed}/>'
    )


def _mark(plane: Plane, x: float, y: float, severity: str, words: str) -> str:
    across, down = plane.across(x), plane.down(y)
    places = {"x": across, "x0": across - 5, "x1": across + 5, "y": down, "y0": down - 5, "y1": down + 5}
    shape = _SHAPES[severity].format(**{name: f"{value:.1f}" for name, value in places.items()})
    return (
        f'<path d="{shape}" fill="none" stroke="{_MARKS[severity]}" stroke-width="2.5">'
        f"<title>{escape(words)}</title></path>"
    )


def _legend(names: Sequence[tuple[str, str, str]]) -> str:
    """Below the picture, where it finds room on a narrow screen."""
    parts = []
    for colour, name, dash in names:
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(
            f'<span><svg aria-hidden="true" width="24" height="8"><path d="M0,4h24" stroke="{colour}" '
            f'stroke-width="3"{dashed}/></svg>{escape(name)}</span>'
        )
    return f'<p class="legend small">{"".join(parts)}</p>'


def _text(x: float, y: float, words: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(plane: Plane, title: str, parts: Sequence[str], names: Sequence[tuple[str, str, str]]) -> Html:
    return Html(
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {_WIDTH:.0f} {plane.height:.0f}">'
        f"{''.join(parts)}</svg>{_legend(names)}"
    )
