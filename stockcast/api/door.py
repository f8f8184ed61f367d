"""What every request passes: its id, its key, the limits, the clock, the metrics and the line in the log.

One plain ASGI layer, because a layer of Starlette's costs as much as a forecast.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stockcast.api.keys import Scope as KeyScope
from stockcast.api.problems import UNEXPECTED, Refused, from_status
from stockcast.api.rate_limit import RateLimit
from stockcast.api.request_spans import begin_span, end_span
from stockcast.api.server_state import ServerState
from stockcast.errors import StockcastError
from stockcast.logs import get_logger

_log = get_logger(__name__)

Predict = Callable[[ServerState, bytes, dict[str, Any]], Awaitable[bytes]]

LARGEST_BODY = 4 * 1024 * 1024  # bytes; 500 windows of 60 closes are one MiB
_JSON_TYPE = (b"content-type", b"application/json")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_JSON = re.compile(rb"application/(?:[\w.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)
_OPEN = frozenset({"/", "/health", "/health/live", "/health/ready", "/docs", "/openapi.json"})
_NEVER_BUSY = frozenset({"/health", "/health/live", "/health/ready", "/metrics"})
_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Door:
    """The outermost layer."""

    def __init__(self, app: ASGIApp, state: ServerState, predict: Predict) -> None:
        self._app = app
        self._state = state
        self._predict = predict
        self._keys = state.keys
        self._metrics = state.metrics
        self._access = state.access_log
        self._limit = RateLimit(state.settings.api_rate)
        self._most = state.settings.api_concurrency
        self._timeout = state.settings.api_timeout
        self._local: set[bytes] = set()  # hosts that were looked at

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        headers = dict(scope["headers"])
        asked_id = headers.get(b"x-request-id")
        # A name and no secret: asking the system for chance costs a tenth of a forecast.
        request_id = (
            asked_id.decode() if asked_id and _REQUEST_ID.fullmatch(asked_id) else f"{random.getrandbits(64):016x}"
        )
        scope.setdefault("state", {})["request_id"] = request_id
        beside = [(b"x-request-id", request_id.encode())]
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *beside]
            await send(message)

        traces, span = self._state.traces, None
        if traces is not None and scope["path"] not in _NEVER_BUSY:
            span = begin_span(traces, scope, headers)
        self._metrics.in_flight += 1
        try:
            self._admit(scope, headers)
            if scope["path"] == "/predict" and scope["method"] == "POST":
                body = await self._body(receive)
                await _send(answer, 200, await self._predict(self._state, body, scope["state"]))
            else:
                async with asyncio.timeout(self._timeout):
                    await self._app(scope, receive, answer)
        except Exception as problem:
            refused = refusal(problem, scope)
            if not status:
                await _send(answer, refused.status, refused.body(request_id), _head(refused))
        finally:
            self._metrics.in_flight -= 1
            took = time.perf_counter() - began
            route = "/predict" if scope["path"] == "/predict" else getattr(scope.get("route"), "path", "other")
            self._metrics.observe(route, scope["method"], status, took)
            self._access.add(scope, route, status, took)
            if span is not None:
                end_span(span, scope, route, status)

    async def _body(self, receive: Receive) -> bytes:
        """The whole body, within its limit and in time. Raises Refused."""
        message = await receive()
        body: bytes = message.get("body", b"")
        if message.get("more_body"):
            parts, size = [body], len(body)
            async with asyncio.timeout(self._timeout):
                while message.get("more_body"):
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Refused(408, "timeout", "The body did not come to its end.", "Send it in one go.")
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > LARGEST_BODY:
                        raise from_status(413)
            body = b"".join(parts)
        if len(body) > LARGEST_BODY:
            raise from_status(413)
        return body

    def _admit(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        """Raises Refused."""
        path = scope["path"]
        if self._metrics.in_flight > self._most and path not in _NEVER_BUSY:
            raise Refused(503, "busy", "Too many requests are worked at just now.", "Ask again in a moment.",
                          retry_after=1)  # fmt: skip
        host = headers.get(b"host", b"")
        if not self._keys.any and host not in self._local and not self._is_local(host):
            # A page of another site that got its name to point here would ask in the name of whoever reads it.
            raise Refused(421, "unknown_host", "This API answers to the names of this machine alone.",
                          "Ask for localhost, or make a key: `stockcast keys create`.")  # fmt: skip
        if path not in _OPEN:
            scope_of_key, who = self._keys.scope_of(_key(headers))
            _require(scope_of_key, _wanted(path, scope["method"]))
            scope["state"]["who"] = who
            if path not in _NEVER_BUSY:
                wait = self._limit.wait(who or str(scope["client"] and scope["client"][0]))
                if wait:
                    raise Refused(429, "too_many_requests", "This key has asked too often.",
                                  "Ask again later; Retry-After says when.", retry_after=wait)  # fmt: skip
        if scope["method"] in ("POST", "PUT", "PATCH") and _has_body(headers):
            kind = headers.get(b"content-type", b"")
            if kind != b"application/json" and not _JSON.fullmatch(kind.strip()):
                raise Refused(415, "not_json", "The body must be JSON.", "Send Content-Type: application/json.")
            if headers.get(b"content-encoding", b"identity").lower() != b"identity":
                raise Refused(415, "encoded_body", "Compressed bodies are not read.", "Send the body as it is.")

    def _is_local(self, host: bytes) -> bool:
        name = host.decode("latin-1").lower()
        name = name.partition("]")[0] + "]" if name.startswith("[") else name.partition(":")[0]
        local = name in _LOCAL or not name
        if local and len(self._local) < 100:
            self._local.add(host)
        return local


def refusal(problem: Exception, scope: Scope) -> Refused:
    """How a request is told what went wrong; what nobody foresaw, and what is the server's fault, is logged."""
    request_id, path = scope["state"]["request_id"], scope["path"]
    if isinstance(problem, Refused):
        return problem
    if isinstance(problem, StockcastError):
        refused = Refused.of(problem)
        if refused.status >= 500:
            _log.warning(
                "request_refused", request_id=request_id, path=path, code=refused.code, error=problem.message
            )
        return refused
    if isinstance(problem, TimeoutError):
        return Refused(408, "timeout", "The request took too long.", "Send it in one go, or ask for less.")
    _log.error("request_failed", request_id=request_id, path=path, exc_info=problem)
    return UNEXPECTED


