"""How a training went: losses by epoch in, a Plotly figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from stockcast.jobs.job import JobEvent
from stockcast.ui.chart_style import CHAMPION, HISTORY, styled

Curve = Sequence[tuple[int, float]]  # (epoch, mean negative log-likelihood)


@dataclass(frozen=True)
class Losses:
    """Both curves of a training, in the order of epochs."""

    train: Curve
    validation: Curve

    @property
    def best(self) -> tuple[int, float] | None:
        """The epoch with the lowest validation loss, whose weights are kept, and that loss."""
        return min(self.validation, key=lambda point: (point[1], point[0]), default=None)


def losses_of(events: Sequence[JobEvent]) -> Losses:
    """The losses that a job has reported so far."""
    epochs: list[Mapping[str, float]] = [
        {name: float(str(event.payload[name])) for name in ("number", "train_loss", "validation_loss")}
        for event in events
        if event.kind == "epoch"
    ]
    return Losses(
        [(int(epoch["number"]), epoch["train_loss"]) for epoch in epochs],
        [(int(epoch["number"]), epoch["validation_loss"]) for epoch in epochs],
    )


def loss_chart(losses: Losses, last_epoch: int | None = None) -> go.Figure:
    """Train and validation loss; with `last_epoch` the axis already spans the whole training."""
    figure = go.Figure()
    for name, curve, line in (
        ("Training", losses.train, {"color": HISTORY, "width": 2, "dash": "dot"}),
        ("Validation", losses.validation, {"color": CHAMPION, "width": 2.5}),
    ):
        figure.add_trace(
            go.Scatter(
                x=[epoch for epoch, _ in curve],
                y=[loss for _, loss in curve],
                mode="lines+markers",
                marker={"size": 5},
                name=name,
                line=line,
                hovertemplate=f"{name.lower()} %{{y:.4f}}<extra></extra>",
            )
        )
    if losses.best is not None:
        epoch, loss = losses.best
        figure.add_trace(
            go.Scatter(
                x=[epoch],
                y=[loss],
                mode="markers",
                name=f"Best: epoch {epoch}",
                marker={"symbol": "star", "size": 15, "color": CHAMPION, "line": {"width": 1, "color": HISTORY}},
                hoverinfo="skip",
            )
        )
    figure.update_xaxes(
        title_text="Epoch",
        range=[0.5, _last(losses, last_epoch) + 0.5],
        tickformat="d",
        dtick=max(1, round(_last(losses, last_epoch) / 10)),  # whole epochs, about ten of them
    )
    figure.update_yaxes(title_text="Loss (negative log-likelihood)", tickformat=".3f")
    return styled(figure, height=360).update_layout(uirevision="losses")


def _last(losses: Losses, last_epoch: int | None) -> int:
    """The epoch at which the axis ends."""
    return last_epoch or max((epoch for epoch, _ in losses.validation), default=1)
