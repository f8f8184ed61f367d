"""HTTP as uvicorn speaks it, with what that leaves to a proxy: limits of a head, and patience at the end."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from stockcast.api.problems import Refused

MOST_HEADERS = 100
LARGEST_HEAD = 32 * 1024  # bytes
HEAD_PATIENCE = 20.0  # seconds for a head to arrive
LAST_PATIENCE = 1.0  # seconds for which an idle connection may still ask when the process leaves


class Corked:
    """A transport that sends at once what is written in one turn of the loop: head and body of an answer."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._held: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        held, self._held = self._held, []
        if held and not self._transport.is_closing():
            self._transport.write(b"".join(held))


class PatientProtocol(HttpToolsProtocol):
    """One connection."""

    _head = 0
    _refused = _leaving = False
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(Corked(transport))  # type: ignore[arg-type]
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._refused and self.parser is not None:
            super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = 0
        if self._waiting is None:
            self._expect_head()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._count(len(name) + len(value))

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        if not self._refused:
            super().on_headers_complete()
            if self._leaving and self.cycle is not None:
                self.cycle.keep_alive = False

    def shutdown(self) -> None:
        """A client that keeps its connection may have sent a request that is still on its way."""
        self._leaving = True
        if self.cycle is None or self.cycle.response_complete:
            self.loop.call_later(LAST_PATIENCE, self._close_if_idle)
        else:
            self.cycle.keep_alive = False

    def _close_if_idle(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()

    def _count(self, size: int) -> None:
        self._head += size
        if (self._head > LARGEST_HEAD or len(self.headers) > MOST_HEADERS) and not self._refused:
            self._refused = True
            self._cut_off(431, b"Request Header Fields Too Large")

    def _expect_head(self) -> None:
        self._waiting = self.loop.call_later(HEAD_PATIENCE, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _too_slow(self) -> None:
        self._waiting = None
        if not self.transport.is_closing():
            self._refused = True
            self._cut_off(408, b"Request Timeout")

    def _cut_off(self, status: int, phrase: bytes) -> None:
        told = phrase.decode()
        body = Refused(status, told.lower().replace(" ", "_"), f"{told}.", "Send a smaller head, in one go.").body(
            ""
        )
        head = b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\n" % (status, phrase)
        self.transport.write(head + b"content-length: %d\r\nconnection: close\r\n\r\n%s" % (len(body), body))
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP at all, in our form."""
        self._refused = True
        self._cut_off(400, b"Bad Request")