async def _send(send: Send, status: int, body: bytes, head: Sequence[tuple[bytes, bytes]] = ()) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [_JSON_TYPE, length, *head]})
    await send({"type": "http.response.body", "body": body})


def _head(refused: Refused) -> list[tuple[bytes, bytes]]:
    # The rest of a body that is too slow or too large is not waited for.
    return [*refused.head(), *([(b"connection", b"close")] if refused.status in (408, 413) else [])]


def _key(headers: Mapping[bytes, bytes]) -> str | None:
    bearer = headers.get(b"authorization", b"")
    if bearer[:7].lower() == b"bearer ":
        return bearer[7:].strip().decode("latin-1")
    key = headers.get(b"x-api-key")
    return None if key is None else key.strip().decode("latin-1")


def _wanted(path: str, method: str) -> KeyScope:
    """Which scope a route asks for. What changes something, and what tells of everybody, is for admins."""
    if path.startswith(("/predict", "/sample-data", "/model/info")):
        return "predict"
    if path.startswith(("/jobs", "/config")) and method in ("GET", "HEAD"):
        return "predict"
    return "admin"


def _require(held: KeyScope, wanted: KeyScope) -> None:
    if held == "admin" or held == wanted:
        return
    if held == "open":
        raise Refused(
            401,
            "no_key",
            "This route needs an API key.",
            "Send Authorization: Bearer KEY, or X-API-Key: KEY.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    raise Refused(403, "wrong_scope", "This key may ask for forecasts and nothing else.", "Use an admin key.")


def _has_body(headers: Mapping[bytes, bytes]) -> bool:
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"
