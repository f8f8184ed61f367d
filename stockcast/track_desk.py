"""Where the journal's forecasts are scored and the track record is read: the record of one Workspace."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cached_property
from typing import Protocol

from sqlalchemy import func, select

from stockcast.database import Database
from stockcast.errors import CorruptBundle, RegistryUnavailable
from stockcast.evaluation.scorecard import Scorecard
from stockcast.monitoring.drift_history import DriftDay, drift_history
from stockcast.monitoring.open_forecasts import OpenForecast, open_forecasts
from stockcast.monitoring.outcomes import Outcomes, Scoring
from stockcast.monitoring.record import TrackRecord
from stockcast.monitoring.scored import Scored
from stockcast.monitoring.track_record import first_words, track_record
from stockcast.prices.frame import PriceFrame
from stockcast.prices.store import PriceStore
from stockcast.registry.bundles import Bundles
from stockcast.registry.versions import ModelVersion, Versions
from stockcast.tables import journal, outcomes
from stockcast.workflows.export_journal import Export, export_journal
from stockcast.workflows.score_forecasts import score_forecasts


class Stores(Protocol):
    """What the desk needs of the Workspace."""

    clock: Callable[[], datetime]

    @property
    def database(self) -> Database: ...
    @property
    def prices(self) -> PriceStore: ...
    @property
    def versions(self) -> Versions: ...
    @property
    def bundles(self) -> Bundles: ...


class TrackDesk:
    """Scores what has come true, and tells what it has been worth."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._cards: dict[tuple[str, str], Scorecard | None] = {}

    @cached_property
    def outcomes(self) -> Outcomes:
        """What came true."""
        return Outcomes(self._stores.database)

    def keep_up(self, frame: PriceFrame) -> Scoring:
        """Scores what a history that was just stored tells; milliseconds when it tells nothing new."""
        return self.outcomes.score(frame, self._stores.clock())

    def score(self) -> Scoring:
        """Scores whatever the stored histories tell."""
        return score_forecasts(self.outcomes, self._stores.prices, self._stores.clock())

    def counted(
        self, universe: str, *, horizon: int = 1, ticker: str | None = None, since: date | None = None
    ) -> Scored:
        """The outcomes that count in the track record, each ticker and cutoff once, in the order of issue."""
        scored = self.outcomes.scored(universe, horizon=horizon, ticker=ticker, since=since)
        return scored.where(first_words(scored)[0])

    def record(
        self,
        universe: str,
        *,
        horizon: int = 1,
        ticker: str | None = None,
        model_version: str | None = None,
        since: date | None = None,
        until: date | None = None,
        last: int | None = None,
        confidence: float = 0.95,
    ) -> TrackRecord:
        """The track record, as `track_record` tells it; dates are those of the sessions that were forecast."""
        scored = self.outcomes.scored(universe, horizon=horizon, ticker=ticker, since=since, until=until)
        return track_record(
            scored,
            ticker=ticker,
            model_version=model_version,
            last=last,
            promised=self.promised(universe, scored.versions.tolist()),
            confidence=confidence,
        )

    def promised(self, universe: str, versions: list[str]) -> Mapping[str, Scorecard]:
        """The scorecards of these versions, as far as MLflow and their bundles tell them just now."""
        wanted = {version for version in versions if (universe, version) not in self._cards}
        if wanted:
            with contextlib.suppress(RegistryUnavailable):  # the record itself needs no MLflow
                for version in self._stores.versions.all(universe):
                    if version.version in wanted:
                        self._cards[universe, version.version] = self._card(version)
        known = {version: self._cards.get((universe, version)) for version in versions}
        return {version: card for version, card in known.items() if card is not None}

    def open(self, universe: str, *, ticker: str | None = None, horizon: int = 1) -> tuple[OpenForecast, ...]:
        """What has been said and has not come true yet."""
        until = {each.ticker: each.last_session for each in self._stores.prices.list()}
        return open_forecasts(
            self._stores.database, universe, until, self._stores.clock(), ticker=ticker, horizon=horizon
        )

    def drift(
        self, universe: str, *, ticker: str | None = None, since: date | None = None
    ) -> tuple[DriftDay, ...]:
        """What the drift checks found at each cutoff."""
        return drift_history(self._stores.database, universe, ticker=ticker, since=since)

    def mark(self) -> tuple[int, int]:
        """The newest row of the journal and the number of outcomes: while these stand, what was read is true."""
        with self._stores.database.read() as connection:
            newest = connection.execute(select(func.max(journal.c.id))).scalar()
            written: int = connection.execute(select(func.count()).select_from(outcomes)).scalar_one()
        return newest or 0, written

    def export(self, universe: str | None = None, ticker: str | None = None) -> Export:
        """The journal with its outcomes as a CSV file."""
        return export_journal(self._stores.database, self.outcomes, universe, ticker)

    def _card(self, version: ModelVersion) -> Scorecard | None:
        with contextlib.suppress(CorruptBundle):
            manifest = self._stores.bundles.load(version).manifest
            return Scorecard.from_json(dict(manifest.scorecard)) if manifest.scorecard else None
        return None
