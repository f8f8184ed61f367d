"""A real web server for tests, which takes messages as a webhook does, or does not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Webhook:
    """What came in. A path with a status in it is answered with that: /500/… fails; /slow/… is never answered."""

    port: int
    messages: list[dict[str, str]] = field(default_factory=list)
    answers: bool = True  # whether anything is taken at all

    def address(self, path: str = "") -> str:
        """For apprise, with a password and a key that nobody should read anywhere."""
        return f"json://analyst:hunter2@127.0.0.1:{self.port}/{path}T0KEN"


@contextmanager
def webhook() -> Iterator[Webhook]:
    """A server on a free port of this machine, until the test ends."""
    done = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            first = self.path.split("/")[1]
            if first == "slow":
                done.wait(30)
                return
            status = int(first) if first.isdigit() else 200 if found.answers else 503
            if status == 200:
                found.messages.append(json.loads(body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Webhook(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        server.shutdown()
        server.server_close()
        thread.join()
