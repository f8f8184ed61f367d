"""Search tickers: which securities have a name like this?"""

from __future__ import annotations

from pathlib import Path

from stockcast.errors import InvalidRequest
from stockcast.home_files import make_folder
from stockcast.prices.yahoo import Listing, YahooPrices

_LONGEST = 80


def search_tickers(cache: Path, text: str) -> tuple[Listing, ...]:
    """Asks Yahoo for securities by company name or ticker. Raises SourceError, or InvalidRequest for no text."""
    wanted = " ".join(text.split())
    if not 1 <= len(wanted) <= _LONGEST:
        raise InvalidRequest("There is nothing to search for.", f"Type a name of up to {_LONGEST} characters.")
    return YahooPrices(make_folder(cache)).search(wanted)
