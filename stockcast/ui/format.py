"""How figures, dates and moments are written on the pages."""

from __future__ import annotations

import math
from datetime import date, datetime

MISSING = "–"
_GLUE = "\N{NO-BREAK SPACE}"  # a figure and its unit stay on one line


def price(value: float) -> str:
    """A price without its currency: two decimals, four significant digits below one."""
    if not math.isfinite(value):
        return MISSING
    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.4g}"


def money(value: float, currency: str | None) -> str:
    """A price with the code of its currency, or bare where none is known."""
    return f"{price(value)}{_GLUE}{currency}" if currency else price(value)


def interval(low: float, high: float) -> str:
    """Two prices as a range."""
    return f"{price(low)} – {price(high)}"


def percent(share: float, digits: int = 1) -> str:
    """A share of one as percent."""
    return f"{share * 100:.{digits}f}{_GLUE}%" if math.isfinite(share) else MISSING


def signed_percent(share: float, digits: int = 2) -> str:
    """A change as percent, always with its sign, never a negative zero."""
    rounded = round(share * 100, digits) + 0.0
    return f"{rounded:+.{digits}f}{_GLUE}%" if math.isfinite(share) else MISSING


def glued(text: str) -> str:
    """A sentence whose figures stay on one line with their percent signs."""
    return text.replace(" %", f"{_GLUE}%").replace(" \\%", f"{_GLUE}\\%")  # as it is, and escaped


def moment(when: datetime) -> str:
    """An aware UTC moment to the minute."""
    return f"{when:%Y-%m-%d %H:%M} UTC"


def seconds(duration: float) -> str:
    """A duration as a person says it."""
    if duration < 90:
        return f"{duration:.0f} s" if duration >= 10 else f"{duration:.1f} s"
    return f"{duration // 60:.0f} min {duration % 60:.0f} s"


def count(number: int, noun: str) -> str:
    """A number with its noun: 1 forecast, 2 forecasts."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def session(day: date | None, horizon: int) -> str:
    """A coming session by its date, or by its distance where the window carried no dates."""
    if day is not None:
        return day.isoformat()
    return "next session" if horizon == 1 else f"{horizon} sessions ahead"
