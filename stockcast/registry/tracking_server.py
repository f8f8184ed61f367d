"""The connection to MLflow: opened on first use, its failures told in one sentence."""

from __future__ import annotations

import logging
import os
import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

from stockcast.errors import InvalidRequest, RegistryUnavailable
from stockcast.home_files import make_folder

if TYPE_CHECKING:
    from mlflow import MlflowClient

_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_CONFIGURE_LOGGING": "false",  # what it logs comes out as everything else
    # Its own patience with a server that is down is four minutes; a page is asked to wait for a few seconds.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}
_PASSWORD = re.compile(r"(?<=\w):[^:/@\s]+@(?=\S)")


class TrackingServer:
    """One MLflow, by explicit client: no global tracking URI, no fluent active run.

    `artifacts` is the folder of artifacts when MLflow is a local database; None leaves that to the server.
    """

    def __init__(self, uri: str, artifacts: Path | None) -> None:
        self.uri = uri
        self.artifacts = artifacts

    @cached_property
    def client(self) -> MlflowClient:
        """MLflow's client; importing it takes a second, so only on first use."""
        self.load()
        from mlflow import MlflowClient

        # Both addresses, as the environment may name another registry.
        if self.artifacts is None:
            return MlflowClient(self.uri, self.uri)
        # The first client of a fresh home creates MLflow's tables; two at once would leave them half made.
        with filelock.FileLock(make_folder(self.artifacts).with_name("mlflow.lock"), timeout=120):
            return MlflowClient(self.uri, self.uri)

    @staticmethod
    def load() -> None:
        """Imports MLflow, quietly and without its telemetry, before somebody has to wait for it."""
        _set_environment()
        import mlflow  # noqa: F401

        for name in ("mlflow", "alembic"):  # after the import, which sets levels of its own
            logging.getLogger(name).setLevel(logging.ERROR)

    @contextmanager
    def told(self, doing: str) -> Iterator[MlflowClient]:
        """The client; any failure becomes RegistryUnavailable that says what was being done."""
        from sqlalchemy.exc import SQLAlchemyError

        _set_environment()
        try:
            from mlflow.exceptions import MlflowException

            yield self.client
        except ImportError as problem:
            raise RegistryUnavailable(
                f"MLflow cannot be loaded: {problem}.", "Install the requirements."
            ) from problem
        except (MlflowException, SQLAlchemyError, OSError) as problem:
            raise self._unavailable(doing, problem) from problem

    def experiment(self, universe: str) -> str:
        """Id of the universe's experiment, created when it is new."""
        name = model_name(universe)
        with self.told("opening the experiment") as client:
            found = client.get_experiment_by_name(name)
            if found is not None:
                return str(found.experiment_id)
            location = None if self.artifacts is None else (self.artifacts / name).as_uri()
            return str(client.create_experiment(name, artifact_location=location))

    def _unavailable(self, doing: str, problem: Exception) -> RegistryUnavailable:
        first_line = str(problem).strip().partition("\n")[0] or type(problem).__name__
        what = textwrap.shorten(first_line, 200, placeholder=" …").rstrip(".")
        return RegistryUnavailable(
            _PASSWORD.sub(":***@", f"MLflow at {self.uri} failed while {doing}: {what}."),
            "Check STOCKCAST_MLFLOW_URI, that MLflow is running, and that it reaches its database and its store; "
            "prices and forecasts are untouched.",
        )


def _set_environment() -> None:
    """MLflow reads these when it is imported; what a person has set stays."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)


_PREFIX = "stockcast-"


def model_name(universe: str) -> str:
    """Name of a universe's registered model and experiment. Raises InvalidRequest for an unusable name."""
    allowed = all(letter.isascii() and (letter.isalnum() or letter in "-_.") for letter in universe)
    if not (allowed and 0 < len(universe) <= 40 and universe[0].isalnum()):
        raise InvalidRequest(
            f"{universe[:40]!r} cannot name a universe.",
            "Use up to 40 letters, digits, '-', '_' and '.', beginning with a letter or digit.",
        )
    return f"{_PREFIX}{universe}"


def universe_of(name: str) -> str:
    """The universe of a registered model, the inverse of `model_name`."""
    return name.removeprefix(_PREFIX)
