"""The drift check of one window: integrity first, then shape and regime where the returns can be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from stockcast.config import DriftConfig
from stockcast.forecasting.returns import log_returns
from stockcast.monitoring.date_faults import in_order
from stockcast.monitoring.drift_reference import DriftReference
from stockcast.monitoring.findings import DriftReport, Finding
from stockcast.monitoring.integrity import breaks_returns, check_integrity
from stockcast.monitoring.regime import VolatilityReference, check_regime
from stockcast.monitoring.shape_check import check_shape
from stockcast.prices.frame import Floats, PriceFrame
from stockcast.prices.window import PriceWindow

# Calendar days between the stored history and a window that still count as one running into the other.
_LONGEST_BREAK = np.timedelta64(10, "D")
# Faults of single closes: volatility can be read from the other ones.
_OF_SINGLE_CLOSES = frozenset({"split_or_unit", "jump"})
_MOST_LEFT_OUT = 0.1  # share of the returns

NO_REFERENCE = "The model carries no drift reference: the shape and the volatility regime were not checked."
NO_SHAPE = "The shape was not checked: the model's drift reference is from before shapes were measured."


def window_at_end(frame: PriceFrame, lookback: int) -> PriceWindow:
    """The last `lookback` bars of a history as a window. Raises TooShortHistory."""
    frame.require(lookback, "a drift check")
    return PriceWindow(frame.close[-lookback:], frame.sessions[-lookback:], frame.ticker)


def check_window(
    window: PriceWindow,
    reference: DriftReference | None,
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
    if reference is None:
        return DriftReport(tuple(faults), (*unchecked, NO_REFERENCE))
    if len(window.closes) < reference.lookback:
        return DriftReport(
            tuple(faults),
            (
                *unchecked,
                f"The window has {len(window.closes)} closes and the model reads {reference.lookback}: "
                "the shape and the volatility regime were not checked.",
            ),
        )
    breaking = [fault for fault in faults if breaks_returns(fault)]
    skipped = len(window.closes) - reference.lookback  # closes before those that the model reads
    shape, unjudged = _shape(window, reference, config, breaking, skipped)
    regime, untold = _regime(window, reference, config, breaking, skipped, stored)
    return DriftReport((*faults, *shape, *regime), (*unchecked, *unjudged, *untold))


def _shape(
    window: PriceWindow, reference: DriftReference, config: DriftConfig, breaking: Sequence[Finding], skipped: int
) -> tuple[list[Finding], list[str]]:
    if reference.shape is None:
        return [], [NO_SHAPE]
    if breaking:
        return [], ["The returns cannot be trusted: the shape was not checked."]
    sessions = None if window.sessions is None else window.sessions[skipped:]
    read = PriceWindow(window.closes[skipped:], sessions, window.ticker)
    findings, unjudged = check_shape(read, reference.shape, config)
    return [
        replace(found, positions=tuple(skipped + row for row in found.positions)) for found in findings
    ], unjudged


def _regime(
    window: PriceWindow,
    reference: DriftReference,
    config: DriftConfig,
    breaking: Sequence[Finding],
    skipped: int,
    stored: PriceFrame | None,
) -> tuple[list[Finding], list[str]]:
    returns = _trusted_returns(window, breaking, skipped)
    if returns is None:
        return [], ["The returns cannot be trusted: the volatility regime was not checked."]
    before = _closes_before(window, reference.regime, skipped, stored)
    findings = check_regime(returns, window.ticker, reference.regime, config, before=before)
    if before is None:
        return findings, [
            f"The {reference.regime.sessions_before} sessions before the window are not stored: "
            "how much volatility changed was not checked."
        ]
    return findings, []


def _trusted_returns(window: PriceWindow, breaking: Sequence[Finding], skipped: int) -> Floats | None:
    """Log returns of what the model reads, without those to and from single wrong closes [R].

    None when the others cannot be trusted either.
    """
    if any(fault.measure not in _OF_SINGLE_CLOSES for fault in breaking):
        return None
    trusted = np.ones(len(window.closes), dtype=bool)
    for fault in breaking:
        for position in fault.positions:
            trusted[position : position + 2] = False
    trusted = trusted[skipped + 1 :]  # [lookback - 1], each return at the close that it reaches
    if 1 - trusted.mean() > _MOST_LEFT_OUT:
        return None
    return log_returns(window.closes[skipped:])[trusted]


def _closes_before(
    window: PriceWindow, reference: VolatilityReference, skipped: int, stored: PriceFrame | None
) -> Floats | None:
    """Stored closes of the sessions right before those that are judged, or None where they are not known."""
    if stored is None or window.sessions is None or not in_order(window.sessions):
        return None
    first = window.sessions[skipped]
    stop = int(np.searchsorted(stored.sessions, first, side="left"))
    start = stop - reference.sessions_before - 1
    if start < 0 or first - stored.sessions[stop - 1] > _LONGEST_BREAK:
        return None
    return stored.close[start:stop]
