"""How a search for better settings went: trials in, Plotly figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from stockcast.ui.chart_style import CHALLENGER, CHAMPION, HISTORY, NAIVE, styled
from stockcast.ui.config_words import label_of
from stockcast.ui.format import figures, percent
from stockcast.ui.language import _
from stockcast.workflows.tune import Found, Trial
from stockcast.workflows.tune_space import Range


def history_chart(found: Found, trials: int) -> go.Figure:
    """The loss of every trial in turn, the best so far, and that of the settings in force."""
    figure = go.Figure()
    whole = [trial for trial in found.trials if trial.state == "complete" and trial.value is not None]
    early = [trial for trial in found.trials if trial.state == "pruned" and trial.value is not None]
    if found.present is not None and found.present.value is not None:
        figure.add_hline(
            y=found.present.value,
            line={"color": NAIVE, "dash": "dash", "width": 1.5},
            annotation={"text": _("In force"), "x": 1, "xanchor": "right", "yanchor": "bottom"},
        )
    _points(figure, _("Ended early"), early, HISTORY, "x")
    _points(figure, _("Whole trials"), whole, CHALLENGER, "circle")
    if whole:
        figure.add_trace(
            go.Scatter(
                x=[trial.number for trial in whole],
                y=_lowest([float(trial.value or 0.0) for trial in whole]),
                mode="lines",
                name=_("Best so far"),
                line={"color": CHAMPION, "width": 2.5, "shape": "hv"},
                hoverinfo="skip",
            )
        )
        figure.update_yaxes(range=_range(whole, early))
    else:
        figure.add_annotation(text=_("The first trial is on its way"), showarrow=False, xref="paper", yref="paper")
    figure.update_xaxes(title_text=_("Trial"), range=[-0.5, trials - 0.5], tickformat="d")
    figure.update_yaxes(title_text=_("Validation loss"), tickformat=".4f")
    return styled(figure, height=320).update_layout(uirevision="search", hovermode="closest")


def importance_chart(importances: Mapping[str, float]) -> go.Figure:
    """How much of the difference between trials comes from each setting, the largest on top."""
    ordered = sorted(importances.items(), key=lambda each: each[1])
    figure = go.Figure(
        go.Bar(
            x=[share for _field, share in ordered],
            y=[label_of(field) for field, _share in ordered],
            orientation="h",
            marker={"color": CHAMPION},
            text=[percent(share, 0) for _field, share in ordered],
            textposition="auto",
            textangle=0,
            hoverinfo="skip",
        )
    )
    figure.update_xaxes(
        tickformat=".0%", rangemode="tozero", title_text=_("Share of the difference between trials")
    )
    figure.update_yaxes(fixedrange=True)
    return styled(figure, height=80 + 32 * len(ordered)).update_layout(hovermode=False, margin={"t": 8})


def slice_chart(found: Found, setting: Range) -> go.Figure:
    """The loss over the values of one setting; the settings in force stand out."""
    known = [
        trial
        for trial in found.trials
        if trial.state == "complete" and trial.value is not None and setting.field in trial.parameters
    ]
    figure = go.Figure()
    for name, trials, colour, symbol, size in (
        (_("Tried"), [trial for trial in known if not trial.present], CHALLENGER, "circle", 8),
        (_("In force"), [trial for trial in known if trial.present], NAIVE, "diamond", 12),
    ):
        figure.add_trace(
            go.Scatter(
                x=[trial.parameters[setting.field] for trial in trials],
                y=[trial.value for trial in trials],
                mode="markers",
                name=name,
                marker={"color": colour, "symbol": symbol, "size": size},
                hovertemplate="%{x:.3~g}: %{y:.4f}<extra></extra>",
            )
        )
    figure.update_xaxes(
        title_text=label_of(setting.field), type="log" if setting.log else "linear", tickformat="~g", nticks=5
    )
    if setting.log:
        figure.update_xaxes(dtick="D2" if setting.high < 50 * setting.low else 1)
    figure.update_yaxes(tickformat=".4f", nticks=4)
    return styled(figure, height=230).update_layout(showlegend=False, hovermode="closest", margin={"t": 10})


def _points(figure: go.Figure, name: str, trials: Sequence[Trial], colour: str, symbol: str) -> None:
    if not trials:
        return
    figure.add_trace(
        go.Scatter(
            x=[trial.number for trial in trials],
            y=[trial.value for trial in trials],
            mode="markers",
            name=name,
            marker={"color": colour, "symbol": symbol, "size": 8},
            customdata=[_settings(trial) for trial in trials],
            hovertemplate=f"{_('Trial')} %{{x}}: %{{y:.4f}}<br>%{{customdata}}<extra></extra>",
        )
    )


def _settings(trial: Trial) -> str:
    return "<br>".join(f"{label_of(field)} {figures(f'{value:g}')}" for field, value in trial.parameters.items())


def _lowest(values: Sequence[float]) -> list[float]:
    return [min(values[: at + 1]) for at in range(len(values))]


def _range(whole: Sequence[Trial], early: Sequence[Trial]) -> list[float]:
    """The losses of whole trials with some room: one that was hopeless must not press all others flat."""
    values = sorted(float(trial.value or 0.0) for trial in whole)
    low, middle = values[0], values[len(values) // 2]
    high = max(middle, min(values[-1], low + 4 * max(middle - low, 1e-4)))
    high = max([high, *(float(trial.value or 0.0) for trial in early if float(trial.value or 0.0) < high * 1.01)])
    room = max(0.15 * (high - low), 0.001)
    return [low - room, high + room]
