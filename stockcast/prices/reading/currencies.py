"""Which currency a file speaks of, as far as it does: 'Close (R$)', 'USD', '€ 12,50'."""

from __future__ import annotations

import re
from collections.abc import Iterable

# A dollar sign alone is that of twenty currencies and says nothing.
_SIGNS = {"R$": "BRL", "US$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
_CODES = [
    "BRL",
    "USD",
    "EUR",
    "GBP",
    "JPY",
    "CHF",
    "CAD",
    "AUD",
    "NZD",
    "HKD",
    "SGD",
    "KRW",
    "TWD",
    "CNY",
    "INR",
    "MXN",
    "ARS",
    "CLP",
    "ZAR",
    "SEK",
    "DKK",
    "NOK",
]
_TOLD = re.compile(rf"R\$|US\$|[€£¥]|\b(?:{'|'.join(_CODES)})\b")


def currency_told(texts: Iterable[str]) -> str | None:
    """The ISO code of the one currency that the texts name; None where they name none, or several."""
    found = {_SIGNS.get(sign, sign) for text in texts for sign in _TOLD.findall(text)}
    return found.pop() if len(found) == 1 else None
