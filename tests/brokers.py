"""Real brokers of the tests' own, which can be stopped, emptied and paused without harm to anybody else."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path

import psutil
import pytest

PATIENCE = 60  # seconds; the machine may be busy
RABBITMQ = "/usr/lib/rabbitmq/bin/rabbitmq-server"


def free_port() -> int:
    """A port of this machine that nobody listens at just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Broker(ABC):
    """A broker that keeps its state in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def command(self) -> tuple[list[str], dict[str, str]]: ...

    def start(self) -> None:
        """Starts it, and waits until it takes connections."""
        self.folder.mkdir(exist_ok=True)
        command, more = self.command()
        with open(self.folder.with_suffix(".log"), "ab") as log:
            self._process = subprocess.Popen(
                command, env={**os.environ, **more}, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, self.folder.with_suffix(".log").read_text()
            assert time.monotonic() < deadline, "the broker does not answer"
            time.sleep(0.1)

    def ensure(self) -> None:
        """Starts it unless it answers, whatever was done to it before."""
        if self._process is not None:
            self.resume()
        if self._process is None or self._process.poll() is not None or not self._answers():
            self.stop()
            self.start()

    def stop(self) -> None:
        """Kills it with all that it has started."""
        if self._process is not None:
            self.resume()
            for each in self._all():
                with contextlib.suppress(psutil.Error):
                    each.kill()
            self._process.wait()
            self._process = None

    def forget(self) -> None:
        """Kills it, and takes away all that it kept."""
        self.stop()
        shutil.rmtree(self.folder)

    def pause(self) -> None:
        """Connections are taken, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Goes on where it was paused."""
        self._signal(signal.SIGCONT)

    def _all(self) -> list[psutil.Process]:
        assert self._process is not None
        with contextlib.suppress(psutil.Error):
            me = psutil.Process(self._process.pid)
            return [*me.children(recursive=True), me]
        return []

    def _signal(self, number: signal.Signals) -> None:
        for each in self._all():
            with contextlib.suppress(psutil.Error):
                each.send_signal(number)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as asked:
            asked.settimeout(2)
            asked.sendall(self.greeting)
            return bool(asked.recv(1))
        return False

    greeting: bytes


class Redis(Broker):
    greeting = b"PING\r\n"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> tuple[list[str], dict[str, str]]:
        options = [
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self.folder),
            "--appendonly",
            "yes",
        ]
        return ["redis-server", *options], {}


class RabbitMQ(Broker):
    greeting = b"AMQP\x00\x00\x09\x01"

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def command(self) -> tuple[list[str], dict[str, str]]:
        folder = str(self.folder)
        return [RABBITMQ], {
            "HOME": str(self.folder.parent),  # of the cookie
            "RABBITMQ_NODENAME": f"stockcast{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": folder,
            "RABBITMQ_LOG_BASE": folder,
            "RABBITMQ_PID_FILE": f"{folder}/pid",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_CONFIG_FILE": f"{folder}/none",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",  # waits without turning the processor
        }


def broker_of(kind: str, folder: Path) -> Broker:
    """A broker that has not been started. Where it is not installed a test is skipped, but in CI it fails."""
    there = shutil.which("redis-server") if kind == "redis" else Path(RABBITMQ).exists()
    if not there:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI needs {kind}")
        pytest.skip(f"{kind} is not installed")
    return Redis(folder) if kind == "redis" else RabbitMQ(folder)
