"""Scores every forecast in the journal whose outcome is stored by now."""

from __future__ import annotations

from datetime import date, datetime

from stockcast.monitoring.outcomes import Outcomes, Scoring
from stockcast.prices.store import PriceStore


def score_forecasts(outcomes: Outcomes, store: PriceStore, now: datetime) -> Scoring:
    """Ticker by ticker; histories that tell nothing new are not read. Doing it twice changes nothing."""
    oldest, found = outcomes.unscored(), Scoring()
    for history in store.list():
        if oldest.get(history.ticker, date.max) < history.last_session:
            found += outcomes.score(store.load(history.ticker), now)
    return found
