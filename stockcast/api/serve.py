"""Serves the API with uvicorn, and leaves without losing a request.

python -m stockcast.api.serve HOST PORT
"""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn

from stockcast.api.http_application import make_door
from stockcast.api.http_protocol import PatientProtocol
from stockcast.api.server_state import ServerState
from stockcast.database import Database
from stockcast.errors import InvalidRequest, StockcastError
from stockcast.logs import configure_logs
from stockcast.settings import Settings, read_settings

KEEP_ALIVE = 75  # seconds; longer than a proxy's own, so that it never uses a connection that is being closed
GRACE = 20  # seconds for requests that are worked at when the process leaves


def serve(settings: Settings, host: str, port: int, ready: Callable[[str], None] = lambda address: None) -> None:
    """Serves until SIGTERM or SIGINT. Raises InvalidRequest when it must not or cannot listen there."""
    state = ServerState(settings)
    if not _is_loopback(host):
        _require_keys(state, host)
    listener = _listen(host, port)
    address = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    server = _Server(server_config(state), state, lambda: ready(address))
    with listener:
        server.run(sockets=[listener])


def server_config(state: ServerState) -> uvicorn.Config:
    """How uvicorn serves a state."""
    return uvicorn.Config(
        make_door(state),
        http=PatientProtocol,
        loop="uvloop",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
        backlog=2048,
    )


class _Server(uvicorn.Server):
    """Answers for some moments more when it is asked to leave; readiness tells a proxy to ask elsewhere meanwhile.

    Then it takes no new connection, and closes each of the others behind its next answer, or when nothing comes.
    """

    def __init__(self, config: uvicorn.Config, state: ServerState, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._state = state
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._loop = asyncio.get_running_loop()
        # What is loaded stays: looking through it again and again would be a tenth of the work.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        if self.started:
            self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM leaves after the drain, or at once the second time; Ctrl-C at once."""
        if self.should_exit:
            self.force_exit = True
        elif self._state.draining or sig == signal.SIGINT:
            self.should_exit = True
        else:
            self._state.draining = True
            self._loop.call_soon_threadsafe(self._loop.call_later, self._state.settings.api_drain, self._leave)

    def _leave(self) -> None:
        self.should_exit = True


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.set_inheritable(True)
    except OSError as problem:
        listener.close()
        raise InvalidRequest(
            f"The API cannot be served at {host}:{port}: {problem.strerror or problem}.",
            "Choose another with --port, or a host of this machine.",
        ) from problem
    return listener


def _require_keys(state: ServerState, host: str) -> None:
    """Raises InvalidRequest where nobody has made a key, and DatabaseUnavailable where that cannot be told."""
    if not state.keys.any:
        database = Database(state.settings.database)
        state.key_watch.read(database)
        database.close()
    if not state.keys.any:
        raise InvalidRequest(
            f"Without a key the API listens to this machine alone, not at {host}.",
            "Make one with `stockcast keys create`, set STOCKCAST_API_KEYS, or listen at 127.0.0.1.",
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def main(host: str, port: int) -> None:
    """Serves by the environment's settings; what keeps it from that becomes one clear line."""
    try:
        settings = read_settings()
        configure_logs(settings, "INFO")
        serve(settings, host, port, lambda address: _say(f"API: {address}/docs   (Ctrl-C stops)"))
    except StockcastError as problem:
        sys.stderr.write(f"stockcast: {problem.message}\n  {problem.hint}\n")
        sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
