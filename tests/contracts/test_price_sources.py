"""What every price source promises, whatever is behind it: sample, file, Yahoo."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from price_payloads import raw_bars, yahoo_payload

from stockcast.errors import InvalidPrices, NoPricesFound
from stockcast.prices.file import FilePrices
from stockcast.prices.frame import COLUMNS
from stockcast.prices.sample import SAMPLE_TICKERS, SamplePrices
from stockcast.prices.sessions import last_completed_session, sessions_between
from stockcast.prices.source import FetchedPrices, PriceQuestion, PriceSource, ask
from stockcast.prices.yahoo import YahooPrices

FIRST, LAST = date(2012, 1, 3), date(2013, 3, 1)
# Two hours before the bell of 2013-02-15: the payloads go on to March, the histories must not.
NOW = datetime(2013, 2, 15, 19, tzinfo=UTC)
QUESTION = PriceQuestion("AAPL")

DAYS = [f"{day}" for day in sessions_between("XNYS", FIRST, LAST)]
CLOSES = 50 * np.exp(np.cumsum(np.random.default_rng(11).normal(0, 0.02, len(DAYS))))


def csv_of_bars() -> bytes:
    bars = raw_bars(DAYS, CLOSES).rename(columns={"session": "Date"})
    return bars.to_csv(index=False).encode()


@dataclass(frozen=True)
class Case:
    make: Callable[[Path], PriceSource[Any]]
    name: str
    first: date


CASES = {
    "sample": Case(lambda _folder: SamplePrices(), "sample", date(2000, 3, 1)),
    "file": Case(lambda _folder: FilePrices("bars.csv", csv_of_bars()), "file: bars.csv", FIRST),
    "yahoo": Case(
        lambda folder: YahooPrices(folder, download=lambda _question: yahoo_payload(DAYS, CLOSES)), "yahoo", FIRST
    ),
}


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture
def source(case: Case, tmp_path: Path) -> PriceSource[Any]:
    return case.make(tmp_path)


@pytest.fixture
def fetched(source: PriceSource[Any]) -> FetchedPrices:
    return ask(source, QUESTION, NOW)


def test_the_frame_says_what_it_is(case: Case, source: PriceSource[Any], fetched: FetchedPrices) -> None:
    frame = fetched.frame
    assert (frame.ticker, frame.source, frame.as_of) == ("AAPL", case.name, NOW)
    assert source.name == case.name
    assert frame.first_session == case.first


def test_sessions_are_sorted_unique_and_those_of_the_exchange(fetched: FetchedPrices) -> None:
    sessions = fetched.frame.sessions
    assert (np.diff(sessions) > np.timedelta64(0, "D")).all()
    assert np.isin(sessions, sessions_between("XNYS", fetched.frame.first_session, LAST)).all()


def test_bars_are_positive_ordered_and_frozen(fetched: FetchedPrices) -> None:
    frame = fetched.frame
    assert (frame.low <= np.minimum(frame.open, frame.close) * 1.0001).all()
    assert (frame.high >= np.maximum(frame.open, frame.close) * 0.9999).all()
    assert (frame.low > 0).all()
    assert (frame.volume >= 0).all()
    for name in COLUMNS:
        with pytest.raises(ValueError, match="read-only"):
            getattr(frame, name)[0] = 1.0


def test_nothing_comes_after_the_last_completed_session_and_that_is_told(fetched: FetchedPrices) -> None:
    assert fetched.frame.last_session == last_completed_session("XNYS", NOW) == date(2013, 2, 14)
    unfinished = [repair for repair in fetched.report.repairs if repair.kind == "unfinished_bar"]
    assert [repair.count for repair in unfinished] == [10]  # 2013-02-15 to 2013-03-01
    assert fetched.report.rows_read == len(fetched.frame) + 10


def test_a_range_is_respected_at_both_ends(source: PriceSource[Any]) -> None:
    question = PriceQuestion("AAPL", date(2012, 6, 2), date(2012, 9, 3))  # a Saturday and Labor Day
    frame = ask(source, question, NOW).frame
    assert (frame.first_session, frame.last_session) == (date(2012, 6, 4), date(2012, 8, 31))


def test_a_range_without_prices_is_refused(source: PriceSource[Any]) -> None:
    with pytest.raises((NoPricesFound, InvalidPrices)):
        ask(source, PriceQuestion("AAPL", date(1994, 1, 3), date(1994, 2, 3)), NOW)


def test_a_payload_replays_to_the_same_prices_and_is_left_alone(source: PriceSource[Any]) -> None:
    payload = source.fetch(QUESTION)
    recorded = copy.deepcopy(payload)
    first, second = source.normalise(QUESTION, payload, NOW), source.normalise(QUESTION, recorded, NOW)
    assert first.frame.content_hash == second.frame.content_hash
    assert first.report == second.report
    assert source.normalise(QUESTION, payload, NOW).frame.content_hash == first.frame.content_hash


def test_a_later_clock_only_adds_sessions(source: PriceSource[Any]) -> None:
    payload = source.fetch(QUESTION)
    early = source.normalise(QUESTION, payload, NOW).frame
    late = source.normalise(QUESTION, payload, datetime(2013, 6, 3, tzinfo=UTC)).frame
    assert late.last_session == LAST
    assert late.until(early.last_session).content_hash == early.content_hash


def test_the_sample_is_adjusted_and_knows_its_tickers() -> None:
    frame = ask(SamplePrices(), QUESTION, datetime(2024, 1, 2, tzinfo=UTC)).frame
    # Splits of 2:1 in 2000 and 2005 leave no trace in the adjusted returns.
    around = frame.until(date(2005, 2, 28)).rows(-2, len(frame.until(date(2005, 2, 28))))
    assert abs(np.diff(np.log(around.close))[0]) < 0.05
    assert SAMPLE_TICKERS == ("AAPL", "GOOG", "IBM", "MSFT", "FB")
    with pytest.raises(NoPricesFound, match="sample holds no prices of NVDA") as refused:
        ask(SamplePrices(), PriceQuestion("NVDA"), NOW)
    assert "AAPL, GOOG" in refused.value.hint
