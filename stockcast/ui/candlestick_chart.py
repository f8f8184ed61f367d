"""Candlesticks with volume below: a price frame in, a Plotly figure out."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from stockcast.prices.frame import PriceFrame
from stockcast.ui.chart_style import CHAMPION, FALLING, NAIVE, RISING, session_axis, styled, translucent
from stockcast.ui.language import _
from stockcast.ui.weekly_bars import drawable_bars


def candlestick_chart(
    frame: PriceFrame, *, log_scale: bool = False, marked: tuple[date, date] | None = None
) -> go.Figure:
    """Bars of a whole frame, weekly where they are too many; a line where only closes are known.

    `marked` are the first and the last of the sessions to point out, whether or not they have a bar.
    """
    bars, weekly = drawable_bars(frame)
    labels = pd.DatetimeIndex(bars.index).strftime("%Y-%m-%d").to_list()
    with_volume = bool(bars["volume"].gt(0).any())
    figure = make_subplots(
        rows=2 if with_volume else 1,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.04,
        row_heights=[0.78, 0.22] if with_volume else [1.0],
    )
    figure.add_trace(_prices(bars, labels), row=1, col=1)
    if with_volume:
        figure.add_trace(_volume(bars, labels), row=2, col=1)
        figure.update_yaxes(title_text=_("Volume"), tickformat="~s", row=2, col=1)
    bars_of = _("Weekly bars, adjusted, in {currency}") if weekly else _("Daily bars, adjusted, in {currency}")
    name = bars_of.format(currency=frame.currency)
    figure.update_xaxes(**session_axis(labels), rangeslider_visible=False)
    figure.update_xaxes(showticklabels=not with_volume, row=1, col=1)
    # D2 draws 1, 2, 5, 10, and so on.
    scale = {"type": "log", "dtick": "D2", "tickformat": ",~r"} if log_scale else {"type": "linear"}
    figure.update_yaxes(title_text=_("Price ({currency})").format(currency=frame.currency), **scale, row=1, col=1)
    if marked is not None:
        _mark(figure, bars, weekly, *marked)
    return styled(figure, height=520).update_layout(showlegend=False, title={"text": name, "font": {"size": 14}})


def _mark(figure: go.Figure, bars: pd.DataFrame, weekly: bool, first: date, last: date) -> None:
    """A band behind the bars of some sessions; between two bars where the sessions have none."""
    days = bars.index.to_numpy().astype("datetime64[D]")
    left, right = np.searchsorted(days, np.array([first, last], dtype="datetime64[D]"))
    if not weekly and (right == len(days) or days[right] > np.datetime64(last, "D")):
        right -= 1
    # Places on the axis are counted in bars.
    edges = (left - 0.5, right + 0.5) if right >= left else (left - 0.65, left - 0.35)
    figure.add_shape(
        type="rect",
        xref="x",
        yref="paper",
        x0=edges[0],
        x1=edges[1],
        y0=0,
        y1=1,
        layer="below",
        fillcolor=translucent(NAIVE, 0.35),
        line={"color": NAIVE, "width": 1},
    )
    words = f"{first}" if first == last else _("{first} to {last}").format(first=first, last=last)
    figure.add_annotation(
        text=words,
        x=sum(edges) / 2,
        y=1,
        xref="x",
        yref="paper",
        yanchor="bottom",
        showarrow=False,
        font={"color": NAIVE, "size": 13},
    )


def _prices(bars: pd.DataFrame, labels: list[str]) -> go.Candlestick | go.Scatter:
    digits = ",.2f" if bars["close"].min() >= 1 else ".4r"  # cents, or four digits of a penny stock
    ranged = bars[["open", "high", "low"]].notna().all(axis=1)
    if ranged.mean() < 0.5:
        return go.Scatter(
            x=labels,
            y=bars["close"],
            mode="lines",
            line={"color": CHAMPION, "width": 1.5},
            name=_("Close"),
            hovertemplate=f"{_('close')} %{{y:{digits}}}<extra></extra>",
        )
    # A session without a range is drawn as its close alone.
    shown = {name: bars[name].where(ranged, bars["close"]) for name in ("open", "high", "low")}
    return go.Candlestick(
        x=labels,
        **shown,
        close=bars["close"],
        name=_("Price"),
        hovertemplate="<br>".join(f"{_(part)} %{{{part}:{digits}}}" for part in ("open", "high", "low", "close"))
        + "<extra></extra>",
        increasing={"line": {"color": RISING, "width": 1}, "fillcolor": translucent(RISING, 0.25)},
        decreasing={"line": {"color": FALLING, "width": 1}, "fillcolor": FALLING},
    )


def _volume(bars: pd.DataFrame, labels: list[str]) -> go.Bar:
    rising = np.diff(bars["close"].to_numpy(), prepend=bars["close"].iloc[0]) >= 0
    return go.Bar(
        x=labels,
        y=bars["volume"],
        name=_("Volume"),
        marker_color=np.where(rising, translucent(RISING, 0.6), translucent(FALLING, 0.6)).tolist(),
        marker_line_width=0,
        hovertemplate=f"{_('volume')} %{{y:,.0f}}<extra></extra>",
    )
