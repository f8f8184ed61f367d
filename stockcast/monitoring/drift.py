"""The drift check of one window: integrity first, then the regime where the returns can be read."""

from __future__ import annotations

from datetime import date

import numpy as np

from stockcast.config import DriftConfig
from stockcast.monitoring.date_faults import in_order
from stockcast.monitoring.findings import DriftReport, Finding
from stockcast.monitoring.integrity import breaks_returns, check_integrity
from stockcast.monitoring.regime import VolatilityReference, check_regime
from stockcast.prices.frame import Floats, PriceFrame
from stockcast.prices.window import PriceWindow

# Calendar days between the stored history and a window that still count as one running into the other.
_LONGEST_BREAK = np.timedelta64(10, "D")


def window_at_end(frame: PriceFrame, lookback: int) -> PriceWindow:
    """The last `lookback` bars of a history as a window. Raises TooShortHistory."""
    frame.require(lookback, "a drift check")
    return PriceWindow(frame.close[-lookback:], frame.sessions[-lookback:], frame.ticker)


def check_window(
    window: PriceWindow,
    reference: VolatilityReference | None,
    config: DriftConfig,
    *,
    today: date,
    stored: PriceFrame | None,
) -> DriftReport:
    """All layers over one window.

    `reference` belongs to the model that will read the window, None for one that was not trained; `today` is the
    date at the exchange; `stored` is the history kept for the window's ticker. Raises InvalidWindow when closes
    and dates are not one to one.
    """
    faults, unchecked = check_integrity(window, config, today=today, stored=stored)
    regime, untold = _regime(window, reference, config, faults, stored)
    return DriftReport((*faults, *regime), (*unchecked, *untold))


def _regime(
    window: PriceWindow,
    reference: VolatilityReference | None,
    config: DriftConfig,
    faults: list[Finding],
    stored: PriceFrame | None,
) -> tuple[list[Finding], list[str]]:
    if reference is None:
        return [], ["The model carries no drift reference: the volatility regime was not checked."]
    if any(breaks_returns(fault) for fault in faults):
        return [], ["The returns cannot be trusted: the volatility regime was not checked."]
    if len(window.closes) < reference.lookback:
        return [], [
            f"The window has {len(window.closes)} closes and the model reads {reference.lookback}: "
            "the volatility regime was not checked."
        ]
    before = _closes_before(window, reference, stored)
    findings = check_regime(window.closes, window.ticker, reference, config, before=before)
    if before is None:
        return findings, [
            f"The {reference.sessions_before} sessions before the window are not stored: "
            "how much volatility changed was not checked."
        ]
    return findings, []


def _closes_before(
    window: PriceWindow, reference: VolatilityReference, stored: PriceFrame | None
) -> Floats | None:
    """Stored closes of the sessions right before the window that is judged, or None where they are not known."""
    if stored is None or window.sessions is None or not in_order(window.sessions):
        return None
    first = window.sessions[-reference.lookback]
    stop = int(np.searchsorted(stored.sessions, first, side="left"))
    start = stop - reference.sessions_before - 1
    if start < 0 or first - stored.sessions[stop - 1] > _LONGEST_BREAK:
        return None
    return stored.close[start:stop]
