"""How a training went: losses by epoch in, a Plotly figure out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from stockcast.jobs.job import EPOCH, JobEvent
from stockcast.ui.chart_style import CHALLENGER, CHAMPION, HISTORY, styled
from stockcast.ui.language import _

Curve = Sequence[tuple[int, float]]  # (epoch, mean negative log-likelihood)
MOST_POINTS = 600  # of one curve; a longer one is thinned out


@dataclass(frozen=True)
class Losses:
    """Both curves of a training, in the order of epochs."""

    train: Curve
    validation: Curve

    @property
    def best(self) -> tuple[int, float] | None:
        """The epoch with the lowest validation loss, whose weights are kept, and that loss."""
        return min(self.validation, key=lambda point: (point[1], point[0]), default=None)

    @property
    def positive(self) -> bool:
        """Whether a logarithmic axis can show them."""
        return all(loss > 0 for epoch, loss in (*self.train, *self.validation))


@dataclass(frozen=True)
class Behind:
    """The validation curve of the champion, to hold the new one against."""

    label: str
    curve: Curve


def losses_of(events: Sequence[JobEvent]) -> Losses:
    """The losses that a job has reported so far; an epoch without a finite loss leaves a gap."""
    rows = [event.payload for event in events if event.kind == EPOCH]
    return Losses(
        *(
            [(int(str(row["number"])), float(str(row[name]))) for row in rows if row[name] is not None]
            for name in ("train_loss", "validation_loss")
        )
    )


def loss_chart(
    losses: Losses,
    last_epoch: int | None = None,
    *,
    behind: Behind | None = None,
    logarithmic: bool = False,
    speaks: bool = False,
) -> go.Figure:
    """Train and validation loss; with `last_epoch` the axis already spans the whole training.

    What was trained has the colour of the challenger, or that of the champion where it `speaks`.
    """
    figure, own = go.Figure(), CHAMPION if speaks else CHALLENGER
    last = _last(losses, last_epoch)
    if behind is not None:
        _add(figure, behind.label, [point for point in behind.curve if point[0] <= last], CHAMPION, "dash", 1.5)
    _add(figure, _("Training"), losses.train, HISTORY, "dot", 2)
    _add(figure, _("Validation"), losses.validation, own, "solid", 2.5)
    if losses.best is None:
        figure.add_annotation(text=_("The first epoch is on its way"), showarrow=False, xref="paper", yref="paper")
    else:
        epoch, loss = losses.best
        figure.add_trace(
            go.Scatter(
                x=[epoch],
                y=[loss],
                mode="markers",
                name=_("Best: epoch {epoch}").format(epoch=epoch),
                marker={"symbol": "star", "size": 15, "color": own, "line": {"width": 1, "color": HISTORY}},
                hoverinfo="skip",
            )
        )
    figure.update_xaxes(
        title_text=_("Epoch"),
        range=[0.5, last + 0.5],
        tickformat="d",
        dtick=max(1, round(last / 10)),  # whole epochs, about ten of them
    )
    figure.update_yaxes(
        title_text=_("Loss (negative log-likelihood)"),
        tickformat=".3f",
        type="log" if logarithmic and losses.positive else "linear",
    )
    return styled(figure, height=360).update_layout(uirevision="losses")


def _add(figure: go.Figure, name: str, curve: Curve, colour: str, dash: str, width: float) -> None:
    shown = curve[:: -(-len(curve) // MOST_POINTS)] if len(curve) > MOST_POINTS else curve
    figure.add_trace(
        go.Scatter(
            x=[epoch for epoch, loss in shown],
            y=[loss for epoch, loss in shown],
            mode="lines+markers" if len(shown) <= 60 else "lines",
            marker={"size": 5},
            name=name,
            line={"color": colour, "width": width, "dash": dash},
            hovertemplate=f"{name.lower()} %{{y:.4f}}<extra></extra>",
        )
    )


def _last(losses: Losses, last_epoch: int | None) -> int:
    """The epoch at which the axis ends."""
    return last_epoch or max((epoch for epoch, loss in losses.validation), default=1)
