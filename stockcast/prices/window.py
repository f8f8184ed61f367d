"""PriceWindow: closes that somebody handed over, exactly as they were read, valid or not.

The drift check wants to see what is wrong with them; a forecast refuses them. So nothing is repaired here.
"""

from __future__ import annotations

from dataclasses import dataclass

from stockcast.prices.frame import Floats
from stockcast.prices.sessions import Sessions


@dataclass(frozen=True, eq=False)
class PriceWindow:
    """Closes in the order given, NaN where a value was missing, with their dates when there were any."""

    closes: Floats  # [L]
    sessions: Sessions | None = None  # [L] datetime64[D], in the order given, NaT where unreadable
    ticker: str | None = None
