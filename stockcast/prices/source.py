"""The contract of every price source, in three steps: shape the question, fetch raw, normalise.

The raw payload of any source can be recorded and replayed without a network: only `fetch` touches the outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol, TypeVar

from stockcast.errors import InvalidRequest
from stockcast.prices.frame import PriceFrame
from stockcast.prices.tickers import exchange_of, normalise_ticker

Raw = TypeVar("Raw")


@dataclass(frozen=True)
class PriceQuestion:
    """Which prices are wanted: a normalised ticker and an inclusive range of sessions, open where None."""

    ticker: str
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True)
class Repair:
    """One kind of thing that was mended or left out, how often, and a sentence a person understands."""

    kind: str  # for example "phantom_session", "unfinished_bar", "duplicate_row"
    count: int
    sentence: str
    sessions: tuple[date, ...] = ()  # where it was done, as far as known; of very many, the first ones

    def to_json(self) -> dict[str, object]:
        """The repair as plain data."""
        days = [f"{day}" for day in self.sessions]
        return {"kind": self.kind, "count": self.count, "sentence": self.sentence, "sessions": days}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Repair:
        """The inverse of `to_json`. Reports that were stored before sessions were kept have none."""
        days = tuple(date.fromisoformat(day) for day in data.get("sessions", ()))
        return Repair(data["kind"], data["count"], data["sentence"], days)


@dataclass(frozen=True)
class PriceReport:
    """What was read and what was mended between the raw payload and the PriceFrame."""

    rows_read: int  # rows of the payload in the range that was asked
    repairs: tuple[Repair, ...] = ()
    findings: int | None = (
        None  # lines of the quality report of the history that came of it; None while not counted
    )

    def to_json(self) -> dict[str, object]:
        """The report as plain data, as it is stored beside the history."""
        repairs = [repair.to_json() for repair in self.repairs]
        return {"rows_read": self.rows_read, "repairs": repairs, "findings": self.findings}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> PriceReport:
        """The inverse of `to_json`."""
        repairs = tuple(Repair.from_json(repair) for repair in data["repairs"])
        return PriceReport(data["rows_read"], repairs, data.get("findings"))


@dataclass(frozen=True)
class FetchedPrices:
    """A validated history with the report of how it was read."""

    frame: PriceFrame
    report: PriceReport


class PriceSource(Protocol[Raw]):
    """Where daily prices come from."""

    @property
    def name(self) -> str:
        """How the source is named in the store and on the page."""
        ...

    @property
    def incremental(self) -> bool:
        """Whether a stored history of this source may be brought up to date by asking only for its end."""
        ...

    def fetch(self, question: PriceQuestion) -> Raw:
        """The raw payload, exactly as the outside gave it. Raises SourceError or UnreadableFile."""
        ...

    def normalise(self, question: PriceQuestion, raw: Raw, now: datetime) -> FetchedPrices:
        """The payload as a PriceFrame that ends at the last completed session at `now`.

        Pure: no clock, no network. Raises InvalidPrices or NoPricesFound.
        """
        ...


def shape_question(ticker: str, start: date | None = None, end: date | None = None) -> PriceQuestion:
    """A valid question. Raises InvalidTicker, or InvalidRequest when the range is empty."""
    if start and end and start > end:
        raise InvalidRequest(f"The start {start} lies after the end {end}.", "Swap the two dates.")
    normalised = normalise_ticker(ticker)
    exchange_of(normalised)  # an unknown suffix is refused before anything is fetched
    return PriceQuestion(normalised, start, end)


def ask(source: PriceSource[Raw], question: PriceQuestion, now: datetime) -> FetchedPrices:
    """Fetches and normalises in one go."""
    return source.normalise(question, source.fetch(question), now)
