"""What a visitor has chosen on the Forecast page, kept in the session and in the address: a link shows the same.

The horizon is `h`, the sessions before it `past`, what stands beside the champion `also`, the level `level`, the
supposed close `what_if`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

import streamlit as st

from stockcast.ui.address import standing
from stockcast.ui.selection import TICKER, UNIVERSE

HORIZON: Final = "h"
PAST: Final = "past"
ALSO: Final = "also"
LEVEL: Final = "level"
WHAT_IF: Final = "what_if"
_BETWEEN = ","


def number_of(text: str | None) -> float | None:
    """A positive number of an address; None for everything else."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def names_of(text: str | None, known: Sequence[str]) -> list[str]:
    """Those names of a list in an address that are known, in our order."""
    said = [each.strip() for each in (text or "").split(_BETWEEN)]
    return [name for name in known if name in said]


def joined(names: Sequence[str]) -> str | None:
    """Names as an address holds them; None for none."""
    return _BETWEEN.join(names) or None


def link_to_view(universe: str, ticker: str) -> str:
    """The whole address of what is looked at, whatever the browser shows: for a mail, or a note."""
    held = {UNIVERSE: universe, TICKER: ticker}
    for name in (HORIZON, PAST, ALSO, LEVEL, WHAT_IF):
        if value := standing(name):
            held[name] = value
    return f"{st.context.url or 'forecast'}?{urlencode(held, safe=_BETWEEN)}"
