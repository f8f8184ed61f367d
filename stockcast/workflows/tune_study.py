"""The study of a search: Optuna proposes what is tried next, says what is hopeless, and learns from the rest.

It is kept by Optuna's own tables in the one database, where every process that does trials finds it. They have a
place of their own there: Optuna counts the version of its tables in `alembic_version`, as stockcast and MLflow do.
On PostgreSQL that is the schema `SCHEMA_tuning` beside ours, on SQLite a second file, `stockcast-tuning.db`.

The only module that knows Optuna, which nobody else waits for to be imported.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import optuna
import sqlalchemy
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import StorageInternalError
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from stockcast.database import Database
from stockcast.errors import DatabaseUnavailable
from stockcast.workflows.tune_space import ENOUGH, How, Parameters, Range

Storage = optuna.storages.RDBStorage
PART = "part"  # the attribute of a trial that names the part of the job which does it
MOST_RANDOM = 10  # trials at random, before what is known guides the next one
BEFORE_PRUNING = 4  # whole trials, before one is called worse than most

_STATES: Mapping[How, TrialState] = {
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


@dataclass(frozen=True)
class Proposed:
    """What is tried; `ended` and `value` when an earlier attempt at it has come to its end."""

    number: int  # as Optuna counts
    parameters: Parameters
    told: frozenset[int]  # epochs whose loss is known
    ended: How | None = None
    value: float | None = None


class Study:
    """One search. `patience` is how many epochs every trial gets; `seed` that of what is proposed from here."""

    def __init__(
        self,
        storage: Storage,
        name: str,
        space: Sequence[Range],
        trials: int,
        patience: int,
        seed: int,
    ) -> None:
        self._space = {each.field: each for each in space}
        self._distributions: dict[str, BaseDistribution] = {each.field: _distribution(each) for each in space}
        self._storage = storage
        self._name = name
        with _told():
            self._study = optuna.create_study(
                storage=storage,
                study_name=name,
                load_if_exists=True,
                direction="minimize",
                # Others are at it at the same time: what they try counts as bad until it is known.
                sampler=optuna.samplers.TPESampler(
                    seed=seed, n_startup_trials=min(MOST_RANDOM, max(3, trials // 3)), constant_liar=True
                ),
                pruner=optuna.pruners.MedianPruner(n_startup_trials=BEFORE_PRUNING, n_warmup_steps=patience + 1),
            )

    def propose(self, part: str) -> Proposed:
        """What a part tries. A part that lost its process is given the same again."""
        with _told():
            found = self._of(part)
            if found is None:
                trial = self._study.ask(self._distributions)
                trial.set_user_attr(PART, part)
                found = self._of(part)
                assert found is not None
        ended: How | None = next((how for how, state in _STATES.items() if state == found.state), None)
        return Proposed(
            found.number,
            {name: self._space[name].put(value) for name, value in found.params.items()},
            frozenset(found.intermediate_values),
            ended,
            found.value,
        )

    def hopeless(self, proposed: Proposed, epoch: int, loss: float) -> bool:
        """Notes the validation loss of an epoch. Whether most were better by then, so that this one may end."""
        with _told():
            study_id = self._storage.get_study_id_from_name(self._name)
            trial_id = self._storage.get_trial_id_from_study_id_trial_number(study_id, proposed.number)
            trial = optuna.trial.Trial(self._study, trial_id)
            if epoch not in proposed.told and math.isfinite(loss):
                trial.report(loss, epoch)
            return trial.should_prune()

    def tell(self, proposed: Proposed, how: How, value: float | None) -> None:
        """How a trial has ended. Telling it again changes nothing."""
        with _told():
            told = value if how == "complete" else None  # Optuna takes the last loss of a pruned one
            self._study.tell(proposed.number, told, state=_STATES[how], skip_if_finished=True)

    def add(self, part: str, parameters: Parameters, losses: Mapping[int, float], value: float) -> None:
        """Tells of a whole trial that nobody had to propose; once for each part."""
        known = {name: self._space[name].nearest(found) for name, found in parameters.items()}
        with _told():
            if self._of(part) is None:
                self._study.add_trial(
                    optuna.trial.create_trial(
                        params=known,
                        distributions=self._distributions,
                        value=value,
                        intermediate_values={epoch: loss for epoch, loss in losses.items() if math.isfinite(loss)},
                        user_attrs={PART: part},
                    )
                )

    def close(self) -> None:
        """Marks as failed what nobody will go on with."""
        with _told():
            for left in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
                self._study.tell(left.number, state=TrialState.FAIL, skip_if_finished=True)

    def importances(self) -> dict[str, float]:
        """How much each setting weighs in what came out, as shares of 1; empty when too few trials tell.

        A trial that ended early counts with its loss by then: half of them do, and all are bad.
        """
        with _told():
            ended = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
        values = [(trial, trial.value) for trial in ended if trial.value is not None]
        if len(values) < ENOUGH or len({value for _trial, value in values}) < 2:
            return {}
        known = optuna.create_study()  # in memory
        known.add_trials(
            [
                optuna.trial.create_trial(params=trial.params, distributions=trial.distributions, value=value)
                for trial, value in values
            ]
        )
        by = optuna.importance.FanovaImportanceEvaluator(seed=0)
        return dict(optuna.importance.get_param_importances(known, evaluator=by))

    def _of(self, part: str) -> FrozenTrial | None:
        trials = self._study.get_trials(deepcopy=False)
        return next((trial for trial in trials if trial.user_attrs.get(PART) == part), None)


@contextmanager
def open_storage(database: Database) -> Iterator[Storage]:
    """Optuna's tables beside ours, for as long as they are needed; they are made when they are not there.

    Raises DatabaseUnavailable, also where nothing may be made.
    """
    storage = _storage(database)
    try:
        yield storage
    finally:
        storage.engine.dispose()


def _storage(database: Database) -> Storage:
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # what is to be told is told by the job
    # Whoever else comes to make the tables waits here.
    with database.write(alone="tables of searches"), _told():
        url, kept = _place(database)
        try:
            storage = optuna.storages.RDBStorage(url.render_as_string(hide_password=False), engine_kwargs=kept)
        except RuntimeError as problem:
            raise DatabaseUnavailable(
                f"The tables of searches are of another version of Optuna: {problem}",
                "Remove them, as what was found stands with the jobs: stockcast-tuning.db, or the schema.",
            ) from problem
    if url.get_backend_name() == "sqlite":
        storage.engine.dispose()  # connections from before the next lines
        event.listen(storage.engine, "connect", _configure_sqlite)
        event.listen(storage.engine, "begin", _begin_sqlite)
    return storage


def _place(database: Database) -> tuple[sqlalchemy.URL, dict[str, object]]:
    """Where Optuna's tables are, and how they are reached."""
    url = sqlalchemy.make_url(database.url)
    if url.get_backend_name() == "sqlite":
        file = Path(url.database or "stockcast.db")
        beside = file.with_stem(file.stem + "-tuning")
        return url.set(database=str(beside)), {"connect_args": {"timeout": 30}}
    with database.engine.connect() as connection:
        schema = f"{connection.exec_driver_sql('SELECT current_schema()').scalar_one()}_tuning"[:63]
        asked = sqlalchemy.text("SELECT 1 FROM pg_namespace WHERE nspname = :name")
        if connection.execute(asked, {"name": schema}).first() is None:
            _make_schema(connection, schema)
    before = url.query.get("options", "")
    options = " ".join([before] if isinstance(before, str) else before)
    place = url.update_query_dict({"options": f'{options} -csearch_path="{schema}"'.strip()})
    return place, {"pool_pre_ping": True}


