"""How figures, dates and moments are written on the pages, in the visitor's language.

Dates are ISO dates in every language: a session has one name, which sorts and which every table and file shares.
"""

from __future__ import annotations

import math
from datetime import date, datetime

from babel.dates import format_date, format_skeleton

from stockcast.evaluation.significance import LEAST_P
from stockcast.ui.language import _, locale, ngettext

MISSING = "–"
_GLUE = "\N{NO-BREAK SPACE}"  # a figure and its unit stay on one line


def figures(text: str) -> str:
    """A figure in Python's own writing (1,234.5) in the visitor's."""
    symbols = locale().number_symbols["latn"]
    return text.translate({ord(","): symbols["group"], ord("."): symbols["decimal"]})


def price(value: float) -> str:
    """A price without its currency: two decimals, four significant digits below one."""
    if not math.isfinite(value):
        return MISSING
    return figures(f"{value:,.2f}" if abs(value) >= 1 else f"{value:.4g}")


def money(value: float, currency: str | None) -> str:
    """A price with the code of its currency, or bare where none is known."""
    return f"{price(value)}{_GLUE}{currency}" if currency else price(value)


def interval(low: float, high: float) -> str:
    """Two prices as a range."""
    return f"{price(low)} – {price(high)}"


def percent(share: float, digits: int = 1) -> str:
    """A share of one as percent."""
    return figures(f"{share * 100:.{digits}f}") + f"{_GLUE}%" if math.isfinite(share) else MISSING


def signed_percent(share: float, digits: int = 2) -> str:
    """A change as percent, always with its sign, never a negative zero."""
    rounded = round(share * 100, digits) + 0.0
    return figures(f"{rounded:+.{digits}f}") + f"{_GLUE}%" if math.isfinite(share) else MISSING


def p_figure(value: float) -> str:
    """A p-value without its name, for a column that has it."""
    if not math.isfinite(value):
        return MISSING
    return figures(f"< {LEAST_P}" if value < LEAST_P else f"{value:.3f}")


def glued(text: str) -> str:
    """A sentence whose figures stay on one line with their percent signs."""
    return text.replace(" %", f"{_GLUE}%").replace(" \\%", f"{_GLUE}\\%")  # as it is, and escaped


def moment(when: datetime) -> str:
    """An aware UTC moment to the minute."""
    return f"{when:%Y-%m-%d %H:%M} UTC"


def weekday(day: date) -> str:
    """The day of the week, in short."""
    return format_date(day, "EEE", locale=locale())


def month(day: date) -> str:
    """The month, in short."""
    return format_skeleton("MMM", day, locale=locale()).rstrip(".")


def day_of_month(day: date) -> str:
    """Month and day, in short, in the visitor's order."""
    return format_skeleton("MMMd", day, locale=locale()).rstrip(".")


def seconds(duration: float) -> str:
    """A duration as a person says it."""
    if duration < 90:
        return figures(f"{duration:.0f} s" if duration >= 10 else f"{duration:.1f} s")
    minutes, rest = divmod(round(duration), 60)
    return f"{minutes} min {rest} s"


def count(number: int, one: str, many: str) -> str:
    """A number with its noun, in the visitor's language: 1 forecast, 2 forecasts."""
    return f"{figures(f'{number:,}')} {ngettext(one, many, number)}"


def session(day: date | None, horizon: int) -> str:
    """A coming session by its date, or by its distance where the window carried no dates."""
    if day is not None:
        return day.isoformat()
    return _("next session") if horizon == 1 else _("{horizon} sessions ahead").format(horizon=horizon)
