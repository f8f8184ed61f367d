"""A whole answer on a page: the figures first, then the picture, then the evidence."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from stockcast.monitoring.acknowledgements import Sifted
from stockcast.ui.champion_card import badges, note
from stockcast.ui.chart_style import TOOL_BAR
from stockcast.ui.drift_banner import drift_banner
from stockcast.ui.drift_words import marked_positions
from stockcast.ui.escaping import plain
from stockcast.ui.fan_chart import fan_chart
from stockcast.ui.figure_card import figure_card
from stockcast.ui.forecast_table import SHARES, file_stem, percent_table, shown_table
from stockcast.ui.format import count, figures, interval, money, percent, price, session, signed_percent
from stockcast.ui.freshness import freshness_note
from stockcast.ui.language import _
from stockcast.ui.scorecard_table import skill_sentence
from stockcast.ui.shared import workspace
from stockcast.workflows.compare_forecasts import Beside
from stockcast.workflows.forecast import Answer

_LARGE = 1_000.0


def show_answer(answer: Answer, universe: str, key: str, source: str | None = None) -> None:
    """The next session in figures, who speaks, and what is to be known about the prices.

    `key` keeps several answers on one page apart; `source` says where stored prices came from, None for an upload.
    """
    told = _told(answer, universe, stored=source is not None)
    if told.shown.warning:  # no figure before a person knows that it rests on doubtful prices
        drift_banner(told, answer, universe, key, stored=source is not None)
    _figures(answer)
    _speaker(answer)
    if source is not None:
        freshness_note([answer], [source])
    if not told.shown.warning:
        drift_banner(told, answer, universe, key, stored=source is not None)


def show_fan(
    answer: Answer, key: str, others: Sequence[Beside] = (), level: float | None = None, past: int | None = None
) -> None:
    """The chart, whose camera saves a picture under the name of the answer."""
    camera = {"format": "png", "filename": file_stem(answer), "width": 1200, "height": 600, "scale": 2}
    st.plotly_chart(
        fan_chart(answer, marked_positions(answer.drift), others=others, level=level, past=past),
        width="stretch",
        key=f"{key}_fan",
        config={**TOOL_BAR, "displayModeBar": True, "toImageButtonOptions": camera},
        alt=_("Fan chart of the coming sessions; the table below holds the same figures."),
    )


def show_tables(answer: Answer, key: str, others: Sequence[Beside] = ()) -> None:
    """The same figures as text: in prices, and in percent of the last close. `key` keeps two on a page apart."""
    context = answer.forecast.context
    prices, changes = st.tabs(
        [
            _("In {currency}").format(currency=context.currency) if context.currency else _("In prices"),
            _("In percent of the last close"),
        ],
        key=f"{key}_tables",
        on_change="rerun",
    )
    if changes.open:
        changes.table(percent_table(answer, others), border="horizontal", hide_index=True)
    else:
        prices.table(shown_table(answer, others), border="horizontal", hide_index=True)
    since = _("Last close {price}").format(price=money(context.last_close, context.currency))
    if context.cutoff:
        since = _("Last close {price} on {session}").format(
            price=money(context.last_close, context.currency), session=context.cutoff
        )
    st.caption(since + ".")


def _told(answer: Answer, universe: str, *, stored: bool) -> Sifted:
    """What a person said about a ticker was said about its stored history, not about an uploaded window."""
    if not stored:
        return Sifted(answer.drift, ())
    context = answer.forecast.context
    return workspace().alerts.sift(answer.drift, universe, context.ticker, context.cutoff)


def _figures(answer: Answer) -> None:
    forecast, context, last = answer.forecast, answer.forecast.context, answer.forecast.context.last_close
    with st.grid(4, min_column_width=210, gap="medium"):
        figure_card(
            _("Median, {session}").format(session=session(forecast.session(1), 1)),
            money(forecast.median[0], context.currency),
            signed_percent(forecast.median[0] / last - 1),
            _("Half of the probability lies above it, half below."),
            about=_("on the last close"),
        )
        for share in SHARES:
            low, high = forecast.interval(share)
            figure_card(
                _("{share} interval").format(share=percent(share, 0)),
                short_interval(low[0], high[0]),
                _("{low} to {high}").format(
                    low=signed_percent(low[0] / last - 1, 1), high=signed_percent(high[0] / last - 1, 1)
                ),
                _("The close lies inside with {share} probability.").format(share=percent(share, 0)),
            )
        low, high = answer.naive.interval(0.8)
        figure_card(
            _("Naive: no change"),
            money(answer.naive.median[0], context.currency),
            _("{share}: {interval}").format(share=percent(0.8, 0), interval=interval(low[0], high[0])),
            _("The forecast that every model has to beat: tomorrow's close is today's."),
        )


def short_interval(low: float, high: float) -> str:
    """Two prices that fit a card: from 1,000 on, whole ones; the table holds them to the cent."""
    if min(abs(low), abs(high)) < _LARGE:
        return interval(low, high)
    return f"{figures(f'{low:,.0f}')} – {figures(f'{high:,.0f}')}"


def _speaker(answer: Answer) -> None:
    version = answer.speaker.version
    skill = f" {skill_sentence(answer.speaker.scorecard)}" if answer.speaker.scorecard else ""
    st.markdown(f"{badges(version)} {_read(answer)}{skill}")
    note(version)


def _read(answer: Answer) -> str:
    """What the version that speaks has looked at."""
    context, forecaster = answer.forecast.context, answer.speaker.forecaster
    seen = min(len(context.closes), forecaster.history)
    bars = context.bars is not None and bool(forecaster.groups)
    if context.market is not None:
        told = (
            _("**{model}** read {what} and its market up to {session}, the last close at {price}.")
            if context.cutoff
            else _("**{model}** read {what} and its market, the last close at {price}.")
        )
    elif context.cutoff:
        told = _("**{model}** read {what} up to {session}, the last close at {price}.")
    else:
        told = _("**{model}** read {what}, the last close at {price}.")
    return told.format(
        model=plain(answer.speaker.version.label),
        what=count(seen, "session", "sessions") if bars else count(seen, "close", "closes"),
        session=context.cutoff,
        price=price(context.last_close),
    )
