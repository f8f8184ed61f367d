"""Exchange sessions: which dates trade, which of them are over, which come next. Never weekdays.

A session is a plain date, local to its exchange. The clock is always passed in.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stockcast.errors import InvalidRequest

# A window without dates needs no calendar: what serves forecasts alone starts without pandas.
if TYPE_CHECKING:
    import exchange_calendars
    import pandas as pd

Sessions = NDArray[np.datetime64]  # datetime64[D], ascending

EARLIEST = date(1990, 1, 1)
# Closing auctions and vendors' clean-up: a daily bar is final some minutes after the bell.
SETTLING = timedelta(minutes=20)


@lru_cache(maxsize=32)
def calendar(exchange: str) -> exchange_calendars.ExchangeCalendar:
    """The calendar of an exchange code such as XNYS, from 1990 or from the first year it is known."""
    import exchange_calendars
    import pandas as pd

    kind = exchange_calendars.calendar_utils.global_calendar_dispatcher
    factory = kind._calendar_factories[kind.resolve_alias(exchange)]
    bound = factory.bound_min()
    earliest = pd.Timestamp(EARLIEST)
    return exchange_calendars.get_calendar(exchange, start=earliest if bound is None else max(earliest, bound))


def all_sessions(exchange: str) -> Sessions:
    """Every known session of an exchange, ascending, about a year into the future."""
    return _sessions(exchange)


@lru_cache(maxsize=32)
def _sessions(exchange: str) -> Sessions:
    days: Sessions = calendar(exchange).sessions.to_numpy().astype("datetime64[D]")
    days.setflags(write=False)
    return days


@lru_cache(maxsize=32)
def _closes(exchange: str) -> pd.DatetimeIndex:
    import pandas as pd

    return pd.DatetimeIndex(calendar(exchange).closes)


def last_completed_session(exchange: str, now: datetime) -> date:
    """The last session whose daily bar is final at `now` (an aware datetime)."""
    if now.tzinfo is None:
        raise ValueError("now must carry a time zone")
    import pandas as pd

    moment = pd.Timestamp(now).tz_convert("UTC") - SETTLING
    position = int(_closes(exchange).searchsorted(moment, side="right")) - 1
    return _as_date(_sessions(exchange)[max(position, 0)])


def next_sessions(exchange: str, after: date, count: int) -> tuple[date, ...]:
    """The `count` sessions that follow `after`, which need not be a session itself.

    Raises InvalidRequest where the calendar ends before that.
    """
    days = _sessions(exchange)
    first = int(np.searchsorted(days, np.datetime64(after, "D"), side="right"))
    found = days[first : first + count]
    if len(found) < count:
        raise InvalidRequest(
            f"The calendar of {exchange} is not known beyond {_as_date(days[-1])}.",
            "Ask for an earlier date, or update exchange-calendars.",
        )
    return tuple(_as_date(day) for day in found)


def sessions_between(exchange: str, first: date, last: date) -> Sessions:
    """Sessions of an exchange from `first` to `last`, both inclusive."""
    days = _sessions(exchange)
    return days[(days >= np.datetime64(first, "D")) & (days <= np.datetime64(last, "D"))]


def sessions_since(exchange: str, day: date, now: datetime) -> int:
    """How many sessions were completed after `day`, as of `now` (an aware datetime)."""
    last = last_completed_session(exchange, now)
    return len(sessions_between(exchange, day + timedelta(days=1), last)) if last > day else 0


def closing_times(exchange: str, days: Sessions) -> NDArray[np.datetime64]:
    """When each session closes, in UTC; a day that is no session ends as it begins. [T] datetime64[s]"""
    known = _sessions(exchange)
    found = np.minimum(np.searchsorted(known, days), len(known) - 1)
    closes = _closes(exchange).tz_localize(None).to_numpy().astype("datetime64[s]")
    return np.where(known[found] == days, closes[found], days.astype("datetime64[s]"))


def _as_date(day: np.datetime64) -> date:
    return day.astype(object)  # type: ignore[no-any-return]
