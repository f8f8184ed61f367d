"""Where a Workspace's track record is watched over, and where people say what they have seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import Protocol

from stockcast.config_versions import ConfigVersions
from stockcast.database import Database
from stockcast.errors import InvalidRequest
from stockcast.jobs.job_desk import JobDesk
from stockcast.monitoring.acknowledgements import Acknowledgement, Acknowledgements, Sifted, sift
from stockcast.monitoring.alerts import STANDING, Alert, Alerts, State
from stockcast.monitoring.findings import DriftReport, Finding
from stockcast.monitoring.notify import Notifier, Sent
from stockcast.settings import Settings
from stockcast.track_desk import TrackDesk
from stockcast.workflows.watch import Watched, watch


class Stores(Protocol):
    """What the desk needs of the Workspace."""

    clock: Callable[[], datetime]

    @property
    def database(self) -> Database: ...
    @property
    def configs(self) -> ConfigVersions: ...
    @property
    def desk(self) -> JobDesk: ...
    @property
    def track(self) -> TrackDesk: ...


class AlertDesk:
    """Raises alerts, tells them, and keeps what people say about them."""

    def __init__(self, stores: Stores, settings: Settings) -> None:
        self._stores = stores
        self._settings = settings

    @cached_property
    def kept(self) -> Alerts:
        """Every alert there ever was."""
        return Alerts(self._stores.database)

    @cached_property
    def said(self) -> Acknowledgements:
        """What people said about drift."""
        return Acknowledgements(self._stores.database)

    def watch(self, universe: str) -> Watched:
        """Scores what has come true, asks the rules, and opens, closes, answers and tells alerts."""
        return watch(
            universe,
            self._stores.configs.current(universe).config.alerts,
            self._stores.track,
            self.kept,
            self.said,
            Notifier(self._settings.notify_urls),
            lambda key: self._stores.desk.submit_retraining(universe, key).id,
            self._stores.clock(),
        )

    def list(
        self, universe: str | None = None, states: Sequence[State] = STANDING, limit: int = 1000
    ) -> tuple[Alert, ...]:
        """Alerts in these states, the newest first."""
        return self.kept.list(universe, states, limit)

    def acknowledge(self, alert_id: int, note: str) -> Alert:
        """Keeps a person's word on an alert, which is quiet from then on. Raises InvalidRequest."""
        return self.kept.acknowledge(alert_id, note, self._stores.clock())

    def sift(self, report: DriftReport, universe: str, ticker: str | None, cutoff: date | None) -> Sifted:
        """Parts the findings of a window into those to be shown and those that were acknowledged."""
        if ticker is None or not report.findings:
            return Sifted(report, ())
        return sift(report, self.said.find(universe, ticker), cutoff)

    def acknowledge_drift(
        self,
        universe: str,
        ticker: str,
        findings: Sequence[Finding],
        *,
        cutoff: date,
        until: date | None = None,
        note: str,
    ) -> tuple[Acknowledgement, ...]:
        """Keeps a person's word on findings, for this cutoff or until a date. Raises InvalidRequest."""
        return self.said.acknowledge(
            universe, ticker, findings, cutoff=cutoff, until=until, note=note, now=self._stores.clock()
        )

    def test_message(self) -> Sent:
        """Sends a message to every address, to see whether it comes. Raises InvalidRequest when there is none."""
        notifier = Notifier(self._settings.notify_urls)
        if not notifier.count:
            raise InvalidRequest(
                "There is no address to send a message to.",
                "Set STOCKCAST_NOTIFY_URLS, for example to mailto://… or slack://…",
            )
        return notifier.send("stockcast: a test", "If you read this, alerts will reach you.")
