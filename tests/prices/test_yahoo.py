"""Yahoo without a network: its tables replayed, its server played by a function, its failures staged."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from price_payloads import NOW, QUESTION, days_until, yahoo_payload

from stockcast.errors import InvalidPrices, NoPricesFound, SourceRateLimited, SourceUnavailable
from stockcast.prices.source import PriceQuestion, ask
from stockcast.prices.yahoo import ATTEMPTS, YahooPrices

DAYS = days_until("2024-05-15", 30)
Answer = Callable[[str], tuple[int, str]]


def replayed(payload: pd.DataFrame, tmp_path: Path) -> YahooPrices:
    return YahooPrices(tmp_path, download=lambda _question: payload)


def test_importing_the_source_does_not_import_yfinance() -> None:
    code = "import sys, stockcast.prices.yahoo as y; sys.exit(bool({'yfinance', 'curl_cffi'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_sessions_are_the_dates_of_the_exchange_whatever_the_offset(tmp_path: Path) -> None:
    fetched = ask(replayed(yahoo_payload(DAYS), tmp_path), QUESTION, NOW)
    assert [f"{day}" for day in fetched.frame.sessions] == DAYS
    assert fetched.report.repairs == ()


def test_a_table_of_several_tickers_gives_ours(tmp_path: Path) -> None:
    both = {"AAPL": yahoo_payload(DAYS), "IBM": yahoo_payload(DAYS, factor=2)}
    grouped_by_ticker = pd.concat(both, axis=1)
    for payload in (grouped_by_ticker, grouped_by_ticker.swaplevel(axis=1)):
        fetched = ask(replayed(payload, tmp_path), PriceQuestion("IBM"), NOW)
        np.testing.assert_array_equal(fetched.frame.close, 2 * yahoo_payload(DAYS)["Close"])


def test_an_unadjusted_table_is_adjusted_by_its_own_column(tmp_path: Path) -> None:
    payload = yahoo_payload(DAYS)
    payload["Adj Close"] = payload["Close"] / 2
    frame = ask(replayed(payload, tmp_path), QUESTION, NOW).frame
    np.testing.assert_allclose(frame.close, payload["Close"] / 2)
    np.testing.assert_allclose(frame.high, payload["High"] / 2)


def test_an_answer_that_covers_less_than_was_asked_is_told(tmp_path: Path) -> None:
    question = PriceQuestion("AAPL", start=date(2020, 1, 2), end=date(2024, 5, 15))
    late = ask(replayed(yahoo_payload(DAYS), tmp_path), question, NOW).report.repairs
    assert [repair.kind for repair in late] == ["partial_answer"]
    assert f"starts on {DAYS[0]}, 1,070 sessions after the asked 2020-01-02" in late[0].sentence
    ended = ask(replayed(yahoo_payload(DAYS[:10]), tmp_path), QUESTION, NOW).report.repairs
    assert f"ends on {DAYS[9]}, 20 sessions before 2024-05-15" in ended[0].sentence


def test_an_empty_table_and_a_changed_format_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NoPricesFound, match="Yahoo has no prices of AAPL"):
        ask(replayed(yahoo_payload([]), tmp_path), QUESTION, NOW)
    with pytest.raises(InvalidPrices, match="no closes, only: Open, High"):
        ask(replayed(yahoo_payload(DAYS).drop(columns="Close"), tmp_path), QUESTION, NOW)


def test_a_refused_request_is_tried_again_after_growing_pauses(tmp_path: Path) -> None:
    pauses: list[float] = []
    answers = iter([SourceRateLimited("slow", "down"), SourceRateLimited("slow", "down"), yahoo_payload(DAYS)])

    def download(_question: PriceQuestion) -> pd.DataFrame:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    source = YahooPrices(tmp_path, download=download, sleep=pauses.append)
    assert len(source.fetch(QUESTION)) == len(DAYS)
    assert len(pauses) == 2
    assert 0 < pauses[0] < pauses[1] <= 4


def test_a_request_that_stays_refused_ends_soon(tmp_path: Path) -> None:
    pauses: list[float] = []

    def download(_question: PriceQuestion) -> pd.DataFrame:
        raise SourceRateLimited("Yahoo refuses.", "Wait.")

    with pytest.raises(SourceRateLimited):
        YahooPrices(tmp_path, download=download, sleep=pauses.append).fetch(QUESTION)
    assert len(pauses) == ATTEMPTS - 1
    assert sum(pauses) <= 8


# From here on the real yfinance speaks to a server that is a function.


def chart(days: list[str], adjusted: float = 0.5) -> str:
    """Yahoo's own JSON for daily bars, with an unadjusted close and an adjusted one."""
    stamps = [int(datetime.fromisoformat(f"{day}T13:30:00+00:00").timestamp()) for day in days]
    closes = [100.0 + number for number in range(len(days))]
    quote = dict.fromkeys(("open", "high", "low", "close"), closes) | {"volume": [1000] * len(days)}
    meta = {
        "currency": "USD", "instrumentType": "EQUITY", "exchangeTimezoneName": "America/New_York",
        "regularMarketTime": stamps[-1], "validRanges": ["1d", "max"], "gmtoffset": -14400, "timezone": "EDT",
        "firstTradeDate": stamps[0], "priceHint": 2, "dataGranularity": "1d", "range": "",
    }  # fmt: skip
    indicators = {"quote": [quote], "adjclose": [{"adjclose": [close * adjusted for close in closes]}]}
    result = {"meta": meta, "timestamp": stamps, "indicators": indicators}
    return json.dumps({"chart": {"result": [result], "error": None}})


