"""Who has which colour in every chart, and one Plotly template for the pages and the reports.

The colours keep their distance from one another under the common colour vision deficiencies, and stand out on
a white and on a dark page; a test measures both. Text and grid lines are coloured by whoever shows the chart.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

# The API has these colours at hand for reports, in an image without Plotly; only who draws with it needs it.
if TYPE_CHECKING:
    import plotly.graph_objects as go

CHAMPION = "#2E8BD8"
CHALLENGER = "#9B45F0"
NAIVE = "#B8860B"
HISTORY = "#7C8797"
RISING = "#12907F"
FALLING = "#D55E00"

# The font of the pages, in .streamlit/config.toml; a report that is opened elsewhere takes what it finds.
FONT = "IBM Plex Sans, Source Sans, Helvetica, Arial, sans-serif"


def translucent(colour: str, opacity: float) -> str:
    """A colour such as #2E8BD8 as rgba with an opacity from 0 to 1."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


def styled(figure: go.Figure, *, height: int) -> go.Figure:
    """The figure with our template and a fixed height, so that a page does not jump while it loads."""
    return figure.update_layout(template=_template(), height=height)


@cache
def _template() -> go.layout.Template:
    import plotly.graph_objects as go

    return go.layout.Template(
        layout={
            "font": {"family": FONT},
            "margin": {"l": 8, "r": 16, "t": 36, "b": 8},
            "hovermode": "x unified",
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": {"text": ""}},
            "xaxis": {"showgrid": False, "zeroline": False, "ticks": "outside", "fixedrange": False},
            "yaxis": {"zeroline": False, "automargin": True, "ticks": ""},
            "dragmode": "pan",
            "bargap": 0.2,
        }
    )
