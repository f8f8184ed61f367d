"""An OpenTelemetry collector: takes traces over OTLP/HTTP and keeps their spans."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status


@dataclass(frozen=True)
class Kept:
    """A span with the service that it is of."""

    service: str
    span: Span

    @property
    def attributes(self) -> dict[str, object]:
        """What it says of itself."""
        return {each.key: value_of(each) for each in self.span.attributes}

    @property
    def events(self) -> list[str]:
        """What happened within it, in its order."""
        return [each.name for each in self.span.events]

    @property
    def failed(self) -> bool:
        """Whether it says so."""
        return bool(self.span.status.code == Status.STATUS_CODE_ERROR)


def value_of(told: KeyValue) -> object:
    """The value of an attribute."""
    return getattr(told.value, told.value.WhichOneof("value"))


class Collector:
    """Listens from `with` to its end; while it is `deaf` it takes requests and answers none."""

    def __init__(self) -> None:
        self.spans: list[Kept] = []
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.deaf = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if outer.deaf:
                    time.sleep(30)
                    return
                outer.take(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        """Keeps what one request brings."""
        assert path == "/v1/traces"
        assert headers["content-type"] == "application/x-protobuf"
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        self.bodies.append(body)
        self.headers.append(headers)
        for resource in request.resource_spans:
            told = {each.key: value_of(each) for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [Kept(str(told["service.name"]), span) for span in scope.spans]

    def __enter__(self) -> Collector:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