def _make_schema(connection: sqlalchemy.Connection, schema: str) -> None:
    try:
        connection.exec_driver_sql(f'CREATE SCHEMA "{schema}"')
        connection.commit()
    except SQLAlchemyError as problem:
        raise DatabaseUnavailable(
            f"The schema {schema} for searches cannot be made: {problem.__cause__ or problem}.",
            f'Let whoever runs the database do it: CREATE SCHEMA "{schema}" AUTHORIZATION the role of stockcast',
        ) from problem


def _distribution(asked: Range) -> BaseDistribution:
    if asked.whole:
        return IntDistribution(int(asked.low), int(asked.high), log=asked.log)
    return FloatDistribution(asked.low, asked.high, log=asked.log)


@contextmanager
def _told() -> Iterator[None]:
    """What Optuna's storage says, in one sentence."""
    try:
        yield
    except (StorageInternalError, SQLAlchemyError) as problem:
        raise DatabaseUnavailable(
            f"The database does not keep the search: {problem.__cause__ or problem}.",
            "Check STOCKCAST_DATABASE_URL and that the disk is not full.",
        ) from problem


def _configure_sqlite(connection: object, _record: object) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined]  # BEGIN IMMEDIATE below is ours
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=NORMAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sqlalchemy.Connection) -> None:
    """Optuna reads and then writes in one transaction: it must hold the lock before it reads."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
