"""A span for each request, where traces are wanted: its route, status and id, and nothing of its body."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import Scope
from structlog.contextvars import bind_contextvars

from stockcast.tracing import Span, Traces

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def begin_span(traces: Traces, scope: Scope, headers: Mapping[bytes, bytes]) -> Span:
    """Goes on with the trace of whoever asks; the lines of the log carry its id from here on."""
    method, state = _method(scope), scope["state"]
    span = traces.begin(
        "request",
        method,
        {"http.request.method": method, "stockcast.request_id": state["request_id"]},
        headers.get(b"traceparent", b"").decode("latin-1"),
    )
    bind_contextvars(**span.ids)  # each request has a task, and so a context, of its own
    state["trace_id"] = span.ids["trace_id"]
    return span


def end_span(span: Span, scope: Scope, route: str, status: int) -> None:
    """`status` is 0 where whoever asked went away before there was an answer."""
    told: dict[str, str | int] = {"http.response.status_code": status} if status else {}
    if version := scope["state"].get("model_version"):
        told["stockcast.model_version"] = version
    if status >= 500 or not status:
        span.failed(str(status) if status else "no_answer")
    known = route != "other"
    span.end(told | ({"http.route": route} if known else {}), f"{_method(scope)} {route}" if known else "")


def _method(scope: Scope) -> str:
    """Anybody may ask with any word."""
    method: str = scope["method"]
    return method if method in _METHODS else "_OTHER"
