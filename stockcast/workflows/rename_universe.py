"""Renames a universe everywhere it is named, or nowhere.

The database is changed in one transaction, inside which MLflow renames its part; whichever fails takes the other
back with it. Files that hold the name are copies of what stands there, and follow.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy
from sqlalchemy import Connection, select, update

from stockcast.config import DEFAULT_UNIVERSE
from stockcast.database import Database
from stockcast.errors import InvalidRequest, StockcastError
from stockcast.registry.champion_notes import ChampionNotes
from stockcast.registry.rename_model import renaming_model
from stockcast.registry.tracking_server import TrackingServer, model_name
from stockcast.tables import acknowledgements, alerts, config_versions, job_events, jobs, journal

TABLES = (config_versions, jobs, journal, alerts, acknowledgements)  # all that name a universe; a test looks
# The API looks at the notes every quarter of a second, and moves what it has said within another one.
STRAGGLERS = 1.0  # seconds


def rename_universe(
    database: Database,
    tracking: TrackingServer,
    notes: ChampionNotes,
    cache: Path,
    old: str,
    new: str,
    *,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Moves everything from one name to another. `cache`: the folder of fetched bundles.

    Raises InvalidRequest when a name cannot be meant, when something of the new name is there already, or while a
    job of the universe is active; RegistryUnavailable or DatabaseUnavailable. Then nothing was changed.
    """
    _refuse_names(old, new)
    tracking.load()  # it takes seconds, for which nobody shall wait inside the transaction
    with renaming_model(tracking, old, new) as rename, database.write(alone=f"config of {old}") as connection:
        _keep_others_out(connection)
        _refuse_now(connection, old, new)
        _move(connection, old, new)
        rename()
    _move_files(notes, cache, old, new)
    wait(STRAGGLERS)
    with database.write() as connection:  # what was said under the old name while it was renamed
        _rename_journal(connection, old, new)


def _refuse_names(old: str, new: str) -> None:
    model_name(new)
    if DEFAULT_UNIVERSE in (old, new):
        raise InvalidRequest(
            f"The universe {DEFAULT_UNIVERSE} is always there and keeps its name.",
            "Create another one with: stockcast universes create NAME --tickers A,B",
        )
    if old == new:
        raise InvalidRequest(f"The universe is called {old} already.", "Choose another name.")


def _keep_others_out(connection: Connection) -> None:
    """On PostgreSQL, where others may write at the same time; SQLite has one writer."""
    if connection.dialect.name == "postgresql":
        names = ", ".join(table.name for table in TABLES)
        connection.execute(sqlalchemy.text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))


def _refuse_now(connection: Connection, old: str, new: str) -> None:
    active = select(jobs.c.id).where(jobs.c.universe == old, jobs.c.state.in_(("queued", "running"))).limit(1)
    job = connection.execute(active).scalar()
    if job is not None:
        raise InvalidRequest(
            f"The job {job} of {old} is still active.", "Rename it when that has ended, or cancel the job first."
        )
    for table in TABLES:
        if connection.execute(select(table.c.universe).where(table.c.universe == new).limit(1)).first():
            raise InvalidRequest(
                f"There is something of a universe {new} already.", "Choose another name; nothing was changed."
            )


def _move(connection: Connection, old: str, new: str) -> None:
    of_old = select(jobs.c.id, jobs.c.key, jobs.c.result).where(jobs.c.universe == old)
    for job_id, key, result in connection.execute(of_old).all():
        _rename_in_job(connection, job_id, key, result, old, new)
    for table in (config_versions, jobs, alerts, acknowledgements):
        connection.execute(update(table).where(table.c.universe == old).values(universe=new))
    _rename_journal(connection, old, new)


def _rename_in_job(connection: Connection, job: str, key: str | None, result: object, old: str, new: str) -> None:
    """Its key, and whom it names: a failed one may be tried again, and one that ended is read."""
    values: dict[str, object] = {}
    if key is not None and key.startswith(f"schedule {old} "):  # so that nothing is done a second time
        values["key"] = f"schedule {new} {key.removeprefix(f'schedule {old} ')}"
    if result is not None:
        values["result"] = _renamed(result, old, new)
    if values:
        connection.execute(update(jobs).where(jobs.c.id == job).values(**values))
    judged = (job_events.c.job_id == job) & (job_events.c.kind == "judged")
    for event in connection.execute(select(job_events.c.number, job_events.c.payload).where(judged)).all():
        connection.execute(
            update(job_events)
            .where(judged, job_events.c.number == event.number)
            .values(payload=_renamed(event.payload, old, new))
        )


def _renamed(value: object, old: str, new: str) -> object:
    """Plain data in which the model has its new name."""
    if isinstance(value, dict):
        return {name: _renamed(each, old, new) for name, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, old, new) for each in value]
    return model_name(new) if value == model_name(old) else value


def _rename_journal(connection: Connection, old: str, new: str) -> None:
    """Who spoke is called after the universe, too."""
    of_old = journal.c.universe == old
    spoke = of_old & (journal.c.model == model_name(old))
    connection.execute(update(journal).where(spoke).values(model=model_name(new)))
    connection.execute(update(journal).where(of_old).values(universe=new))


def _move_files(notes: ChampionNotes, cache: Path, old: str, new: str) -> None:
    """Copies for processes that do not ask; where that fails they are made anew when they are wanted."""
    with contextlib.suppress(OSError):
        shutil.move(cache / model_name(old), cache / model_name(new))
    with contextlib.suppress(OSError, StockcastError):
        notes.rename(old, new)
