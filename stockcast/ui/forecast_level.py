"""The chance that a close ends above a level which the visitor types or drags."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from stockcast.forecasting.chances import LEAST_CHANCE, MOST_CHANCE, chance_above
from stockcast.forecasting.context import LARGEST_CLOSE, LEAST_CLOSE
from stockcast.ui.address import asked, write
from stockcast.ui.escaping import plain
from stockcast.ui.forecast_address import LEVEL, number_of
from stockcast.ui.forecast_table import sessions_of
from stockcast.ui.format import money, percent, session, signed_percent
from stockcast.ui.language import _
from stockcast.ui.shown_number import key_showing, moved_to
from stockcast.workflows.compare_forecasts import Beside
from stockcast.workflows.forecast import Answer

_DIGITS = 4  # significant ones of the last close that one step of the slider moves


@dataclass(frozen=True)
class Level:
    """A price, and whether the visitor has chosen it; the last close where not."""

    price: float
    chosen: bool


def level_of(answer: Answer, key: str, *, in_address: bool) -> Level:
    """What was chosen for this answer before its widgets are drawn. `key` keeps tickers and windows apart."""
    if in_address and (told := number_of(asked(LEVEL))) is not None and LEAST_CLOSE <= told <= LARGEST_CLOSE:
        st.session_state[_kept(key)] = told
        st.session_state[f"{_kept(key)}_open"] = True
    price = st.session_state.get(_kept(key))
    if in_address:
        write(LEVEL, None if price is None else f"{price:.10g}")
    last = answer.forecast.context.last_close
    return Level(last, chosen=False) if price is None else Level(price, price != last)


def choose_level(answer: Answer, level: Level, key: str) -> None:
    """The slider and the field, drawn when opened; both move the level that `level_of` reads at the next run."""
    context = answer.forecast.context
    step = step_of(context.last_close)
    least, most = reach_of(answer, step, level.price)
    written = f"%.{decimals_of(step)}f"
    label = _("Level ({currency})").format(currency=context.currency) if context.currency else _("Level")
    place = st.expander(_("Choose the level"), icon=":material/tune:", key=f"{_kept(key)}_open", on_change="rerun")
    if not place.open:
        return
    with place, st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        field, slider = f"{_kept(key)}_field", f"{_kept(key)}_slider"
        field_key = key_showing(field, level.price)
        st.number_input(
            label, LEAST_CLOSE, LARGEST_CLOSE, level.price, step, format=written, key=field_key, width=180,
            on_change=_keep, args=(key, field, field_key),
            help=_("A price, for example a limit or a strike. It is drawn on the chart and kept in the address."),
        )  # fmt: skip
        within = min(max(level.price, least), most)
        slider_key = key_showing(slider, within)
        st.slider(
            _("Drag the level"), least, most, within, step, format=written, key=slider_key,
            on_change=_keep, args=(key, slider, slider_key),
            help=_("From the lowest to the highest price of the intervals; type a level beyond them."),
        )  # fmt: skip
        if level.chosen:
            st.button(
                _("Last close"), icon=":material/restart_alt:", key=f"{_kept(key)}_reset", on_click=_forget,
                args=(key,), help=_("Back to the last close: the chance that the price rises."),
            )  # fmt: skip


def show_chances(answer: Answer, others: Sequence[Beside], level: Level) -> None:
    """The answer as a sentence, and a table of sessions."""
    context = answer.forecast.context
    told = {
        "ticker": plain(context.ticker or _("the price")),
        "level": money(level.price, context.currency),
        "change": signed_percent(level.price / context.last_close - 1),
        "session": session(answer.forecast.session(1), 1),
        "chance": chance_words(float(chance_above(answer.forecast, level.price)[0])),
        "naive": chance_words(float(chance_above(answer.naive, level.price)[0])),
    }
    sentence = (
        _("The chance that {ticker} closes above {level} ({change} from the last close) is **{chance}** "
          "({session}); naive says {naive}.")
        if level.chosen
        else _("The chance that {ticker} closes above its last close, {level}, is **{chance}** ({session}); "
               "naive says {naive}.")
    )  # fmt: skip
    st.markdown(sentence.format(**told))
    st.table(chance_table(answer, others, level.price), border="horizontal", hide_index=True)
    st.caption(
        _(
            "Read off the predictive quantiles, from {least} to {most}. Beyond them a forecast says no more than "
            "under or over."
        ).format(least=percent(LEAST_CHANCE), most=percent(MOST_CHANCE))
    )


def chance_table(answer: Answer, others: Sequence[Beside], price: float) -> pd.DataFrame:
    """One row a session: the champion's chance, the naive one, and those of the comparisons."""
    forecast = answer.forecast
    columns = {
        answer.speaker.version.label: chance_above(forecast, price),
        _("Naive"): chance_above(answer.naive, price),
        **{each.label: chance_above(each.forecast, price) for each in others},
    }
    return pd.DataFrame(
        {
            _("Session"): sessions_of(forecast),
            **{who: list(map(chance_words, shares[: forecast.horizon])) for who, shares in columns.items()},
        }
    )


def chance_words(share: float) -> str:
    """A chance as far as the quantiles know it."""
    if share < LEAST_CHANCE:
        return _("under {share}").format(share=percent(LEAST_CHANCE))
    if share > MOST_CHANCE:
        return _("over {share}").format(share=percent(MOST_CHANCE))
    return percent(share, 0)


def step_of(last_close: float) -> float:
    """One step of a level: a unit of the fourth significant digit, such as 0.01 at 56.14."""
    return float(10.0 ** (math.floor(math.log10(last_close)) - _DIGITS + 1))


def decimals_of(step: float) -> int:
    """Decimals that show one step, two at least."""
    return min(12, max(2, -math.floor(math.log10(step))))


def reach_of(answer: Answer, step: float, level: float) -> tuple[float, float]:
    """The least and the highest of all 95 % intervals and the level, rounded outwards to steps; never empty."""
    low, high = answer.forecast.interval(0.95)
    last = answer.forecast.context.last_close
    bottom = math.floor(min(float(low.min()), last, level) / step) - 1
    top = math.ceil(max(float(high.max()), last, level) / step) + 1
    digits = decimals_of(step)
    return round(max(bottom, 1) * step, digits), round(top * step, digits)


def _keep(key: str, widget: str, drawn: str) -> None:
    if (price := moved_to(widget, drawn)) is not None:
        st.session_state[_kept(key)] = price


def _forget(key: str) -> None:
    st.session_state.pop(_kept(key), None)


def _kept(key: str) -> str:
    return f"forecast_level_{key}"
