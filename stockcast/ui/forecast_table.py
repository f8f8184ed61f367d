"""A forecast as a table: on the page in words for people, and as CSV and XLSX for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import streamlit as st

from stockcast.forecasting.quantiles import QuantileForecast
from stockcast.ui.format import interval, price, session, signed_percent
from stockcast.ui.language import _
from stockcast.workflows.compare_forecasts import Beside
from stockcast.workflows.export_forecast import SHARES, forecast_csv, forecast_xlsx
from stockcast.workflows.forecast import Answer

__all__ = ["SHARES", "csv_bytes", "offer_downloads", "percent_table", "shown_table"]

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def shown_table(answer: Answer, others: Sequence[Beside] = ()) -> pd.DataFrame:
    """One row a horizon, in prices: the champion's, the naive ones, and those of the comparisons."""
    unit = answer.forecast.context.currency
    median = _("Median ({currency})").format(currency=unit) if unit else _("Median")
    return _table(answer, others, median, price, narrow_interval)


def percent_table(answer: Answer, others: Sequence[Beside] = ()) -> pd.DataFrame:
    """The same in percent from the last close."""
    last = answer.forecast.context.last_close

    def change(value: float) -> str:
        return signed_percent(value / last - 1)

    def changes(low: float, high: float) -> str:
        return _("{low} to {high}").format(low=change(low), high=change(high))

    return _table(answer, others, _("Median"), change, changes)


def csv_bytes(answer: Answer, others: Sequence[Beside] = (), level: float | None = None) -> bytes:
    """One row a horizon, at full precision, with the version that spoke."""
    return forecast_csv(answer, others, level)


def offer_downloads(answer: Answer, others: Sequence[Beside], level: float | None, key: str) -> None:
    """The buttons for both files; `key` keeps several answers on one page apart."""
    st.download_button(
        "CSV",
        lambda: csv_bytes(answer, others, level),
        file_name=f"{file_stem(answer)}.csv",
        mime="text/csv",
        icon=":material/download:",
        key=f"{key}_csv",
        on_click="ignore",
        help=_("All figures of the table and the chances above the level, at full precision."),
    )
    st.download_button(
        "XLSX",
        lambda: forecast_xlsx(answer, others, level),
        file_name=f"{file_stem(answer)}.xlsx",
        mime=_XLSX,
        icon=":material/download:",
        key=f"{key}_xlsx",
        on_click="ignore",
        help=_("The same for a spreadsheet, with a sheet that says who has spoken."),
    )


def file_stem(answer: Answer) -> str:
    """What a file of this answer is called, without its ending: forecast-AAPL-2013-03-01."""
    context = answer.forecast.context
    name = "".join(mark for mark in context.ticker or "window" if mark.isalnum() or mark in ".-")
    return f"forecast-{name}-{context.cutoff or 'undated'}"


def sessions_of(forecast: QuantileForecast) -> list[str]:
    """The coming sessions, with a hyphen at which a narrow table does not break a date."""
    named = (session(forecast.session(h), h) for h in range(1, forecast.horizon + 1))
    return [name.replace("-", "\N{NON-BREAKING HYPHEN}") for name in named]


def narrow_interval(low: float, high: float) -> str:
    """Two prices that a narrow table breaks once at most."""
    return interval(low, high).replace(" –", "\N{NO-BREAK SPACE}–")


def _table(
    answer: Answer,
    others: Sequence[Beside],
    median: str,
    one: Callable[[float], str],
    two: Callable[[float, float], str],
) -> pd.DataFrame:
    forecast, ahead = answer.forecast, answer.forecast.horizon
    columns: dict[str, list[str]] = {
        _("Session"): sessions_of(forecast),
        median: list(map(one, forecast.median)),
        **_intervals(forecast, SHARES, _("{share} % interval"), two),
        _("Naive"): list(map(one, answer.naive.median[:ahead])),
        **_intervals(answer.naive, SHARES[:1], _("Naive {share} %"), two),
    }
    for beside in others:
        columns[beside.label] = list(map(one, beside.forecast.median[:ahead]))
        named = _("{model} {share} %").replace("{model}", beside.label)
        columns |= _intervals(beside.forecast, SHARES[:1], named, two)
    return pd.DataFrame({name: values[:ahead] for name, values in columns.items()})


def _intervals(
    forecast: QuantileForecast, shares: Sequence[float], name: str, two: Callable[[float, float], str]
) -> Mapping[str, list[str]]:
    found = {}
    for share in shares:
        low, high = forecast.interval(share)
        found[name.format(share=f"{share * 100:.0f}")] = list(map(two, low, high))
    return found
