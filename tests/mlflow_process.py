"""MLflow's own server as a process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

PATIENCE = 90.0  # seconds; a server needs some to begin, and the machine may be busy


class MlflowServer:
    """`mlflow server` on a port of this machine, over files in a folder unless other stores are named.

    `environment` is what it is given beside that of the tests.
    """

    def __init__(
        self, folder: Path, backend: str = "", artifacts: str = "", environment: dict[str, str] | None = None
    ) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = taken.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._backend = backend or f"sqlite:///{folder / 'mlflow.db'}"
        self._artifacts = artifacts or str(folder / "artifacts")
        # The execution of jobs is not needed, and slow to begin.
        self._environment = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begins; it answers some seconds later."""
        line = [
            *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)),
            *("--workers", "1", "--backend-store-uri", self._backend),
            *("--artifacts-destination", self._artifacts),
        ]
        with open(self._folder / "server.log", "ab") as log:
            self._process = subprocess.Popen(
                line,
                cwd=self._folder,
                env=os.environ | self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Until it answers."""
        give_up = time.monotonic() + PATIENCE
        while not self._answers():
            assert time.monotonic() < give_up, (self._folder / "server.log").read_text()
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        """At once, with those that it has started."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
