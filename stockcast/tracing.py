"""Traces for whoever sets STOCKCAST_OTLP_ENDPOINT: what was asked for or worked at, and how long it took.

Without that setting nothing is imported to send them with. In a span stand names, ids, counts, kinds of errors;
never a price, a window, or a sentence that could quote one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from stockcast.settings import Settings

if TYPE_CHECKING:
    from stockcast.otlp import OtlpSpan, OtlpTraces

Span: TypeAlias = "OtlpSpan | NoSpan"
Traces: TypeAlias = "OtlpTraces"


class NoSpan:
    """Where nobody wants traces: the same words, and nothing happens."""

    ids: Mapping[str, str] = {}

    def event(self, name: str) -> None:
        """Nothing."""

    def failed(self, kind: str) -> None:
        """Nothing."""

    def end(self, attributes: Mapping[str, str | int | float | bool], name: str = "") -> None:
        """Nothing."""


NO_SPAN = NoSpan()


def open_traces(settings: Settings, service: str) -> Traces | None:
    """Where this process's traces begin, under the name of a service; None where nobody wants them."""
    if not settings.otlp_endpoint:
        return None
    from stockcast.otlp import OtlpTraces

    return OtlpTraces(settings.otlp_endpoint, service)
