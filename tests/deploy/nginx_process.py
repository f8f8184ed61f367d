"""The real nginx with the project's own configuration, filled in as the container does it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from pathlib import Path

TEMPLATE = Path(__file__).parents[2] / "deploy" / "nginx" / "nginx.conf.template"
NAMES = frozenset(re.findall(r"\$\{([A-Z_]+)\}", TEMPLATE.read_text()))


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Nginx:
    """nginx in the foreground; it writes into `scratch` alone. `values` stand for names of the template."""

    def __init__(self, program: str, scratch: Path, **values: str) -> None:
        self.api, self.dashboard = free_port(), free_port()
        usual = {
            "NGINX_SCRATCH": str(scratch), "NGINX_ACCESS_LOG": str(scratch / "access.log"), "NGINX_PATIENCE": "2s",
            "NGINX_CLIENT_CONNECTIONS": "64", "NGINX_RESOLVER": "127.0.0.1", "NGINX_SERVER_OPTIONS": "",
            "NGINX_TLS": str(scratch / "tls"), "API_CLIENT_RATE": "100000r/s", "API_CLIENT_BURST": "1000",
            "API_ONE": "127.0.0.1:1", "API_TWO": "127.0.0.1:1", "DASHBOARD": "127.0.0.1:1",
            "API_LISTEN": f"127.0.0.1:{self.api}", "DASHBOARD_LISTEN": f"127.0.0.1:{self.dashboard}",
            "DASHBOARD_LOGIN": "off", "DASHBOARD_LOGIN_FILE": str(scratch / "logins"),
        }  # fmt: skip
        self.values = usual | values
        assert self.values.keys() == NAMES
        scratch.mkdir(exist_ok=True)
        self.scratch = scratch
        self.conf = scratch / "nginx.conf"
        self.conf.write_text(re.sub(r"\$\{([A-Z_]+)\}", lambda name: self.values[name[1]], TEMPLATE.read_text()))
        self.command = [program, "-e", "stderr", "-p", str(scratch), "-c", str(self.conf)]
        self.address = f"http://127.0.0.1:{self.api}"

    def check(self) -> subprocess.CompletedProcess[str]:
        """`nginx -t`."""
        return subprocess.run([*self.command, "-t"], capture_output=True, text=True, timeout=30)

    def __enter__(self) -> Nginx:
        with open(self.scratch / "error.log", "wb") as log:
            # Started by root it would become somebody who may not write into the scratch folder.
            user = " user root;" if os.geteuid() == 0 else ""
            self.process = subprocess.Popen([*self.command, "-g", f"daemon off;{user}"], stderr=log)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.api)) == 0:
                    return self
            assert self.process.poll() is None, (self.scratch / "error.log").read_text()
            time.sleep(0.02)
        raise AssertionError("nginx did not come up")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        finally:
            self.process.kill()

    def lines(self) -> list[str]:
        """Its access log."""
        return (self.scratch / "access.log").read_text().splitlines()
