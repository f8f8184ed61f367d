"""How faults are put into words: one finding a rule, its first or worst case told, the others counted."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from stockcast.monitoring.findings import Finding, Severity
from stockcast.prices.window import PriceWindow


def fault(
    measure: str,
    value: float,
    threshold: float,
    sentence: str,
    positions: Iterable[int] = (),
    severity: Severity = "red",
) -> Finding:
    """An integrity finding; `positions` may be numpy integers."""
    where = tuple(int(position) for position in positions)
    return Finding("integrity", severity, measure, float(value), float(threshold), sentence, where)


def place(window: PriceWindow, position: int) -> str:
    """Where a close stands: "on 2024-05-02", or "at row 31 of 60" where there is no date."""
    if window.sessions is not None and not np.isnat(window.sessions[position]):
        return f"on {window.sessions[position]}"
    return f"at row {position + 1} of {len(window.closes)}"


def others(count: int) -> str:
    """What follows the one case that a sentence tells, when there are `count` cases."""
    return "" if count < 2 else f" (and {count - 1} {'other' if count == 2 else 'others'})"


def move(log_return: float) -> str:
    """A move in words: "fell 50.2 %", "rose to 100 times the close before"."""
    if abs(log_return) < math.log(10):
        return f"{'fell' if log_return < 0 else 'rose'} {100 * abs(math.expm1(log_return)):.1f} %"
    factor = math.exp(min(log_return, 700.0))  # beyond that a float overflows
    return f"{'fell' if log_return < 0 else 'rose'} to {factor:.3g} times the close before"
