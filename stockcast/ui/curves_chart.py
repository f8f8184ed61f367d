"""Loss curves of several runs over one another: curves in, a Plotly figure out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from stockcast.registry.versions import CHALLENGER, CHAMPION
from stockcast.ui import chart_style
from stockcast.ui.chart_style import styled
from stockcast.ui.language import _
from stockcast.ui.registry_reads import Curve

MOST_POINTS = 300  # of one curve; a longer one is thinned out
_OWN = {CHAMPION: chart_style.CHAMPION, CHALLENGER: chart_style.CHALLENGER}
_OTHERS = (chart_style.RISING, chart_style.FALLING, chart_style.HISTORY)
_DASHES = ("solid", "dash", "dot")


@dataclass(frozen=True)
class NamedCurve:
    """The curve of one run; `role` is champion, challenger or anything else."""

    label: str
    curve: Curve
    role: str = ""
    baseline: bool = False


def curves_chart(curves: Sequence[NamedCurve], *, logarithmic: bool = False) -> go.Figure:
    """Champion and challenger keep their colours, all others differ in colour and dash; the baseline is thick."""
    figure = go.Figure()
    others = 0
    for each in curves:
        colour, dash = _OWN.get(each.role), "solid"
        if colour is None:
            colour, dash = _OTHERS[others % len(_OTHERS)], _DASHES[others // len(_OTHERS) % len(_DASHES)]
            others += 1
        thinned = each.curve[:: -(-len(each.curve) // MOST_POINTS)] if each.curve else ()
        figure.add_trace(
            go.Scatter(
                x=[epoch for epoch, loss in thinned],
                y=[loss for epoch, loss in thinned],
                mode="lines+markers" if len(thinned) == 1 else "lines",
                name=_("{run} (baseline)").format(run=each.label) if each.baseline else each.label,
                line={"color": colour, "dash": dash, "width": 4 if each.baseline else 2},
                hovertemplate=f"{each.label} %{{y:.4f}}<extra></extra>",
            )
        )
    figure.update_xaxes(title_text=_("Epoch"), tickformat="d")
    positive = all(loss > 0 for each in curves for epoch, loss in each.curve)
    figure.update_yaxes(
        title_text=_("Loss (negative log-likelihood)"),
        tickformat=".3f",
        type="log" if logarithmic and positive else "linear",
    )
    return styled(figure, height=360).update_layout(uirevision="curves", showlegend=True)
