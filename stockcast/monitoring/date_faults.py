"""Faults of the dates: unreadable, out of order, twice, in the future, or not the sessions of the exchange."""

from __future__ import annotations

from datetime import date

import numpy as np

from stockcast.errors import InvalidTicker
from stockcast.monitoring.faults import fault, others, place
from stockcast.monitoring.findings import Finding, Severity
from stockcast.prices.sessions import Sessions, all_sessions, sessions_between
from stockcast.prices.tickers import exchange_of, normalise_ticker
from stockcast.prices.window import PriceWindow

# One missing row merges two returns of a window and changes little; vendors and calendars disagree by as much.
_FORGIVEN = 2

NO_DATES = "No dates were given: their order, gaps and future sessions were not checked."
NO_TICKER = "No ticker was given: gaps against the exchange calendar were not checked."


def check_dates(window: PriceWindow, today: date) -> tuple[list[Finding], list[str]]:
    """Faults of the dates, and what could not be checked. `today` is the date at the exchange."""
    days = window.sessions
    if days is None:
        return [], [NO_DATES]
    faults = [*_unreadable(window, days), *_unsorted(window, days), *_duplicates(window, days)]
    faults += _future(window, days, today)
    gaps, unchecked = _against_calendar(window, days, today)
    return faults + gaps, unchecked


def in_order(days: Sessions) -> bool:
    """Whether all dates are readable and each is later than the one before."""
    return not np.isnat(days).any() and bool((days[1:] > days[:-1]).all())


def _unreadable(window: PriceWindow, days: Sessions) -> list[Finding]:
    wrong = np.flatnonzero(np.isnat(days))
    if not wrong.size:
        return []
    sentence = f"The date {place(window, wrong[0])} is missing or cannot be read{others(len(wrong))}."
    return [fault("unreadable_dates", len(wrong), 0, sentence, wrong)]


def _unsorted(window: PriceWindow, days: Sessions) -> list[Finding]:
    readable = np.flatnonzero(~np.isnat(days))
    backwards = np.flatnonzero(days[readable][1:] < days[readable][:-1])
    if not backwards.size:
        return []
    positions = readable[backwards + 1]
    if len(readable) > 2 and len(backwards) == len(readable) - 1:
        sentence = "The dates run from the newest to the oldest: turn the window round, oldest close first."
    else:
        before = days[readable[backwards[0]]]
        sentence = (
            f"The date {days[positions[0]]} follows {before}{others(len(backwards))}: "
            "sort the window, oldest close first."
        )
    return [fault("unsorted_dates", len(backwards), 0, sentence, positions)]


def _duplicates(window: PriceWindow, days: Sessions) -> list[Finding]:
    readable = np.flatnonzero(~np.isnat(days))
    _, first_rows = np.unique(days[readable], return_index=True)
    repeated = np.delete(readable, first_rows)
    if not repeated.size:
        return []
    sentence = f"There is more than one close {place(window, repeated[0])}{others(len(repeated))}."
    return [fault("duplicate_dates", len(repeated), 0, sentence, repeated)]


def _future(window: PriceWindow, days: Sessions, today: date) -> list[Finding]:
    future = np.flatnonzero(days > np.datetime64(today, "D"))
    if not future.size:
        return []
    ahead = int((days[future].max() - np.datetime64(today, "D")).astype(int))
    sentence = f"There is a close {place(window, future[0])}{others(len(future))}, but today is {today}."
    return [fault("future_dates", ahead, 0, sentence, future)]


def _against_calendar(window: PriceWindow, days: Sessions, today: date) -> tuple[list[Finding], list[str]]:
    if window.ticker is None:
        return [], [NO_TICKER]
    try:
        exchange = exchange_of(normalise_ticker(window.ticker)).code
    except InvalidTicker as problem:
        return [], [f"Gaps against the exchange calendar were not checked: {problem.message}"]
    known = np.unique(days[days <= np.datetime64(today, "D")])  # drops NaT as well
    if not known.size:
        return [], []
    first, last = known[0].astype(object), known[-1].astype(object)
    if known[0] < all_sessions(exchange)[0]:
        return [], [f"The calendar of {exchange} begins after {first}: gaps were not checked."]
    expected = sessions_between(exchange, first, last)
    if np.array_equal(known, expected):
        return [], []
    return [
        *_missing(days, np.setdiff1d(expected, known), exchange),
        *_closed(window, days, np.setdiff1d(known, expected), exchange),
    ], []


def _missing(days: Sessions, missing: Sessions, exchange: str) -> list[Finding]:
    if not missing.size:
        return []
    many = f"{len(missing)} sessions from {missing[0]} to {missing[-1]}"
    listed = many if len(missing) > 1 else f"{missing[0]}"
    sentence = f"No close was given for {listed}, on which {exchange} traded."
    # The close after each gap: its return spans more than one session.
    after = {int(np.flatnonzero(days > day)[0]) for day in missing}
    return [fault("missing_sessions", len(missing), 0, sentence, sorted(after), _grade(len(missing)))]


def _closed(window: PriceWindow, days: Sessions, closed: Sessions, exchange: str) -> list[Finding]:
    if not closed.size:
        return []
    positions = np.flatnonzero(np.isin(days, closed))
    sentence = (
        f"There is a close {place(window, positions[0])}{others(len(positions))}, "
        f"on which {exchange} did not trade: a copied row, or dates that are shifted."
    )
    return [fault("closed_dates", len(closed), 0, sentence, positions, _grade(len(closed)))]


def _grade(sessions: int) -> Severity:
    return "red" if sessions > _FORGIVEN else "amber"
