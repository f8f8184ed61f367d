"""Answers Prometheus over HTTP, at any path, from a thread of its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stockcast.errors import InvalidRequest

if TYPE_CHECKING:
    from stockcast.settings import Settings


@contextlib.contextmanager
def metrics_server(settings: Settings, host: str, port: int) -> Iterator[str]:
    """Serves the metrics of the database while the block runs, and gives their address. It answers from the
    beginning, also where the database does not. Raises InvalidRequest when the port cannot be used."""
    from prometheus_client import generate_latest, start_http_server

    from stockcast.database import Database
    from stockcast.jobs.job import KINDS
    from stockcast.monitoring.prometheus import metrics_registry

    opened: list[Database] = []

    def open_database() -> Database:
        opened.append(Database(settings.database))
        return opened[-1]

    registry = metrics_registry(open_database, KINDS)
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as problem:
        raise InvalidRequest(
            f"Metrics cannot be served at {host}:{port}: {problem.strerror or problem}.",
            "Choose another port, or a host of this machine.",
        ) from problem
    # The first reading of a large journal takes seconds, and nobody should have to wait for it.
    first = threading.Thread(target=generate_latest, args=(registry,), name="first reading", daemon=True)
    first.start()
    try:
        yield f"http://{f'[{host}]' if ':' in host else host}:{port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        first.join(timeout=2)
        for database in opened:
            database.close()
