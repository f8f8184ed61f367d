"""Where universes are listed, created and renamed: those of one Workspace."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import filelock
from sqlalchemy import select

from stockcast.config import DEFAULT_UNIVERSE, Config
from stockcast.config_versions import ConfigVersion, ConfigVersions
from stockcast.database import Database
from stockcast.errors import UnknownUniverse
from stockcast.home_files import make_folder
from stockcast.registry.bundles import Bundles
from stockcast.registry.champion_notes import ChampionNotes
from stockcast.registry.tracking_server import TrackingServer, model_name
from stockcast.registry.versions import ModelVersion
from stockcast.settings import Settings
from stockcast.tables import jobs
from stockcast.workflows.compare_configs import Since, since_version
from stockcast.workflows.create_universe import create_universe
from stockcast.workflows.rename_universe import rename_universe


class Stores(Protocol):
    """What the desk needs of the Workspace."""

    clock: Callable[[], datetime]

    @property
    def database(self) -> Database: ...
    @property
    def configs(self) -> ConfigVersions: ...
    @property
    def tracking(self) -> TrackingServer: ...
    @property
    def bundles(self) -> Bundles: ...
    @property
    def notes(self) -> ChampionNotes: ...


class UniverseDesk:
    """Knows which universes there are."""

    def __init__(self, stores: Stores, settings: Settings) -> None:
        self._stores = stores
        self._settings = settings

    def names(self) -> list[str]:
        """The default one, every one with a configuration of its own, and those that were trained without."""
        trained = select(jobs.c.universe).where(jobs.c.kind == "train", jobs.c.state == "succeeded").distinct()
        with self._stores.database.read() as connection:
            of_jobs = connection.execute(trained).scalars().all()
        return sorted({DEFAULT_UNIVERSE, *self._stores.configs.universes(), *of_jobs})

    def require(self, universe: str) -> None:
        """Raises UnknownUniverse, with the nearest name, or InvalidRequest for what cannot name one."""
        model_name(universe)
        known = self.names()
        if universe in known:
            return
        near = difflib.get_close_matches(universe, known, 1, cutoff=0.5)
        meant = f"Did you mean {near[0]}? " if near else ""
        raise UnknownUniverse(
            f"There is no universe {universe}.",
            f"{meant}Create one with: stockcast universes create {universe} --tickers A,B",
        )

    def create(
        self, name: str, tickers: Sequence[str] = (), *, based_on: Config | None = None, author: str = ""
    ) -> ConfigVersion:
        """Creates a universe. Raises InvalidRequest for a name that is taken or unusable, or InvalidTicker."""
        now = self._stores.clock()
        return create_universe(
            self._stores.configs, self.names(), name, tickers, now, based_on=based_on, author=author
        )

    def rename(self, old: str, new: str) -> None:
        """Renames it with its model, runs, jobs, journal and alerts. See `rename_universe` for what it raises."""
        self.require(old)
        stores = self._stores
        # Nobody is crowned meanwhile: whoever looks for a champion of the old name would make one.
        with filelock.FileLock(make_folder(self._settings.home) / "champion.lock"):
            rename_universe(
                stores.database, stores.tracking, stores.notes, self._settings.bundle_cache, old, new.strip()
            )

    def since(self, version: ModelVersion, following: Config) -> Since:
        """What changed since a version was trained. Raises CorruptBundle or RegistryUnavailable."""
        return since_version(self._stores.bundles, version, following)
