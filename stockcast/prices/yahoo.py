"""Daily prices from Yahoo Finance, through yfinance: adjusted for splits and dividends.

The only file that knows yfinance, and it imports it on the first fetch.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stockcast.errors import (
    InvalidPrices,
    InvalidTicker,
    NoPricesFound,
    SourceError,
    SourceRateLimited,
    SourceUnavailable,
)
from stockcast.prices.cleaning import clean_bars
from stockcast.prices.frame import PriceFrame
from stockcast.prices.sessions import EARLIEST, last_completed_session, sessions_between
from stockcast.prices.source import FetchedPrices, PriceQuestion, PriceReport, Repair
from stockcast.prices.tickers import exchange_of, normalise_ticker

ATTEMPTS = 3
# Seconds until a connection counts as refused, and until an answer must be complete after that. yfinance
# makes three requests before it gives up: without a network a person waits 12 seconds at most.
CONNECT_SECONDS, ANSWER_SECONDS = 4.0, 20.0
_FEWEST_MISSED = 5  # sessions missing at an end of the answer before it is called partial

Download = Callable[[PriceQuestion], pd.DataFrame]
Find = Callable[[str], list[dict[str, Any]]]  # of a text, quotes as Yahoo's search returns them
MOST_LISTINGS = 10


@dataclass(frozen=True)
class Listing:
    """A security that Yahoo's search has found."""

    ticker: str
    name: str
    kind: str  # Equity, ETF, Index, as Yahoo says it
    exchange: str  # as Yahoo says it
    known: bool  # whether the calendar of its exchange is known, so that its prices can be stored


