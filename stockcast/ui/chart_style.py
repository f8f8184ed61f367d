"""How every chart looks: who has which colour, and one Plotly template for light and dark.

The colours keep their distance from one another under the common colour vision deficiencies, and stand out on
a white and on a dark page; a test measures both. Text and grid lines are coloured by Streamlit's theme.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import plotly.graph_objects as go

CHAMPION = "#2E8BD8"
CHALLENGER = "#9B45F0"
NAIVE = "#B8860B"
HISTORY = "#7C8797"
RISING = "#12907F"
FALLING = "#D55E00"

# Names of the same colours in Streamlit's palette, for badges.
CHAMPION_BADGE: Final = "blue"
CHALLENGER_BADGE: Final = "violet"
NAIVE_BADGE: Final = "yellow"

_LABELS_ON_AXIS = 6
_LONG_SPAN = 500  # days, beyond which the day of the month does not matter

TEMPLATE = go.layout.Template(
    layout={
        "margin": {"l": 8, "r": 16, "t": 36, "b": 8},
        "hovermode": "x unified",
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": {"text": ""}},
        "xaxis": {"showgrid": False, "zeroline": False, "ticks": "outside", "fixedrange": False},
        "yaxis": {"zeroline": False, "automargin": True, "ticks": ""},
        "dragmode": "pan",
        "bargap": 0.2,
    }
)

# What Plotly's own tool bar offers: no logo, no tools that make no sense on a time axis.
TOOL_BAR: dict[str, object] = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
}


def translucent(colour: str, opacity: float) -> str:
    """A colour such as #2E8BD8 as rgba with an opacity from 0 to 1."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


def styled(figure: go.Figure, *, height: int) -> go.Figure:
    """The figure with our template and a fixed height, so that a page does not jump while it loads."""
    return figure.update_layout(template=TEMPLATE, height=height)


def session_axis(labels: Sequence[str]) -> dict[str, object]:
    """An x axis on which every session takes the same room, whatever the calendar: no holes at weekends.

    `labels` are ISO dates, or distances where no dates are known.
    """
    step = max(1, round((len(labels) - 1) / (_LABELS_ON_AXIS - 1)))
    shown = list(labels)[::-step][::-1]
    return {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": list(labels),
        "range": [-0.5, len(labels) - 0.5],  # counted in labels
        "tickmode": "array",
        "tickvals": shown,
        "ticktext": _short(shown),
        "tickangle": 0,
    }


def _short(labels: Sequence[str]) -> list[str]:
    """Labels narrow enough for a phone: the year stands below, and only where it changes."""
    try:
        days = [date.fromisoformat(label) for label in labels]
    except ValueError:
        return list(labels)
    if (days[-1] - days[0]).days > _LONG_SPAN:
        return [f"{day:%b}<br>{day:%Y}" for day in days]
    changes = [at == 0 or day.year != days[at - 1].year for at, day in enumerate(days)]
    return [
        f"{day:%b} {day.day}" + (f"<br>{day:%Y}" if new else "") for day, new in zip(days, changes, strict=True)
    ]
