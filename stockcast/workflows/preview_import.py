"""Preview an import: how a file would be read and what it would replace. Nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from stockcast.prices.file import FilePrices
from stockcast.prices.frame import PriceFrame
from stockcast.prices.quality import PriceQuality, assess_quality
from stockcast.prices.reading.table import Reading
from stockcast.prices.restatement import compare_overlap
from stockcast.prices.source import FetchedPrices, PriceQuestion
from stockcast.prices.store import PriceStore


@dataclass(frozen=True, eq=False)
class ImportPreview:
    """A reading, the prices that would be stored, and what would become of those that are."""

    reading: Reading
    fetched: FetchedPrices
    quality: PriceQuality
    cautions: tuple[str, ...]  # what was assumed, and should be looked at
    replaces: tuple[str, ...]  # empty where nothing is stored under the ticker
    stored_already: bool  # the very same bars


def preview_import(store: PriceStore, source: FilePrices, question: PriceQuestion, now: datetime) -> ImportPreview:
    """Reads a file as `ingest_prices` would. Raises UnreadableFile, InvalidPrices or NoPricesFound."""
    raw = source.fetch(question)
    fetched = source.normalise(question, raw, now)
    frame = fetched.frame
    stored = store.load(question.ticker) if store.has(question.ticker) else None
    return ImportPreview(
        raw.reading,
        fetched,
        assess_quality(frame),
        tuple(_cautions(raw.reading, frame)),
        tuple(_replaced(stored, frame)) if stored else (),
        stored is not None and stored.content_hash == frame.content_hash,
    )


def _cautions(reading: Reading, frame: PriceFrame) -> list[str]:
    told = []
    if reading.date_order_assumed:
        told.append(
            "No date in the file decides between day and month; the day was taken to come first, as files with "
            "decimal commas or Portuguese headers have it."
        )
    if reading.currency and reading.currency != frame.currency and len(frame.currency) == 3:
        told.append(
            f"The file speaks of {reading.currency}, and {frame.ticker} is quoted in {frame.currency}; nothing is "
            "converted."
        )
    if reading.adjusted == "alone" and any(role in ("open", "high", "low") for role, _ in reading.columns):
        told.append("Only the close is adjusted, so that the open, high and low beside it are left out.")
    return told


def _replaced(stored: PriceFrame, frame: PriceFrame) -> list[str]:
    """What would happen to a stored history, in sentences."""
    if stored.content_hash == frame.content_hash:
        return [f"These very {len(stored):,} sessions are stored already."]
    told = [
        f"It replaces all {len(stored):,} sessions from {stored.source}, {stored.first_session} to "
        f"{stored.last_session}."
    ]
    lost, new = np.setdiff1d(stored.sessions, frame.sessions), np.setdiff1d(frame.sessions, stored.sessions)
    if len(lost):
        told.append(f"{len(lost):,} of them are not in the file and will be gone, {lost[0]} to {lost[-1]}.")
    if len(new):
        told.append(f"{len(new):,} sessions are new, {new[0]} to {new[-1]}.")
    overlap = compare_overlap(stored, frame)
    if overlap.difference is not None:
        told.append(
            f"The file tells another story: its return of {overlap.first_disagreement} differs by "
            f"{100 * overlap.difference:+.2f} %."
        )
    elif overlap.agreed:
        told.append(f"The returns of the {overlap.sessions:,} sessions that both have agree.")
    return told
