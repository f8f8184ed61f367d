"""Who speaks at the API: for each universe one immutable object, swapped by one assignment.

It starts from the notes of the home and the cached bundles, so that it needs neither MLflow nor the database to
serve. A request takes its reference once; a bundle that is damaged, or whose first forecast is no forecast, never
becomes the one that is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from stockcast import errors
from stockcast.client.schemas import EXAMPLE_PRICES, ModelTold
from stockcast.errors import CorruptBundle, RegistryUnavailable, StockcastError, UnknownModel
from stockcast.forecasting.bundle import read_bundle
from stockcast.logs import get_logger
from stockcast.prices.window import PriceWindow
from stockcast.registry.champion_notes import ChampionNotes, Stamp
from stockcast.registry.versions import ModelVersion
from stockcast.settings import Settings
from stockcast.workflows.forecast_windows import WindowSpeaker
from stockcast.workflows.load_speaker import speaker_of

_log = get_logger(__name__)

LOOK = 0.25  # seconds between two looks at the notes
CHILD_PATIENCE = 120.0
_SEVERAL = 8  # windows, by which it is told how fast a version is


@dataclass(frozen=True, eq=False)
class Champion:
    """The version that answers for one universe, ready to speak."""

    universe: str
    version: ModelVersion
    windows: WindowSpeaker
    seconds: float  # that it takes for a window, where several are forecast together
    told: ModelTold
    told_json: Mapping[str, object]


class Champions:
    """The champions of all universes of one home."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._notes = ChampionNotes(settings.champion_notes)
        self._speaking: Mapping[str, Champion] = {}
        self._stamps: dict[str, Stamp | None] = {}
        self._asking: dict[str, asyncio.Task[ModelVersion]] = {}
        self._swapping = asyncio.Lock()
        self.registry_problem: str | None = None
        self.bundle_problems: dict[str, str] = {}
        self.reloads = 0
        self.failed_reloads = 0
        self.on_swap: Callable[[Champion], None] = lambda champion: None

    def of(self, universe: str) -> Champion | None:
        """Who answers for a universe just now; None where nobody can."""
        return self._speaking.get(universe)

    def all(self) -> Mapping[str, Champion]:
        """Everybody who answers just now, by universe."""
        return self._speaking

    def start(self, universe: str) -> None:
        """Loads whoever was noted, before anything is served. What cannot be loaded is asked for later."""
        for each in dict.fromkeys((universe, *self._notes.universes())):
            version = self._notes.read(each)
            if version is not None and self._cached(version):
                with contextlib.suppress(StockcastError):
                    self._take(each, version)

    async def look(self, universe: str) -> None:
        """Goes on for ever: swaps in whom a note names anew, and asks MLflow where there is no note."""
        asked = time.monotonic() if self.of(universe) else -1e9
        while True:
            for each in dict.fromkeys((universe, *self._speaking, *self._notes.universes())):
                if self._notes.stamp(each) != self._stamps.get(each):
                    with contextlib.suppress(StockcastError):
                        await self.renew(each)
            every = self._settings.api_look if self.of(universe) else min(30.0, self._settings.api_look)
            if self._settings.api_look and time.monotonic() - asked >= every:
                for each in dict.fromkeys((universe, *self._speaking)):
                    with contextlib.suppress(StockcastError):
                        await self.reload(each)
                asked = time.monotonic()
            await asyncio.sleep(LOOK)

    async def renew(self, universe: str) -> Champion:
        """Swaps in whom the note names. Raises CorruptBundle or UnknownModel; then who answers stays."""
        version = self._notes.read(universe)
        if version is None and self._notes.renamed(universe):
            self._drop(universe)
        if version is not None and not self._cached(version):
            await self._ask_registry(universe)
            version = self._notes.read(universe)
        async with self._swapping:
            return await asyncio.to_thread(self._take, universe, version)

    async def reload(self, universe: str) -> Champion:
        """Asks MLflow who speaks and swaps it in. Raises CorruptBundle, RegistryUnavailable or UnknownModel."""
        version = await self._ask_registry(universe)
        async with self._swapping:
            return await asyncio.to_thread(self._take, universe, version)

    def _take(self, universe: str, version: ModelVersion | None) -> Champion:
        stamp = self._notes.stamp(universe)
        present = self.of(universe)
        if version is None:
            raise UnknownModel(f"Nobody speaks for the universe {universe} yet.", "Train a model, or reload it.")
        try:
            if present is not None and present.version == version:
                champion = present
            else:
                champion = self._load(universe, version, present)
        except StockcastError as problem:
            self.failed_reloads += 1
            if self.bundle_problems.get(universe) != problem.message:
                _log.error("reload_refused", universe=universe, model=version.name, model_version=version.version,
                           run_id=version.run_id, error=problem.message)  # fmt: skip
            self.bundle_problems[universe] = problem.message
            raise
        finally:
            self._stamps[universe] = stamp
        self.bundle_problems.pop(universe, None)
        if champion is not present:
            self._speaking = {**self._speaking, universe: champion}  # the swap
            self.reloads += present is not None
            self.on_swap(champion)
            _log.info("model_loaded", universe=universe, model=version.name, model_version=version.version,
                      model_kind=version.kind, run_id=version.run_id)  # fmt: skip
        return champion

    def _drop(self, universe: str) -> None:
        """The universe has another name now, for which the same version is noted."""
        if self._speaking.get(universe) is not None:
            self._speaking = {name: each for name, each in self._speaking.items() if name != universe}
            _log.info("model_dropped", universe=universe)

    def _load(self, universe: str, version: ModelVersion, present: Champion | None) -> Champion:
        """From the cache, verified, and proven by a forecast."""
        if present is not None and present.version.run_id == version.run_id:
            windows = WindowSpeaker(speaker_of(version, present.windows.bundle, 1), present.windows.bundle)
        else:
            bundle = read_bundle(self._settings.bundle_cache / version.name / version.run_id)
            windows = WindowSpeaker(speaker_of(version, bundle, 1), bundle)
        seconds = _prove(windows)
        model = told(version)
        return Champion(universe, version, windows, seconds, model, model.model_dump(mode="json"))

    def _cached(self, version: ModelVersion) -> bool:
        return (self._settings.bundle_cache / version.name / version.run_id / "manifest.json").exists()

    async def _ask_registry(self, universe: str) -> ModelVersion:
        """Lets a process of its own ask MLflow: importing it would double this one. Who ask together, ask once."""
        if universe not in self._asking or self._asking[universe].done():
            self._asking[universe] = asyncio.create_task(self._ask(universe))
        return await asyncio.shield(self._asking[universe])

    async def _ask(self, universe: str) -> ModelVersion:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "stockcast.api.ask_registry", universe,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, **self._settings.environment}, start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(CHILD_PATIENCE):
                said, _ = await process.communicate()
            answer = json.loads(said)
        except (TimeoutError, ValueError) as problem:
            self.registry_problem = "MLflow did not answer."
            raise RegistryUnavailable("MLflow did not answer.", "Check that MLflow is running.") from problem
        finally:
            if process.returncode is None:
                process.kill()
        if "error" in answer:
            kind = getattr(errors, str(answer["error"]), RegistryUnavailable)
            if issubclass(kind, errors.StateError):
                self.registry_problem = "MLflow or the database does not answer."
            raise kind(str(answer["message"]), str(answer["hint"]))
        self.registry_problem = None
        found = self._notes.read(universe)
        if found is None:
            raise UnknownModel(f"Nobody speaks for the universe {universe} yet.", "Train a model.")
        return found


def told(version: ModelVersion) -> ModelTold:
    """How a version is named to clients."""
    return ModelTold(
        name=version.name, version=version.version, kind=version.kind, run_id=version.run_id,
        trained_until=version.trained_until, note=version.note,
    )  # fmt: skip


def _prove(windows: WindowSpeaker) -> float:
    """Lets it forecast, all the way; the seconds that it takes for a window.

    Raises CorruptBundle when nothing sensible comes out.
    """
    example = np.resize(np.array(EXAMPLE_PRICES), windows.lookback)
    try:
        asked = windows.ask(PriceWindow(example), None)
        prices = windows.forecast([asked], datetime.now(UTC))[0].forecast.prices
        began = time.perf_counter()
        windows.forecast([asked] * _SEVERAL, datetime.now(UTC))
        took = time.perf_counter() - began
        sensible = bool(np.isfinite(prices).all() and (prices > 0).all() and (np.diff(prices, axis=1) >= 0).all())
    except StockcastError:
        raise
    except Exception as problem:
        raise CorruptBundle(f"The model cannot forecast: {problem}.", "Roll back, or train again.") from problem
    if not sensible:
        raise CorruptBundle("The model's first forecast is no forecast.", "Roll back, or train again.")
    return took / _SEVERAL
