"""Figures that the rooms below draw in English, for a report as much as for a page, in the visitor's language."""

from __future__ import annotations

import plotly.graph_objects as go

from stockcast.ui.chart_style import in_figures
from stockcast.ui.domain_words import told


def in_words(figure: go.Figure) -> go.Figure:
    """The figure with names, titles and hover texts in the visitor's language, and figures as they write them."""
    for trace in figure.data:
        said: dict[str, object] = {
            name: told(trace[name]) for name in ("name", "hovertemplate") if isinstance(trace[name], str)
        }
        if trace.x is not None and all(isinstance(place, str) for place in trace.x):
            said["x"] = [told(place) for place in trace.x]
        trace.update(said)
    for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
        if axis.title.text:
            axis.title.text = told(axis.title.text)
    return in_figures(figure)
