"""What a ticker looks like, which exchange it trades on and in which currency."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stockcast.errors import InvalidTicker

# Yahoo's own forms: BRK-B, CMIG4.SA, ^BVSP, EURUSD=X. An allow-list: a ticker never becomes a file name,
# a query or markup, and this is why.
_TICKER = re.compile(r"\^?[A-Z0-9][A-Z0-9-]{0,14}(\.[A-Z]{1,4})?(=[XF])?")


@dataclass(frozen=True)
class Exchange:
    """An exchange by its ISO 10383 code, as exchange_calendars names it, and the currency it quotes in."""

    code: str
    currency: str


NEW_YORK = Exchange("XNYS", "USD")

# Yahoo's suffixes: https://help.yahoo.com/kb/SLN2310.html
_BY_SUFFIX = {
    "SA": Exchange("BVMF", "BRL"),
    "T": Exchange("XTKS", "JPY"),
    "L": Exchange("XLON", "GBp"),
    "PA": Exchange("XPAR", "EUR"),
    "DE": Exchange("XETR", "EUR"),
    "F": Exchange("XFRA", "EUR"),
    "AS": Exchange("XAMS", "EUR"),
    "BR": Exchange("XBRU", "EUR"),
    "LS": Exchange("XLIS", "EUR"),
    "MC": Exchange("XMAD", "EUR"),
    "MI": Exchange("XMIL", "EUR"),
    "VI": Exchange("XWBO", "EUR"),
    "HE": Exchange("XHEL", "EUR"),
    "SW": Exchange("XSWX", "CHF"),
    "ST": Exchange("XSTO", "SEK"),
    "CO": Exchange("XCSE", "DKK"),
    "OL": Exchange("XOSL", "NOK"),
    "TO": Exchange("XTSE", "CAD"),
    "AX": Exchange("XASX", "AUD"),
    "NZ": Exchange("XNZE", "NZD"),
    "HK": Exchange("XHKG", "HKD"),
    "SI": Exchange("XSES", "SGD"),
    "KS": Exchange("XKRX", "KRW"),
    "TW": Exchange("XTAI", "TWD"),
    "SS": Exchange("XSHG", "CNY"),
    "NS": Exchange("XBOM", "INR"),
    "BO": Exchange("XBOM", "INR"),
    "MX": Exchange("XMEX", "MXN"),
    "BA": Exchange("XBUE", "ARS"),
    "SN": Exchange("XSGO", "CLP"),
    "JO": Exchange("XJSE", "ZAc"),
}
_BY_INDEX = {
    "^BVSP": Exchange("BVMF", "points"),
    "^N225": Exchange("XTKS", "points"),
    "^FTSE": Exchange("XLON", "points"),
    "^FCHI": Exchange("XPAR", "points"),
    "^GDAXI": Exchange("XETR", "points"),
    "^HSI": Exchange("XHKG", "points"),
}


def normalise_ticker(text: str) -> str:
    """The ticker in capitals without surrounding blanks.

    Raises InvalidTicker when what remains is not a ticker by form.
    """
    ticker = text.strip().upper()
    if not _TICKER.fullmatch(ticker):
        shown = text.strip()[:20]
        raise InvalidTicker(
            f"{shown!r} is not a ticker.",
            "Use letters, digits and at most one suffix, as Yahoo writes it: AAPL, BRK-B, CMIG4.SA, ^BVSP.",
        )
    return ticker


def exchange_of(ticker: str) -> Exchange:
    """The exchange on which a normalised ticker trades; New York where the form says nothing else.

    Raises InvalidTicker for a suffix whose exchange is not known: a wrong calendar would invent sessions.
    """
    if ticker.startswith("^"):
        return _BY_INDEX.get(ticker, Exchange("XNYS", "points"))
    if ticker.endswith("=X"):
        return Exchange("24/5", "rate")
    stem, _, suffix = ticker.partition(".")
    if not suffix:
        crypto = stem.endswith(("-USD", "-EUR", "-BRL"))
        return Exchange("24/7", stem[-3:]) if crypto else NEW_YORK
    if suffix not in _BY_SUFFIX:
        raise InvalidTicker(
            f"No exchange calendar is known for the suffix '.{suffix}' of {ticker}.",
            f"Known suffixes: {', '.join('.' + name for name in sorted(_BY_SUFFIX))}.",
        )
    return _BY_SUFFIX[suffix]
