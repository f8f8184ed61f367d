"""Gives a universe's experiment, runs and registered model another name; versions and aliases stay as they are."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from stockcast.errors import InvalidRequest
from stockcast.registry.tracking_server import TrackingServer, model_name

if TYPE_CHECKING:
    from mlflow import MlflowClient

_PAGE = 1000  # runs that MLflow lists at a time
_Undo = list[Callable[[], object]]


@contextmanager
def renaming_model(server: TrackingServer, old: str, new: str) -> Iterator[Callable[[], None]]:
    """Hands out what renames; when that or anything else in the block fails, all of it is taken back.

    What an earlier renaming that was cut off has done is not done twice. Raises InvalidRequest when MLflow has
    something of the new name beside the old one, or RegistryUnavailable.
    """
    undo: _Undo = []

    def rename() -> None:
        with server.told("renaming a model") as client:
            experiment = _rename_experiment(client, model_name(old), model_name(new), undo)
            if experiment is not None:
                _tag_runs(client, experiment, old, new, undo)
            _rename_registered(client, model_name(old), model_name(new), undo)

    try:
        yield rename
    except BaseException:
        for step in reversed(undo):
            with contextlib.suppress(Exception):  # the first failure is the one to tell
                step()
        raise


def _rename_experiment(client: MlflowClient, old: str, new: str, undo: _Undo) -> str | None:
    """Id of the experiment, or None where the universe has none."""
    found, taken = client.get_experiment_by_name(old), client.get_experiment_by_name(new)
    if found is None:
        return None if taken is None else str(taken.experiment_id)
    if taken is not None:
        raise _taken(new)
    client.rename_experiment(found.experiment_id, new)
    undo.append(lambda: client.rename_experiment(found.experiment_id, old))
    return str(found.experiment_id)


def _rename_registered(client: MlflowClient, old: str, new: str, undo: _Undo) -> None:
    names = {model.name for name in (old, new) for model in client.search_registered_models(f"name = '{name}'")}
    if old not in names:
        return
    if new in names:
        raise _taken(new)
    client.rename_registered_model(old, new)
    undo.append(lambda: client.rename_registered_model(new, old))


def _tag_runs(client: MlflowClient, experiment: str, old: str, new: str, undo: _Undo) -> None:
    from mlflow.entities import ViewType

    token: str | None = None
    named: list[tuple[str, bool]] = []
    while True:
        page = client.search_runs(
            [experiment], f"tags.universe = '{old}'", ViewType.ALL, max_results=_PAGE, page_token=token
        )
        named += [(run.info.run_id, run.info.lifecycle_stage == "deleted") for run in page]
        token = page.token
        if not token:
            break
    for run, deleted in named:
        _tag(client, run, deleted, new)
        undo.append(lambda run=run, deleted=deleted: _tag(client, run, deleted, old))  # type: ignore[misc]


def _tag(client: MlflowClient, run: str, deleted: bool, universe: str) -> None:
    if deleted:  # MLflow tags only what is there
        client.restore_run(run)
    try:
        client.set_tag(run, "universe", universe)
    finally:
        if deleted:
            client.delete_run(run)


def _taken(name: str) -> InvalidRequest:
    return InvalidRequest(
        f"MLflow has something of the name {name} already.", "Choose another name; nothing was changed."
    )
