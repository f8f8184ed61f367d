from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from price_payloads import NOW, QUESTION, days_until, raw_bars

import stockcast.prices.store
from stockcast.database import Database
from stockcast.errors import InvalidTicker, UnknownTicker
from stockcast.prices.cleaning import clean_bars
from stockcast.prices.frame import COLUMNS, PriceFrame
from stockcast.prices.source import FetchedPrices, PriceQuestion, PriceReport, Repair
from stockcast.prices.store import PriceStore

REPORT = PriceReport(12, (Repair("duplicate_row", 2, "2 repeated rows were merged."),))


@pytest.fixture
def store(database: Database) -> PriceStore:
    return PriceStore(database)


def fetched(ticker: str = "AAPL", count: int = 10, last: str = "2024-05-15") -> FetchedPrices:
    exchange = "BVMF" if ticker.endswith(".SA") else "XNYS"
    rows = raw_bars(days_until(last, count, exchange))
    return clean_bars(rows, replace(QUESTION, ticker=ticker), source="test", now=NOW)


def test_what_is_loaded_is_what_was_saved(store: PriceStore) -> None:
    saved = FetchedPrices(fetched().frame, REPORT)
    store.save(saved)
    loaded = store.load(" aapl ")
    assert loaded.content_hash == saved.frame.content_hash
    assert (loaded.source, loaded.as_of, loaded.ticker) == ("test", NOW, "AAPL")


def test_what_is_known_about_a_history_needs_no_bars(store: PriceStore) -> None:
    saved = FetchedPrices(fetched("CMIG4.SA").frame, REPORT)
    assert store.save(saved) == store.history("CMIG4.SA")
    history = store.history("cmig4.sa")
    assert (history.exchange, history.currency, history.sessions) == ("BVMF", "BRL", 10)
    assert (history.first_session, history.last_session) == (date(2024, 5, 2), date(2024, 5, 15))
    assert history.content_hash == saved.frame.content_hash
    assert history.report == REPORT


def test_the_moment_comes_back_in_utc_whatever_zone_it_was_written_in(store: PriceStore) -> None:
    local = datetime(2024, 5, 15, 20, tzinfo=timezone(timedelta(hours=-3)))
    store.save(FetchedPrices(replace(fetched().frame, as_of=local), REPORT))
    assert store.history("AAPL").as_of == datetime(2024, 5, 15, 23, tzinfo=UTC)
    assert store.load("AAPL").as_of.tzinfo is UTC


def test_a_history_is_read_again_only_when_somebody_has_stored_it_anew(
    store: PriceStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stockcast.prices.store, "KEPT", 2)
    for ticker in ("AAPL", "IBM", "KO"):
        store.save(fetched(ticker))
    first = store.load("AAPL")
    assert store.load("AAPL") is first
    PriceStore(database).save(fetched("AAPL", 3, "2023-05-15"))  # by another process
    anew = store.load("AAPL")
    assert f"{anew.last_session}" == "2023-05-15"
    PriceStore(database).save(replace(fetched("AAPL", 3, "2023-05-15"), frame=replace(anew, source="file")))
    elsewhere = store.load("AAPL")
    assert elsewhere.source == "file", "the same bars from elsewhere"
    kept = store.load("IBM")
    assert store.load("KO").ticker == "KO"
    assert store.load("IBM") is kept
    again = store.load("AAPL")
    assert again is not elsewhere, "the third is not kept"
    assert (store.load("IBM") is kept, store.load("AAPL") is again) == (True, True)
    store.remove("AAPL")
    with pytest.raises(UnknownTicker):
        store.load("AAPL")


def test_saving_replaces_the_whole_history_of_that_ticker_only(store: PriceStore) -> None:
    store.save(fetched("AAPL", 10))
    store.save(fetched("IBM", 10))
    store.save(fetched("AAPL", 3, "2023-05-15"))
    assert f"{store.load('AAPL').last_session}" == "2023-05-15"
    assert [(history.ticker, history.sessions) for history in store.list()] == [("AAPL", 3), ("IBM", 10)]


def test_a_save_that_fails_half_way_leaves_the_old_history(store: PriceStore) -> None:
    store.save(fetched())
    broken = replace(REPORT, repairs=(Repair("kind", object(), "no JSON"),))  # type: ignore[arg-type]
    with pytest.raises(Exception, match="JSON serializable"):
        store.save(FetchedPrices(fetched(count=3).frame, broken))
    assert store.load("AAPL").content_hash == fetched().frame.content_hash
    assert store.history("AAPL").sessions == 10


def test_an_unknown_ticker_is_refused_with_the_ways_to_get_it(store: PriceStore) -> None:
    for act in (store.load, store.history, store.remove):
        with pytest.raises(UnknownTicker, match="No prices of MSFT are stored") as refused:
            act("msft")
        for command in ("fetch MSFT", "import FILE --ticker MSFT", "prices sample"):
            assert command in refused.value.hint
    assert not store.has("MSFT")
    with pytest.raises(InvalidTicker):
        store.load("'; DROP TABLE bars; --")


def test_a_removed_history_leaves_no_bars_behind(store: PriceStore) -> None:
    store.save(fetched("AAPL"))
    store.save(fetched("IBM"))
    store.remove("AAPL")
    assert [history.ticker for history in store.list()] == ["IBM"]
    store.save(fetched("AAPL", 2))
    assert len(store.load("AAPL")) == 2


unknown = st.just(np.nan)
prices = st.floats(1e-6, 1e12)
bars = st.fixed_dictionaries(
    {name: st.one_of(unknown, prices) for name in ("open", "high", "low")}
    | {"close": prices, "volume": st.one_of(unknown, st.just(-0.0), st.floats(0, 1e15))}
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(bars, min_size=1, max_size=30))
def test_the_store_keeps_every_bit(store: PriceStore, rows: list[dict[str, float]]) -> None:
    index = pd.DatetimeIndex(days_until("2024-05-15", len(rows)), name="session")
    table = pd.DataFrame(rows, index=index, columns=list(COLUMNS))
    frame = PriceFrame.from_dataframe(table, ticker="AAPL", source="test", as_of=NOW)
    store.save(FetchedPrices(frame, REPORT))
    assert store.load("AAPL").content_hash == frame.content_hash == store.history("AAPL").content_hash


def test_a_question_is_not_needed_to_load(store: PriceStore) -> None:
    store.save(clean_bars(raw_bars(days_until("2024-05-15", 5)), PriceQuestion("BRK-B"), source="x", now=NOW))
    assert store.load("brk-b").currency == "USD"
