"""Forecasts that nobody issues, over one Workspace: those of other models, and those of what did not happen.

Nothing here writes into the journal: its record judges what we have said (docs/decisions/0031).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from stockcast.home_files import make_folder
from stockcast.monitoring.adaptations import Adaptations, Settled
from stockcast.prices.store import PriceStore
from stockcast.prices.tickers import normalise_ticker
from stockcast.registry.versions import CHALLENGER, CHAMPION
from stockcast.settings import Settings
from stockcast.workflows.compare_forecasts import Beside, Rival, compare_challenger, compare_garch
from stockcast.workflows.forecast import Speaker
from stockcast.workflows.known_markets import KnownMarkets
from stockcast.workflows.suppose_close import Supposition, suppose_close


class Rooms(Protocol):
    """What the desk needs of the Workspace."""

    clock: Callable[[], datetime]
    settings: Settings

    @property
    def prices(self) -> PriceStore: ...
    @property
    def markets(self) -> KnownMarkets: ...
    @property
    def adaptations(self) -> Adaptations: ...

    def speaker(self, universe: str, which: str = CHAMPION) -> Speaker: ...


class RivalDesk:
    """Compares and supposes; says nothing."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def beside(self, ticker: str, universe: str, rival: Rival) -> Beside:
        """What another model would say after the last stored session of a ticker.

        Raises UnknownModel where no version challenges, TooShortHistory, or TrainingFailed.
        """
        frame = self._rooms.prices.load(normalise_ticker(ticker))
        if rival == "garch":
            settings, config = self._rooms.settings, self._rooms.speaker(universe).config
            return compare_garch(frame, config, self._scratch(), settings.threads)
        speaker = self._rooms.speaker(universe, CHALLENGER)
        market = self._rooms.markets.read_by(speaker).get(frame.exchange)
        return compare_challenger(speaker, frame, market, self._kept(speaker, frame.ticker))

    def suppose(self, ticker: str, universe: str, close: float) -> Supposition:
        """What the champion would say if the last stored session had closed at `close`.

        Raises InvalidRequest for what can be no close, or TooShortHistory.
        """
        frame, speaker = self._rooms.prices.load(normalise_ticker(ticker)), self._rooms.speaker(universe)
        market = self._rooms.markets.read_by(speaker).get(frame.exchange)
        kept, today = self._kept(speaker, frame.ticker), self._rooms.clock().date()
        return suppose_close(speaker, frame, market, kept, close, today)

    def _kept(self, speaker: Speaker, ticker: str) -> Settled | None:
        return self._rooms.adaptations.find(speaker.version.run_id, ticker)

    def _scratch(self) -> Path:
        return make_folder(self._rooms.settings.scratch)
