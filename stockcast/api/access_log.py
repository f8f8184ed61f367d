"""One line a request, in the form of the other lines, written many at a time.

The usual way to log costs more than a forecast; these lines are made of known fields, and need none of it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json

from stockcast.log_values import plain
from stockcast.settings import Settings

MOST = 20_000  # lines that wait; more are counted instead


class AccessLog:
    """Collects lines; `flush` writes them."""

    def __init__(self, settings: Settings) -> None:
        self._json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
        self._on = logging.getLogger("stockcast").isEnabledFor(logging.INFO)
        self._waiting: list[tuple[datetime, MutableMapping[str, Any], str, int, float]] = []
        self._lost = 0

    def add(self, scope: MutableMapping[str, Any], route: str, status: int, took: float) -> None:
        """Notes an answered request; `took` in seconds."""
        if not self._on:
            return
        if len(self._waiting) >= MOST:
            self._lost += 1
            return
        self._waiting.append((datetime.now(UTC), scope, route, status, took))

    def flush(self) -> None:
        """Writes what waits. It never stops the work: a reader that is gone costs the lines."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        lost, self._lost = self._lost, 0
        lines = [self._line(*each) for each in waiting]
        if lost:
            lines.append(f'{{"level": "warning", "event": "requests_not_logged", "count": {lost}}}')
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write("\n".join(lines) + "\n")
            sys.stderr.flush()

    def _line(self, at: datetime, scope: MutableMapping[str, Any], route: str, status: int, took: float) -> str:
        state = scope["state"]
        client = scope.get("client")
        fields = {
            "timestamp": at.isoformat().replace("+00:00", "Z"),
            "level": "info",
            "event": "request",
            "logger": __name__,
            "pid": os.getpid(),
            "method": scope["method"],
            "path": scope["path"][:200] if route == "other" else route,
            "status": status,
            "milliseconds": round(took * 1000, 3),
            "client": client[0] if client else None,
            "key": state.get("who") or None,
            "model_version": state.get("model_version"),
            "request_id": state["request_id"],
        }
        if self._json:
            return to_json(fields if route != "other" else plain(fields)).decode()
        path = "".join(sign if sign.isprintable() else "?" for sign in str(fields["path"]))
        return (
            f"{fields['timestamp'][:19].replace('T', ' ')} INFO    {fields['method']} {path} {status} "
            f"{fields['milliseconds']} ms"
        )
