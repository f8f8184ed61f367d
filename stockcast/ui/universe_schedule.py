"""When a universe is downloaded and trained by itself: the coming moments, by several clocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st
from babel.dates import format_date, format_timedelta

from stockcast.config import ScheduleConfig
from stockcast.errors import InvalidTicker
from stockcast.jobs.schedule import plan
from stockcast.prices.sessions import calendar
from stockcast.prices.tickers import exchange_of
from stockcast.ui.escaping import plain
from stockcast.ui.language import _, locale
from stockcast.ui.shared import workspace

SHOWN = 3
_MOST_CLOCKS = 3  # exchanges whose own time is told


def next_times(entered: Mapping[str, object], tickers: Sequence[str]) -> None:
    """The next moments of a schedule as it was entered; of an unusable one nothing is said here."""
    try:
        rule = ScheduleConfig.model_validate(entered)
    except ValueError:
        return
    planned = plan("", rule, None)
    if planned is None:
        st.caption(
            _(
                "No schedule: it is trained when somebody asks. For example, {example} is 22:30 from Monday to "
                "Friday."
            ).format(example="`30 22 * * 1-5`")
        )
        return
    st.caption(
        _("Schedule: {words} ({zone}). A worker must be running then: stockcast up has one.").format(
            words=plain(planned.words), zone=plain(rule.timezone)
        )
    )
    now = workspace().clock()
    times = planned.coming(now, SHOWN)
    table: dict[str, list[str]] = {
        _("In"): [format_timedelta(time - now, locale=locale()) for time in times],
        zone_label(rule.timezone): [by_clock(time, rule.timezone) for time in times],
        "UTC": [by_clock(time, "UTC") for time in times],
    }
    for code, zone in clocks(tickers)[:_MOST_CLOCKS]:
        table[f"{code} · {zone_label(zone)}"] = [by_clock(time, zone) for time in times]
    st.dataframe(
        pd.DataFrame(table), hide_index=True, height="content", key="schedule_times",
        alt=_("The next three moments at which it is downloaded and trained"),
    )  # fmt: skip


def clocks(tickers: Sequence[str]) -> list[tuple[str, str]]:
    """Exchanges of the tickers with their time zones, that of most tickers first."""
    counted: dict[str, int] = {}
    for ticker in tickers:
        try:
            code = exchange_of(ticker).code
        except InvalidTicker:  # told beside the field
            continue
        counted[code] = counted.get(code, 0) + 1
    return [(code, str(calendar(code).tz)) for code in sorted(counted, key=lambda code: (-counted[code], code))]


def by_clock(moment: datetime, zone: str) -> str:
    """Weekday, date and time by the clock of a zone."""
    there = moment.astimezone(ZoneInfo(zone))
    return f"{format_date(there, 'EEE', locale=locale())} {there:%Y-%m-%d %H:%M}"


def zone_label(zone: str) -> str:
    """A zone's name as people read it: Sao Paulo."""
    return zone.rsplit("/", 1)[-1].replace("_", " ")