class YahooPrices:
    """The price source behind `stockcast prices fetch`.

    `cache_folder` is where yfinance keeps its small database of time zones and cookies. `download`, `find` and
    `sleep` are replaced where an answer is replayed.
    """

    name = "yahoo"
    incremental = True

    def __init__(
        self,
        cache_folder: Path,
        *,
        download: Download | None = None,
        find: Find | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._download = download or _Downloader(cache_folder)
        self._find = find or _Finder(cache_folder)
        self._sleep = sleep

    def fetch(self, question: PriceQuestion) -> pd.DataFrame:
        """Yahoo's table for the question; where the range is open, all that it has since 1990.

        Raises SourceUnavailable, SourceRateLimited after a few tries, or NoPricesFound.
        """
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

        attempts = Retrying(
            retry=retry_if_exception_type(SourceRateLimited),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential_jitter(initial=1, max=4),
            sleep=self._sleep,
            reraise=True,
        )
        return attempts(self._download, question)

    def normalise(self, question: PriceQuestion, raw: pd.DataFrame, now: datetime) -> FetchedPrices:
        """The table as a PriceFrame; an answer that covers less than was asked is told in the report.

        Raises NoPricesFound for an empty table, InvalidPrices for one that is not a price table.
        """
        if raw.empty:
            raise NoPricesFound(
                f"Yahoo has no prices of {question.ticker} in the asked range.", "Check the ticker and the range."
            )
        fetched = clean_bars(_bars(raw, question.ticker), question, source=self.name, now=now)
        missing = _unanswered(fetched.frame, question, now)
        report = fetched.report
        return FetchedPrices(fetched.frame, PriceReport(report.rows_read, (*report.repairs, *missing)))

    def search(self, text: str) -> tuple[Listing, ...]:
        """Securities whose name or ticker resembles a text, best first. Raises SourceError."""
        return tuple(map(_listing, self._find(text.strip())))


class _Downloader:
    """One question to Yahoo, with every failure in our own words."""

    def __init__(self, cache_folder: Path) -> None:
        self._cache_folder = cache_folder

    def __call__(self, question: PriceQuestion) -> pd.DataFrame:
        yfinance = _prepare(self._cache_folder)
        _forget_answers(yfinance)
        start = question.start or EARLIEST
        end = question.end + timedelta(days=1) if question.end else None  # exclusive at Yahoo
        try:
            ticker = yfinance.Ticker(question.ticker, session=_session())
            table: pd.DataFrame = ticker.history(
                start=start, end=end, interval="1d", auto_adjust=True, actions=False, keepna=True
            )
        except Exception as problem:  # whatever a foreign library and a foreign server come up with
            raise _in_our_words(problem, question.ticker) from problem
        return table


class _Finder:
    """One search at Yahoo, with every failure in our own words."""

    def __init__(self, cache_folder: Path) -> None:
        self._cache_folder = cache_folder

    def __call__(self, text: str) -> list[dict[str, Any]]:
        yfinance = _prepare(self._cache_folder)
        _forget_answers(yfinance)
        try:
            found = yfinance.Search(
                text, max_results=MOST_LISTINGS, news_count=0, lists_count=0, include_cb=False, recommended=0,
                session=_session(),
            )  # fmt: skip
        except Exception as problem:  # whatever a foreign library and a foreign server come up with
            raise _in_our_words(problem, f"'{text[:40]}'") from problem
        quotes: list[dict[str, Any]] = found.quotes
        return quotes


@lru_cache(maxsize=8)
def _prepare(cache_folder: Path) -> Any:
    """yfinance, imported and told to be quiet, to raise what it meets and to write only into our home."""
    import yfinance
    import yfinance.base
    import yfinance.data

    logging.getLogger("yfinance").setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", module="^yfinance")
    yfinance.config.debug.hide_exceptions = False
    # Of an unknown ticker it asks a second service, twice in a process, and fails there with a riddle.
    yfinance.base._tz_info_fetch_ctr = 2
    yfinance.set_tz_cache_location(str(cache_folder))
    return yfinance


@lru_cache(maxsize=1)
def _session() -> Any:
    """yfinance's own kind of session, less patient."""
    from curl_cffi import requests

    class Impatient(requests.Session[requests.Response]):
        def request(self, *args: Any, **options: Any) -> Any:
            return super().request(*args, **{**options, "timeout": (CONNECT_SECONDS, ANSWER_SECONDS)})

    return Impatient(impersonate="chrome")


def _forget_answers(yfinance: Any) -> None:
    """yfinance remembers answers for the life of the process, failures and restated prices included."""
    yfinance.data.YfData.cache_get.cache_clear()


def _listing(quote: dict[str, Any]) -> Listing:
    symbol = f"{quote['symbol']}".strip().upper()
    try:
        ticker, known = normalise_ticker(symbol), True
        exchange_of(ticker)
    except InvalidTicker:
        ticker, known = symbol[:20], False
    name, kind, exchange = (
        next((f"{quote[key]}".strip() for key in keys if quote.get(key)), "")
        for keys in (("longname", "shortname"), ("typeDisp", "quoteType"), ("exchDisp", "exchange"))
    )
    return Listing(ticker, name, kind, exchange, known)


def _in_our_words(problem: Exception, wanted: str) -> SourceError:
    from curl_cffi.requests.exceptions import HTTPError
    from yfinance.exceptions import YFRateLimitError, YFTickerMissingError

    if isinstance(problem, YFRateLimitError):
        return SourceRateLimited(
            f"Yahoo refuses more requests for now; {wanted} was not fetched.",
            "Wait some minutes and try again; what is stored stays as it is.",
        )
    answer = problem.response if isinstance(problem, HTTPError) else None
    status = getattr(answer, "status_code", None)
    if isinstance(problem, YFTickerMissingError) or status == 404:
        return NoPricesFound(
            f"Yahoo knows no prices of {wanted} in the asked range.",
            "Check how Yahoo writes the ticker, for example CMIG4.SA; it may also have been delisted.",
        )
    if isinstance(problem, OSError):
        what = f"Yahoo answered with status {status}" if status else "Yahoo cannot be reached"
        return SourceUnavailable(
            f"{what}; {wanted} was not fetched.",
            "Check the network and try again, import a file, or use the bundled sample.",
        )
    return SourceUnavailable(
        f"Yahoo's answer for {wanted} could not be used ({type(problem).__name__}).",
        "Try again later; if it persists, update yfinance or import a file.",
    )


def _bars(raw: pd.DataFrame, ticker: str) -> pd.DataFrame:
    """yfinance's table as a raw bar table."""
    table = _flat(raw, ticker)
    if "Close" not in table.columns:
        raise InvalidPrices(
            f"Yahoo's answer for {ticker} has no closes, only: {', '.join(map(str, table.columns))[:120]}.",
            "Update yfinance, or import a file.",
        )
    days = pd.DatetimeIndex(table.index)
    # The dates are midnights of the exchange: the zone is dropped, not converted.
    plain = days.tz_localize(None) if days.tz is not None else days
    bars = pd.DataFrame({"session": plain.as_unit("ns").to_numpy()})
    for name in ("Open", "High", "Low", "Close", "Volume"):
        bars[name.lower()] = table[name].to_numpy(dtype=np.float64) if name in table.columns else np.nan
    if "Adj Close" in table.columns:
        bars["adjusted"] = table["Adj Close"].to_numpy(dtype=np.float64)
    return bars


def _flat(raw: pd.DataFrame, ticker: str) -> pd.DataFrame:
    """Plain column names; of a table of several tickers only the columns of ours."""
    if not isinstance(raw.columns, pd.MultiIndex):
        return raw
    ours = [column for column in raw.columns if ticker in column or not any(column[1:])]
    table = raw[ours]
    level = next((at for at in range(raw.columns.nlevels) if "Close" in raw.columns.get_level_values(at)), 0)
    return table.set_axis(table.columns.get_level_values(level), axis=1)


def _unanswered(frame: PriceFrame, question: PriceQuestion, now: datetime) -> list[Repair]:
    """What lies between the range that was asked and the range that came."""
    last = last_completed_session(frame.exchange, now)
    wanted_end = min(question.end, last) if question.end else last
    before = _sessions_missed(frame, question.start, frame.first_session - timedelta(days=1))
    after = _sessions_missed(frame, frame.last_session + timedelta(days=1), wanted_end)
    told = []
    if before >= _FEWEST_MISSED:
        told.append(f"starts on {frame.first_session}, {before:,} sessions after the asked {question.start}")
    if after >= _FEWEST_MISSED:
        told.append(f"ends on {frame.last_session}, {after:,} sessions before {wanted_end}")
    if not told:
        return []
    return [Repair("partial_answer", before + after, f"Yahoo's answer {' and '.join(told)}.")]


def _sessions_missed(frame: PriceFrame, first: date | None, last: date) -> int:
    return len(sessions_between(frame.exchange, first, last)) if first and first <= last else 0
