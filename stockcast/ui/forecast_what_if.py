"""What if the last close had been another? Hypothetical, marked as such, and in no journal."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from stockcast.forecasting.context import LARGEST_CLOSE, LEAST_CLOSE
from stockcast.prices.store import StoredHistory
from stockcast.ui.address import asked, write
from stockcast.ui.answer_view import short_interval
from stockcast.ui.drift_banner import sentences
from stockcast.ui.error_boundary import boundary
from stockcast.ui.escaping import plain
from stockcast.ui.figure_card import figure_card
from stockcast.ui.forecast_address import WHAT_IF, number_of
from stockcast.ui.forecast_level import decimals_of, step_of
from stockcast.ui.forecast_table import narrow_interval, sessions_of
from stockcast.ui.format import figures, interval, money, percent, price, session, signed_percent
from stockcast.ui.language import N_, _
from stockcast.ui.shared import workspace
from stockcast.ui.shown_number import key_showing, moved_to
from stockcast.workflows.forecast import Answer
from stockcast.workflows.suppose_close import Supposition

_SHARE = 0.80
_OPEN = "what_if_open"  # in the session
_CHANGE, _PRICE = "change", "price"
_UNITS = {_CHANGE: N_("Change in percent"), _PRICE: N_("Price")}
_LEAST_CHANGE, _MOST_CHANGE = -99.0, 900.0  # percent


@dataclass(frozen=True)
class _Field:
    """The widget in which a supposed close is typed."""

    name: str
    unit: str
    last: float

    def shown(self, close: float) -> float:
        """What it shows of a supposed close."""
        if self.unit == _CHANGE:
            return min(max(100 * (close / self.last - 1), _LEAST_CHANGE), _MOST_CHANGE)
        return min(max(close, LEAST_CLOSE), LARGEST_CLOSE)

    def close(self, shown: float) -> float:
        """The supposed close that it shows."""
        return self.last * (1 + shown / 100) if self.unit == _CHANGE else shown


@st.fragment
def what_if(answer: Answer, universe: str, history: StoredHistory) -> None:
    """The field, and what the champion would say, drawn when opened; redraws itself alone."""
    with boundary():
        context = answer.forecast.context
        supposed = _supposed(history.ticker, context.last_close)
        place = st.expander(
            _("What if it had closed elsewhere?"), icon=":material/science:", key=_OPEN, on_change="rerun"
        )
        if place.open:
            with place:
                _choose(history.ticker, supposed, context.last_close, context.currency)
                if supposed == context.last_close:
                    st.caption(
                        _("Suppose another last close, and see how the forecast would move and how much wider it "
                          "would be. Nothing of it is written down.")
                    )  # fmt: skip
                else:
                    _show(workspace().rivals.suppose(history.ticker, universe, supposed), answer)


def _supposed(ticker: str, last: float) -> float:
    """The close that the address, or this visitor, supposes; the actual one while nobody does."""
    kept = _kept(ticker)
    if (told := number_of(asked(WHAT_IF))) is not None and LEAST_CLOSE <= told <= LARGEST_CLOSE:
        st.session_state[kept], st.session_state[_OPEN] = told, True
    supposed: float = st.session_state.get(kept, last)
    write(WHAT_IF, None if supposed == last else f"{supposed:.8g}")
    return supposed


def _choose(ticker: str, supposed: float, last: float, currency: str | None) -> None:
    """Draws the field in the unit that was chosen."""
    kept = _kept(ticker)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        unit = st.segmented_control(
            _("Suppose a"), list(_UNITS), format_func=lambda each: _(_UNITS[each]), default=_CHANGE, required=True,
            key="forecast_supposed_unit", help=_("Whether you type a change from the last close, or a price."),
        )  # fmt: skip
        field = _Field(f"{kept}_{unit}", unit, last)
        step, shown = step_of(last), field.shown(supposed)
        key = key_showing(field.name, shown)
        if unit == _CHANGE:
            st.number_input(
                _("Change of the last close (%)"), _LEAST_CHANGE, _MOST_CHANGE, shown, 0.5, format="%.2f",
                key=key, width=270, on_change=_keep, args=(kept, field, key),
                help=_("Zero is what happened."),
            )  # fmt: skip
        else:
            label = _("Last close ({currency})").format(currency=currency) if currency else _("Last close")
            st.number_input(
                label, LEAST_CLOSE, LARGEST_CLOSE, shown, step, format=f"%.{decimals_of(step)}f", key=key,
                width=270, on_change=_keep, args=(kept, field, key), help=_("In place of the one that is stored."),
            )  # fmt: skip
        if supposed != last:
            st.button(
                _("As it was"), icon=":material/restart_alt:", key=f"{kept}_reset", on_click=_forget, args=(kept,),
                help=_("Back to the actual close."),
            )  # fmt: skip


def _show(supposed: Supposition, answer: Answer) -> None:
    context, forecast = answer.forecast.context, supposed.forecast
    st.badge(
        _("Hypothetical"), icon=":material/science:", color="orange",
        help=_("Not a forecast: it tells of a close that did not happen, and no journal holds it."),
    )  # fmt: skip
    st.markdown(
        _("If {ticker} had closed at {close} on {session} ({change}), not at {actual}:").format(
            ticker=plain(context.ticker or ""),
            close=f"**{money(supposed.close, context.currency)}**",
            session=supposed.session,
            change=signed_percent(supposed.change),
            actual=money(supposed.actual_close, context.currency),
        )
    )
    if supposed.drift.warning:
        st.warning(
            sentences(each.sentence for each in supposed.drift.findings),
            title=_("Such a close would itself be doubted"),
            icon=":material/warning:",
        )
    low, high = forecast.interval(_SHARE)
    with st.grid(3, min_column_width=210, gap="medium"):
        figure_card(
            _("Median if so, {session}").format(session=session(forecast.session(1), 1)),
            money(forecast.median[0], context.currency),
            signed_percent(forecast.median[0] / supposed.close - 1),
            about=_("on the supposed close"),
        )
        figure_card(
            _("{share} interval if so").format(share=percent(_SHARE, 0)),
            short_interval(low[0], high[0]),
            _("{times} times as wide as it is").format(times=figures(f"{width_ratio(supposed, answer):.1f}")),
            _("Widths in percent of the last close: a large move makes the next ones likelier to be large."),
        )
        naive_low, naive_high = supposed.naive.interval(_SHARE)
        figure_card(
            _("Naive if so: no change"),
            money(supposed.naive.median[0], context.currency),
            _("{share}: {interval}").format(
                share=percent(_SHARE, 0), interval=interval(naive_low[0], naive_high[0])
            ),
        )
    st.table(what_if_table(supposed, answer), border="horizontal", hide_index=True)


def width_ratio(supposed: Supposition, answer: Answer) -> float:
    """The width of the next session's interval, each as a share of its own last close, beside the actual one."""
    low, high = (quantile / supposed.close for quantile in supposed.forecast.interval(_SHARE))
    actual_low, actual_high = (quantile / supposed.actual_close for quantile in answer.forecast.interval(_SHARE))
    actual = float(actual_high[0] - actual_low[0])
    return float(high[0] - low[0]) / actual if actual else float("nan")


def what_if_table(supposed: Supposition, answer: Answer) -> pd.DataFrame:
    """One row a session: what would be said, beside what is said."""
    forecast, actual = supposed.forecast, answer.forecast
    (low, high), (actual_low, actual_high) = forecast.interval(_SHARE), actual.interval(_SHARE)
    share = f"{_SHARE * 100:.0f}"
    return pd.DataFrame(
        {
            _("Session"): sessions_of(actual),
            _("Median if so"): list(map(price, forecast.median)),
            _("{share} % if so").format(share=share): list(map(narrow_interval, low, high)),
            _("Naive if so"): list(map(price, supposed.naive.median)),
            _("Median as it is"): list(map(price, actual.median)),
            _("{share} % as it is").format(share=share): list(map(narrow_interval, actual_low, actual_high)),
        }
    )


def _kept(ticker: str) -> str:
    """Where the session keeps it."""
    return f"forecast_supposed_{ticker}"


def _keep(kept: str, field: _Field, key: str) -> None:
    if (shown := moved_to(field.name, key)) is not None:
        st.session_state[kept] = field.close(shown)


def _forget(kept: str) -> None:
    st.session_state.pop(kept, None)
