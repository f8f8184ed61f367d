from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from price_payloads import QUESTION, days_until, raw_bars, yahoo_payload

from stockcast.database import Database
from stockcast.errors import InvalidPrices, NoPricesFound, SourceUnavailable
from stockcast.prices.file import FilePrices
from stockcast.prices.sample import SamplePrices
from stockcast.prices.source import PriceQuestion, ask, shape_question
from stockcast.prices.store import PriceStore
from stockcast.prices.yahoo import YahooPrices
from stockcast.workflows.ingest import OVERLAP_SESSIONS, ingest_prices

DAYS = days_until("2024-05-15", 200)
CLOSES = 100 * np.exp(np.cumsum(np.random.default_rng(2).normal(0, 0.02, 200)))


def evening(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T23:00:00+00:00")


@dataclass
class Market:
    """Yahoo as it knows one ticker: a table that is cut by the question, and every question it was asked."""

    table: pd.DataFrame = field(default_factory=lambda: yahoo_payload(DAYS, CLOSES))
    asked: list[PriceQuestion] = field(default_factory=list)
    broken: bool = False

    def __call__(self, question: PriceQuestion) -> pd.DataFrame:
        self.asked.append(question)
        if self.broken:
            raise SourceUnavailable("Yahoo cannot be reached.", "Try again.")
        days = self.table.index.tz_localize(None)
        return self.table[days >= pd.Timestamp(question.start)] if question.start else self.table


@pytest.fixture
def store(database: Database) -> PriceStore:
    return PriceStore(database)


@pytest.fixture
def market() -> Market:
    return Market()


@pytest.fixture
def yahoo(market: Market, tmp_path: Path) -> YahooPrices:
    return YahooPrices(tmp_path, download=market)


def test_a_first_ingest_stores_everything_as_of_now(store: PriceStore, yahoo: YahooPrices) -> None:
    ingested = ingest_prices(store, yahoo, QUESTION, evening(DAYS[99]))
    assert ingested.status == "added"
    assert ingested.sentence == f"Added 100 sessions of AAPL, {DAYS[0]} to {DAYS[99]}."
    history = store.history("AAPL")
    assert history.content_hash == ingested.frame.content_hash
    assert history.as_of == evening(DAYS[99])
    assert ingested.before is None


def test_an_update_asks_for_an_overlap_only_and_ends_at_the_same_prices(
    store: PriceStore, yahoo: YahooPrices, market: Market
) -> None:
    ingest_prices(store, yahoo, QUESTION, evening(DAYS[149]))
    updated = ingest_prices(store, yahoo, QUESTION, evening(DAYS[154]))
    assert [question.start for question in market.asked] == [
        None, date.fromisoformat(DAYS[150 - OVERLAP_SESSIONS]),
    ]  # fmt: skip
    assert updated.status == "updated"
    assert updated.sentence == f"Added 5 sessions to AAPL, up to {DAYS[154]}."
    assert updated.before is not None
    assert updated.before.sessions == 150
    whole = ask(yahoo, QUESTION, evening(DAYS[154])).frame
    assert store.load("AAPL").content_hash == whole.content_hash


def test_a_dividend_moves_the_older_prices_without_a_seam(
    store: PriceStore, yahoo: YahooPrices, market: Market
) -> None:
    ingest_prices(store, yahoo, QUESTION, evening(DAYS[149]))
    adjusted = np.concatenate([CLOSES[:152] * 0.98, CLOSES[152:]])  # goes ex after the stored end
    market.table = yahoo_payload(DAYS, adjusted)
    updated = ingest_prices(store, yahoo, QUESTION, evening(DAYS[154]))
    assert updated.status == "updated"
    assert "multiplied by 0.98" in updated.sentence
    np.testing.assert_allclose(store.load("AAPL").close, adjusted[:155], rtol=1e-12)
    assert len(market.asked) == 2


def test_a_history_that_was_restated_is_fetched_anew(
    store: PriceStore, yahoo: YahooPrices, market: Market
) -> None:
    ingest_prices(store, yahoo, QUESTION, evening(DAYS[149]))
    restated = np.concatenate([CLOSES[:140] * 0.98, CLOSES[140:]])  # a dividend that was told late
    market.table = yahoo_payload(DAYS, restated)
    ingested = ingest_prices(store, yahoo, QUESTION, evening(DAYS[154]))
    assert ingested.status == "replaced"
    assert f"yahoo has restated AAPL (the return of {DAYS[140]} differs by +2.02 %)" in ingested.sentence
    assert market.asked[-1].start == date.fromisoformat(DAYS[0])
    np.testing.assert_allclose(store.load("AAPL").close, restated[:155])


def test_nothing_new_leaves_the_prices_and_renews_the_date_of_the_question(
    store: PriceStore, yahoo: YahooPrices
) -> None:
    first = ingest_prices(store, yahoo, QUESTION, evening(DAYS[149]))
    later = evening(DAYS[149]).replace(minute=30)
    again = ingest_prices(store, yahoo, QUESTION, later)
    assert again.status == "unchanged"
    assert again.frame.content_hash == first.frame.content_hash
    assert store.history("AAPL").as_of == later
    assert store.history("AAPL").report == first.report


def test_the_repairs_of_updates_add_up_without_counting_the_overlap_twice(
    store: PriceStore, yahoo: YahooPrices, market: Market
) -> None:
    for row in (10, 145, 152):  # far before, inside and after the overlap
        market.table.iloc[row, market.table.columns.get_indexer(["High", "Low"])] = market.table["Close"].iloc[row]
        market.table.iloc[row, market.table.columns.get_loc("Volume")] = 0
    ingest_prices(store, yahoo, QUESTION, evening(DAYS[149]))
    updated = ingest_prices(store, yahoo, QUESTION, evening(DAYS[154]))
    counts = {repair.kind: repair.count for repair in updated.report.repairs}
    assert counts["phantom_session"] == 3
    assert len(updated.frame) == 152


def test_an_asked_range_replaces_what_was_stored_and_says_so(
    store: PriceStore, yahoo: YahooPrices, market: Market
) -> None:
    ingest_prices(store, yahoo, QUESTION, evening(DAYS[149]))
    ranged = ingest_prices(store, yahoo, PriceQuestion("AAPL", date.fromisoformat(DAYS[50])), evening(DAYS[149]))
    assert ranged.status == "replaced"
    assert ranged.sentence.endswith(f"in place of 150 sessions from yahoo, {DAYS[0]} to {DAYS[149]}.")
    assert len(store.load("AAPL")) == 100
    updated = ingest_prices(store, yahoo, QUESTION, evening(DAYS[154]))
    assert f"{updated.frame.first_session}" == DAYS[50], "an update keeps the range that was chosen"


def test_a_file_takes_the_place_of_what_another_source_gave(store: PriceStore, yahoo: YahooPrices) -> None:
    ingest_prices(store, yahoo, QUESTION, evening(DAYS[149]))
    table = raw_bars(DAYS[40:100], CLOSES[40:100]).rename(columns={"session": "Date"}).to_csv(index=False).encode()
    imported = ingest_prices(store, FilePrices("mine.csv", table), QUESTION, evening(DAYS[149]))
    assert imported.status == "replaced"
    assert store.history("AAPL").source == "file: mine.csv"
    again = ingest_prices(store, FilePrices("mine.csv", table), QUESTION, evening(DAYS[149]))
    assert again.status == "unchanged"
    back = ingest_prices(store, yahoo, QUESTION, evening(DAYS[149]))
    assert (back.status, len(back.frame)) == ("replaced", 150)


def test_nothing_is_stored_when_anything_fails(store: PriceStore, yahoo: YahooPrices, market: Market) -> None:
    market.broken = True
    with pytest.raises(SourceUnavailable):
        ingest_prices(store, yahoo, QUESTION, evening(DAYS[149]))
    assert store.list() == ()
    market.broken = False
    ingest_prices(store, yahoo, QUESTION, evening(DAYS[149]))
    before = store.history("AAPL")
    market.table.loc[market.table.index[151], "Close"] = -1.0
    with pytest.raises(InvalidPrices):
        ingest_prices(store, yahoo, QUESTION, evening(DAYS[154]))
    market.table = market.table.iloc[:0]
    with pytest.raises(NoPricesFound):
        ingest_prices(store, yahoo, QUESTION, evening(DAYS[154]))
    assert store.history("AAPL") == before


def test_the_whole_sample_is_stored(store: PriceStore) -> None:
    for ticker in ("aapl", "fb"):
        ingest_prices(store, SamplePrices(), shape_question(ticker), datetime(2024, 1, 2, tzinfo=UTC))
    assert [(history.ticker, history.sessions) for history in store.list()] == [("AAPL", 3270), ("FB", 196)]
