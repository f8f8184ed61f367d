"""Integrity: deterministic faults of the window itself. Red or amber: check your data."""

from __future__ import annotations

from datetime import date

from stockcast.config import DriftConfig
from stockcast.errors import InvalidWindow
from stockcast.monitoring.date_faults import check_dates
from stockcast.monitoring.findings import Finding
from stockcast.monitoring.history_faults import check_against_history
from stockcast.monitoring.value_faults import check_values
from stockcast.prices.frame import PriceFrame
from stockcast.prices.window import PriceWindow

# Faults that make the returns of a window meaningless, so that nothing may be read from them.
BREAKS_RETURNS = frozenset(
    {
        "not_finite",
        "not_positive",
        "unreadable_dates",
        "unsorted_dates",
        "duplicate_dates",
        "split_or_unit",
        "jump",
        "unlike_history",
        "returns_disagree",
    }
)


def check_integrity(
    window: PriceWindow, config: DriftConfig, *, today: date, stored: PriceFrame | None
) -> tuple[list[Finding], list[str]]:
    """Every fault of a window, and sentences about what could not be checked.

    `today` is the date at the exchange; `stored` is the history kept for the window's ticker. Raises
    InvalidWindow when closes and dates are not one to one.
    """
    if window.sessions is not None and len(window.sessions) != len(window.closes):
        raise InvalidWindow(
            f"The window has {len(window.closes)} closes and {len(window.sessions)} dates.",
            "Provide one date for each close, or no dates.",
        )
    if not len(window.closes):
        return [], ["The window is empty: nothing was checked."]
    dates, undated = check_dates(window, today)
    history, uncompared = check_against_history(window, stored, config)
    return [*check_values(window, config), *dates, *history], [*undated, *uncompared]


def breaks_returns(finding: Finding) -> bool:
    """Whether returns mean nothing while this fault stands."""
    return finding.severity == "red" and finding.measure in BREAKS_RETURNS
