"""One line a request, in the form of the other lines, written many at a time.

The usual way to log costs more than a forecast; these lines are made of known fields, and need none of it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

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
        self._pid = os.getpid()

    def add(self, scope: MutableMapping[str, Any], route: str, status: int, took: float) -> None:
        """Notes an answered request; `took` in seconds."""
        if not self._on:
            return
        if len(self._waiting) >= MOST:
            self._lost += 1
            return
        self._waiting.append((datetime.now(UTC).replace(tzinfo=None), scope, route, status, took))

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
        state, client = scope["state"], scope.get("client")
        path = route if route != "other" else str(plain({"path": scope["path"]})["path"])
        method, milliseconds, request_id = scope["method"], took * 1000, state["request_id"]
        if not self._json:
            shown = "".join(sign if sign.isprintable() else "?" for sign in path)
            return f"{at:%Y-%m-%d %H:%M:%S} INFO    {method} {shown} {status} {milliseconds:.1f} ms"
        trace = f',"trace_id":"{state["trace_id"]}"' if "trace_id" in state else ""
        who, version = _text(state.get("who") or None), _text(state.get("model_version"))
        return (
            f'{{"timestamp":"{at.isoformat()}Z","level":"info","event":"request","logger":"{__name__}",'
            f'"pid":{self._pid},"method":"{method}","path":{_text(path)},"status":{status},'
            f'"milliseconds":{milliseconds:.3f},"client":{_text(client[0] if client else None)},'
            f'"key":{who},"model_version":{version},"request_id":"{request_id}"{trace}}}'
        )


@lru_cache(maxsize=1000)
def _text(value: str | None) -> str:
    """As JSON."""
    return json.dumps(value)
