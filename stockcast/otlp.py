"""Spans of OpenTelemetry and their way to a collector; only imported where traces are wanted.

The provider is one of our own, as the process's global one is MLflow's. What else OpenTelemetry's variables say of
the way counts: OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER, OTEL_RESOURCE_ATTRIBUTES and so on.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from stockcast import __version__
from stockcast.logs import get_logger

PATIENCE = 5.0  # seconds for which a collector may take to answer
FAREWELL = 0.7  # seconds for which a process that leaves tries to send what waits

Attributes = Mapping[str, str | int | float | bool]

_KINDS = {"request": SpanKind.SERVER, "job": SpanKind.CONSUMER}
# What they say of a collector that is away, at every try and with a traceback, is told below in one line.
_NOISY = ("opentelemetry.exporter.otlp", "opentelemetry.sdk._shared_internal")
_log = get_logger(__name__)


class OtlpSpan:
    """Something that takes time."""

    def __init__(self, span: Span) -> None:
        self._span = span
        context = span.get_span_context()
        # What a line of the log carries, so that it is found from the trace and the other way round.
        self.ids = {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}

    def event(self, name: str) -> None:
        """A moment within it."""
        self._span.add_event(name)

    def failed(self, kind: str) -> None:
        """It went wrong; `kind` is a word for programs, such as the name of an error."""
        self._span.set_status(StatusCode.ERROR)
        self._span.set_attribute("error.type", kind)

    def end(self, attributes: Attributes, name: str = "") -> None:
        """It is over; by then more is known of it, perhaps its name."""
        self._span.set_attributes(dict(attributes))
        if name:
            self._span.update_name(name)
        self._span.end()


class OtlpTraces:
    """Makes spans and sends them, many at a time, from a thread of its own."""

    def __init__(self, endpoint: str, service: str) -> None:
        for name in _NOISY:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        address = endpoint if endpoint.endswith("/v1/traces") else f"{endpoint}/v1/traces"
        told = {"service.name": service, "service.version": __version__}
        self._provider = TracerProvider(resource=Resource.create(told), id_generator=_Ids())
        self._provider.add_span_processor(_Sender(_Told(OTLPSpanExporter(address, timeout=PATIENCE), address)))
        self._tracer = self._provider.get_tracer("stockcast", __version__)
        self._propagator = TraceContextTextMapPropagator()

    def begin(self, what: str, name: str, attributes: Attributes, traceparent: str = "") -> OtlpSpan:
        """A span, a `request` or a `job`; of the trace that whoever asks has begun, where it says so."""
        above = self._propagator.extract({"traceparent": traceparent}) if traceparent else None
        return OtlpSpan(self._tracer.start_span(name, above, kind=_KINDS[what], attributes=dict(attributes)))

    def close(self) -> None:
        """Sends what waits, or lets it go where the collector does not take it at once; an exit does so, too."""
        self._provider.shutdown()


class _Ids(IdGenerator):
    """Chance of its own: a training seeds that of the process, and ids would come again with every training."""

    def __init__(self) -> None:
        self._random = random.Random()

    def generate_span_id(self) -> int:
        return self._random.getrandbits(64) or 1

    def generate_trace_id(self) -> int:
        return self._random.getrandbits(128) or 1

    def is_trace_id_random(self) -> bool:
        return True


class _Told(SpanExporter):
    """Says once that the collector is away, and once that it is back."""

    def __init__(self, inner: SpanExporter, address: str) -> None:
        self._inner = inner
        self._address = address
        self._away = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._inner.export(spans)
        away = result is not SpanExportResult.SUCCESS
        if away and not self._away:
            _log.warning("traces_not_sent", collector=self._address)
        elif self._away and not away:
            _log.info("traces_go_on", collector=self._address)
        self._away = away
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()


class _Sender(BatchSpanProcessor):
    """Does not keep a process that leaves."""

    def shutdown(self) -> None:
        self._batch_processor.shutdown(timeout_millis=int(FAREWELL * 1000))
