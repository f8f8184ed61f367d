"""How every chart on a page looks: the palette, the tool bar, and axes without holes.

The colours and the template stand in `workflows/chart_palette.py`, since the reports are drawn with them too.
Text and grid lines are coloured by Streamlit's theme.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import plotly.graph_objects as go

from stockcast.ui.format import day_of_month, figures, month
from stockcast.workflows import chart_palette
from stockcast.workflows.chart_palette import (
    CHALLENGER,
    CHAMPION,
    FALLING,
    HISTORY,
    NAIVE,
    RISING,
    translucent,
)

__all__ = [
    "CHALLENGER", "CHALLENGER_BADGE", "CHAMPION", "CHAMPION_BADGE", "FALLING", "HISTORY", "NAIVE", "NAIVE_BADGE",
    "RISING", "TOOL_BAR", "in_figures", "session_axis", "styled", "translucent",
]  # fmt: skip

# Names of the same colours in Streamlit's palette, for badges.
CHAMPION_BADGE: Final = "blue"
CHALLENGER_BADGE: Final = "violet"
NAIVE_BADGE: Final = "yellow"

_LABELS_ON_AXIS = 6
_LONG_SPAN = 500  # days, beyond which the day of the month does not matter

# What Plotly's own tool bar offers: no logo, no tools that make no sense on a time axis.
TOOL_BAR: dict[str, object] = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
}


def styled(figure: go.Figure, *, height: int) -> go.Figure:
    """The figure with our template, a fixed height, and figures as the visitor writes them."""
    return in_figures(chart_palette.styled(figure, height=height))


def in_figures(figure: go.Figure) -> go.Figure:
    """The figure with the visitor's decimal mark and thousands mark."""
    return figure.update_layout(separators=figures(".,"))


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
        return [f"{month(day)}<br>{day:%Y}" for day in days]
    changes = [at == 0 or day.year != days[at - 1].year for at, day in enumerate(days)]
    return [day_of_month(day) + (f"<br>{day:%Y}" if new else "") for day, new in zip(days, changes, strict=True)]