UNKNOWN = {"code": "Not Found", "description": "No data found, symbol may be delisted"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answer], list[dict[str, Any]]]]:
    """Puts a function in place of every HTTP request; returns the list of requests that it was asked."""
    import curl_cffi.requests
    import yfinance.data

    def install(answer: Answer) -> list[dict[str, Any]]:
        asked: list[dict[str, Any]] = []

        def request(_session: object, method: str, url: str, **options: Any) -> Any:
            asked.append({"method": method, "url": url, **options})
            status, body = answer(url)
            return SimpleNamespace(
                status_code=status, text=body, content=body.encode(), url=url, json=lambda: json.loads(body),
                raise_for_status=lambda: None,
            )  # fmt: skip

        monkeypatch.setattr(curl_cffi.requests.Session, "request", request)
        return asked

    yield install
    data = yfinance.data.YfData()  # one per process: forget the cookies of the play
    data._crumb = data._cookie = None


def charts_with(body: str, status: int = 200) -> Answer:
    return lambda url: (status, body) if "/chart/" in url else (200, "crumb")


def test_the_whole_history_is_asked_and_adjusted_by_yfinance(server: Any, tmp_path: Path) -> None:
    asked = server(charts_with(chart(DAYS)))
    fetched = ask(YahooPrices(tmp_path), QUESTION, NOW)
    np.testing.assert_allclose(fetched.frame.close, 0.5 * (100 + np.arange(30)))
    assert [f"{day}" for day in fetched.frame.sessions] == DAYS
    assert {f"{request['timeout']}" for request in asked} == {"(4.0, 20.0)"}
    period = asked[-1]["params"]
    assert datetime.fromtimestamp(period["period1"], UTC).date() == date(1990, 1, 1)
    assert list(tmp_path.glob("*.db")), "yfinance keeps its cache in the folder that it was given"


def test_the_end_of_a_range_is_included(server: Any, tmp_path: Path) -> None:
    asked = server(charts_with(chart(DAYS)))
    question = PriceQuestion("AAPL", start=date(2024, 5, 1), end=date(2024, 5, 14))
    assert f"{ask(YahooPrices(tmp_path), question, NOW).frame.last_session}" == "2024-05-14"
    assert datetime.fromtimestamp(asked[-1]["params"]["period2"], UTC).date() == date(2024, 5, 15)


def test_an_answer_is_never_taken_from_the_memory_of_the_process(server: Any, tmp_path: Path) -> None:
    question = PriceQuestion("AAPL", end=date(2024, 5, 15))
    server(charts_with(chart(DAYS)))
    before = ask(YahooPrices(tmp_path), question, NOW).frame
    server(charts_with(chart(DAYS, adjusted=0.4)))
    after = ask(YahooPrices(tmp_path), question, NOW).frame
    np.testing.assert_allclose(after.close, before.close * 0.8)


def raising(problem: Exception) -> Answer:
    def answer(_url: str) -> tuple[int, str]:
        raise problem

    return answer


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (charts_with(json.dumps({"chart": {"result": None, "error": UNKNOWN}}), 404), NoPricesFound),
        (charts_with("Too Many Requests", 429), SourceRateLimited),
        (charts_with("<html>Will be right back</html>"), SourceUnavailable),
        (charts_with(json.dumps({"chart": {"result": [{"meta": {}}], "error": None}})), SourceUnavailable),
        (raising(ConnectionError("no route to host")), SourceUnavailable),
        (raising(TimeoutError("too slow")), SourceUnavailable),
    ],
    ids=["unknown ticker", "429", "no JSON", "changed JSON", "no network", "timeout"],
)
def test_every_failure_is_one_sentence_of_ours_and_silent(
    server: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, answer: Answer, error: type[Exception]
) -> None:
    server(answer)
    with pytest.raises(error, match="ZZZZ") as raised:
        YahooPrices(tmp_path, sleep=lambda _seconds: None).fetch(PriceQuestion("ZZZZ"))
    assert raised.value.hint  # type: ignore[attr-defined]
    assert caplog.text == ""
