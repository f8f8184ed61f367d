"""Where better settings are searched for, over one Workspace: what is asked for, each trial, what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from stockcast.config_versions import ConfigVersion, ConfigVersions
from stockcast.database import Database
from stockcast.forecasting.observer import Observer
from stockcast.home_files import make_folder
from stockcast.prices.store import PriceStore
from stockcast.settings import Settings
from stockcast.workflows.choose_histories import choose_histories
from stockcast.workflows.job_requests import USUAL_TRIALS, TuneRequest
from stockcast.workflows.request_tuning import request_tuning
from stockcast.workflows.tune import (
    Found,
    Ground,
    Trial,
    adopted,
    adoption_note,
    given_up,
    try_present,
    try_proposed,
)
from stockcast.workflows.tune_space import Parameters, parameters_of, widest

if TYPE_CHECKING:
    from stockcast.workflows.tune_study import Study


class Universes(Protocol):
    """Who knows the universes."""

    def require(self, universe: str) -> None: ...


class Rooms(Protocol):
    """What the desk needs of the Workspace."""

    settings: Settings
    clock: Callable[[], datetime]

    @property
    def database(self) -> Database: ...
    @property
    def prices(self) -> PriceStore: ...
    @property
    def configs(self) -> ConfigVersions: ...
    @property
    def universe_desk(self) -> Universes: ...


class TuneDesk:
    """Searches for better settings."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def request(
        self,
        universe: str,
        tickers: Sequence[str] = (),
        until: date | None = None,
        *,
        trials: int = USUAL_TRIALS,
        space: Sequence[str] = (),
        seed: int = 7,
    ) -> TuneRequest:
        """What a search is asked to do. Raises UnknownUniverse, or what `request_tuning` raises."""
        self._rooms.universe_desk.require(universe)
        return request_tuning(
            self._rooms.configs, self._rooms.prices, universe, tickers, until, trials, space, seed
        )

    @contextmanager
    def study(self, name: str, asked: TuneRequest, part: int = 0) -> Iterator[Study]:
        """The study of a search, as one of its parts sees it; it is begun when it is not there."""
        from stockcast.workflows.tune_study import Study, open_storage

        # Two that ask at the same time must not be told the same, as they would by one seed.
        seed = (asked.seed * 1009 + part) % 2**32
        with open_storage(self._rooms.database) as storage:
            yield Study(storage, name, asked.space, asked.trials, asked.config.training.patience, seed)

    def trial(
        self,
        name: str,
        asked: TuneRequest,
        part: str,
        number: int,
        observer: Observer,
        began: Callable[[Parameters], None],
        killed: int = 0,
    ) -> Trial:
        """Does the trial of a number, which a part names; `began` is told what it tries.

        `killed`: how often its process has ended by now, if that is too often to try it again.
        """
        with self.study(name, asked, number) as study:
            proposed = None if number == 0 else study.propose(part)
            if killed:
                return given_up(study, proposed, number, asked, killed)
            observer.doing("Reading prices", 0.0)
            widely = widest(asked.config, asked.space)
            chosen = choose_histories(self._rooms.prices, widely, asked.tickers, asked.until)
            settings = self._rooms.settings
            ground = Ground(asked, chosen, settings.job_logs, make_folder(settings.scratch), settings.threads)
            if proposed is None:
                began(parameters_of(asked.config, [each.field for each in asked.space]))
                return try_present(study, part, ground, observer)
            began(proposed.parameters)
            return try_proposed(study, part, proposed, number, ground, observer)

    def begin(self, name: str, asked: TuneRequest) -> None:
        """Begins the study of a search, unless it is there."""
        with self.study(name, asked):
            pass

    def finish(self, name: str, asked: TuneRequest, trials: Sequence[Trial]) -> Found:
        """What all trials have come to; nothing of the study is left open."""
        with self.study(name, asked) as study:
            study.close()
            return Found(tuple(trials), study.importances())

    def adopt(
        self, universe: str, job: str, asked: TuneRequest, found: Found, number: int | None, author: str
    ) -> ConfigVersion:
        """Saves a configuration with the settings of a trial, or of the best. It trains and promotes nothing.

        Raises InvalidRequest when there is nothing to adopt, or ConfigMoved when the configuration has changed
        since the search was asked for.
        """
        trial, config = adopted(asked, found, number)
        note = adoption_note(job, trial, found, asked.config, config)
        return self._rooms.configs.save(
            universe, config, note, self._rooms.clock(), author=author, expected=asked.config_version
        )
