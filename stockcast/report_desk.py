"""Where reports are made, over one Workspace: what stands in them is gathered here and written in workflows.

What is away just now (MLflow's files, the live record) is missing in a report, and told; a forecast needs neither.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from stockcast.alert_desk import AlertDesk
from stockcast.errors import StockcastError
from stockcast.monitoring.acknowledgements import Sifted
from stockcast.monitoring.journal import Face
from stockcast.monitoring.record import LATELY
from stockcast.prices.store import PriceStore, StoredHistory
from stockcast.registry.runs import CARD, Runs
from stockcast.registry.versions import Versions
from stockcast.track_desk import TrackDesk
from stockcast.workflows.forecast import Answer
from stockcast.workflows.forecast_report import Evidence, forecast_report
from stockcast.workflows.model_card import CARD_FILE
from stockcast.workflows.run_report import RunEvidence, run_report


class Rooms(Protocol):
    """What the desk needs of the Workspace."""

    clock: Callable[[], datetime]

    @property
    def prices(self) -> PriceStore: ...
    @property
    def track(self) -> TrackDesk: ...
    @property
    def alerts(self) -> AlertDesk: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def versions(self) -> Versions: ...

    def forecast(self, ticker: str, universe: str, face: Face) -> Answer: ...


class ReportDesk:
    """Makes HTML files that need no network."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def ticker(self, ticker: str, universe: str, face: Face) -> bytes:
        """Forecasts a stored ticker, which is journaled, and reports it. Raises what a forecast raises."""
        return self.answer(self._rooms.forecast(ticker, universe, face), universe)

    def answer(self, answer: Answer, universe: str) -> bytes:
        """Reports what was forecast from a stored history, and journaled, before."""
        rooms, context = self._rooms, answer.forecast.context
        record, sifted = None, Sifted(answer.drift, ())
        history: StoredHistory | None = None
        if context.ticker is not None:
            history = rooms.prices.find(context.ticker)
            sifted = rooms.alerts.sift(answer.drift, universe, context.ticker, context.cutoff)
            with contextlib.suppress(StockcastError):
                record = rooms.track.record(universe, ticker=context.ticker, last=LATELY)
        card = self._card(answer.speaker.version.run_id)
        return forecast_report(answer, Evidence(universe, history, sifted, record, card, rooms.clock()))

    def run(self, which: str) -> bytes:
        """Reports a run by its id or the beginning of it. Raises InvalidRequest, or RegistryUnavailable."""
        runs = self._rooms.runs
        run = runs.find(which)
        made = next(iter(self._rooms.versions.of_run(run.run_id)), None)
        train, validation = (runs.curve(run.run_id, each) for each in ("train_loss", "validation_loss"))
        card = self._card(run.run_id)
        return run_report(run, RunEvidence(made, train, validation, card, self._rooms.clock()))

    def _card(self, run_id: str) -> str | None:
        with contextlib.suppress(StockcastError):
            return self._rooms.runs.texts(run_id, CARD).get(CARD_FILE)
        return None
