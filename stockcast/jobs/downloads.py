"""Downloads of several tickers, in this process or in parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from pydantic import BaseModel, JsonValue

from stockcast.errors import JobError, StockcastError
from stockcast.jobs.job import DOWNLOADS
from stockcast.jobs.lease import Lease
from stockcast.jobs.part_table import Part
from stockcast.jobs.parts import Parts
from stockcast.workflows.ingest import Ingested
from stockcast.workflows.job_requests import DownloadsRequest, FetchRequest, shared_out


class Downloader(Protocol):
    """Who downloads and stores."""

    def ingest_yahoo(self, ticker: str, start: date | None = None, end: date | None = None) -> Ingested: ...


@dataclass
class Downloaded:
    """What was stored, in sentences, and by ticker why the others were not."""

    stored: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    last: StockcastError | None = None  # of the failures

    def fail(self, ticker: str, problem: StockcastError) -> None:
        """Notes a failure."""
        self.failed[ticker], self.last = f"{problem.message} {problem.hint}", problem

    def require_some(self) -> None:
        """Raises the last failure when nothing was stored."""
        if self.last is not None and not self.stored:
            raise self.last

    def to_json(self) -> dict[str, JsonValue]:
        """Plain data."""
        return {"stored": list(self.stored), "failed": dict(self.failed)}

    def to_part(self) -> dict[str, JsonValue]:
        """The same for the job of which this is a part; see `add`."""
        last: JsonValue = None if self.last is None else [self.last.message, self.last.hint]
        return self.to_json() | {"last": last}

    def add(self, data: Mapping[str, JsonValue]) -> None:
        """Takes up what a part has done."""
        part = _Part.model_validate(data)
        self.stored += part.stored
        self.failed |= part.failed
        if part.last is not None:
            self.last = JobError(*part.last)


class _Part(BaseModel):
    stored: list[str]
    failed: dict[str, str]
    last: tuple[str, str] | None


def download(
    source: Downloader, tickers: Sequence[str], start: date | None, end: date | None, lease: Lease, share: float
) -> Downloaded:
    """Ticker by ticker: one that fails does not hold up the others."""
    found = Downloaded()
    for number, ticker in enumerate(tickers):
        lease.doing(f"Downloading {ticker}", share * number / len(tickers))
        try:
            found.stored.append(source.ingest_yahoo(ticker, start, end).sentence)
        except StockcastError as problem:
            found.fail(ticker, problem)
            lease.note(f"{ticker}: {problem.message}")
        else:
            lease.note(found.stored[-1])
    return found


def download_in_parts(asked: FetchRequest, parts: Parts) -> Downloaded:
    """The same by whoever is free."""
    shares = shared_out(asked.tickers, 1)
    requests = [DownloadsRequest(tickers=share, start=asked.start, end=asked.end) for share in shares]
    parts.give_away([Part(DOWNLOADS, each.to_json()) for each in requests])
    found = Downloaded()
    for part in parts.gather("Downloading"):
        found.add(part.result or {})
    return found
