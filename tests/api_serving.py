"""How tests serve the API: in their own process, or as a process of its own over real HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import uvicorn

from stockcast.api.serve import server_config
from stockcast.api.server_state import ServerState
from stockcast.client.schemas import EXAMPLE_PRICES
from stockcast.config import Config
from stockcast.database import Database
from stockcast.forecasting.bundle import pack, write_bundle
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.forecaster import Forecaster
from stockcast.monitoring.drift_reference import DriftReference
from stockcast.prices.frame import PriceFrame
from stockcast.prices.source import FetchedPrices, PriceReport
from stockcast.prices.store import PriceStore
from stockcast.registry.champion_notes import ChampionNotes
from stockcast.registry.versions import ModelVersion
from stockcast.settings import Settings

WINDOW = list(EXAMPLE_PRICES)


def settings_of(home: Path, **more: object) -> Settings:
    """Settings of a home, none of them from the environment; the API never asks MLflow by itself."""
    return Settings(home=home, api_look=0, worker_linger=0, api_drain=0.3, **more)


def version_of(number: int, run_id: str = "", kind: str = "ewma") -> ModelVersion:
    """A registered version as MLflow would tell it."""
    return ModelVersion(
        name="stockcast-default", version=str(number), kind=kind, run_id=run_id or f"run{number}",
        experiment_id="1", created_at=datetime(2024, 1, number, tzinfo=UTC), trained_until=None,
        tickers=("AAPL", "IBM", "MSFT"), aliases=("champion",), promoted=True, reasons=(), note="",
    )  # fmt: skip


def crown(
    settings: Settings,
    version: ModelVersion,
    scale: float = 1.0,
    frames: tuple[PriceFrame, ...] = (),
    forecaster: Forecaster | None = None,
) -> None:
    """Puts a version into the cache and notes that it speaks: a forecaster, or an EWMA `scale` times as wide."""
    base = EwmaForecaster()
    bundle = pack(
        forecaster or replace(base, scales=tuple(scale * each for each in base.scales)),
        tickers=version.tickers,
        config=Config().model_dump(mode="json"),
        data_fingerprint="0" * 64,
        drift_reference=DriftReference.fit(frames, 60).to_json() if frames else None,
        scorecard=None,
    )
    folder = settings.bundle_cache / version.name / version.run_id
    if not folder.exists():
        write_bundle(bundle, folder)
    ChampionNotes(settings.champion_notes).write("default", version)


def furnish(home: Path, frames: tuple[PriceFrame, ...]) -> None:
    """Stores histories, and puts an EWMA champion with a drift reference into the cache."""
    settings = settings_of(home)
    database = Database(settings.database)
    for frame in frames:
        PriceStore(database).save(FetchedPrices(frame, PriceReport(len(frame))))
    database.close()
    crown(settings, version_of(1), frames=frames)


@contextlib.contextmanager
def under_load(
    address: str, clients: int = 8, *, leaves: bool = False
) -> Iterator[list[httpx.Response | Exception]]:
    """Clients that keep their connection and ask without a pause, from when each has had an answer; what they got.

    Nothing is forgiven, but, where the server `leaves`, that it takes no new connection.
    """
    got: list[httpx.Response | Exception] = []
    done = threading.Event()
    answered = [threading.Event() for _client in range(clients)]

    def ask(mine: threading.Event) -> None:
        with httpx.Client(base_url=address, timeout=20, trust_env=False) as client:
            while not done.is_set():
                try:
                    got.append(client.post("/predict", json={"last_prices": WINDOW}))
                except httpx.HTTPError as problem:
                    if leaves and isinstance(problem, httpx.ConnectError) and "refused" in str(problem):
                        return
                    got.append(problem)
                mine.set()

    threads = [threading.Thread(target=ask, args=[mine]) for mine in answered]
    for thread in threads:
        thread.start()
    try:
        assert all(each.wait(30) for each in answered)
        yield got
    finally:
        done.set()
        for thread in threads:
            thread.join()


class Served(httpx.Client):
    """A client of an API in this process, with the state behind it."""

    state: ServerState


@contextlib.contextmanager
def client_of(state: ServerState, ready: bool = True) -> Iterator[Served]:
    """Serves a state from a thread, over real HTTP; `ready` waits until its database is open."""
    server = uvicorn.Server(server_config(state))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        wait_until(lambda: server.started and (not ready or state.spool.database is not None))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with Served(base_url=address, timeout=30, trust_env=False) as client:
            client.state = state
            try:
                yield client
            finally:
                server.should_exit = True
        thread.join(30)
    assert not thread.is_alive()


def wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    """Until it is true, or fails."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


class ServingProcess:
    """`stockcast serve api` as a process of its own, at a free port or `at` one."""

    def __init__(self, home: Path, at: int = 0, **settings: str) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", at))
            self.port: int = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = home.parent / f"api-{self.port}.log"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("STOCKCAST_")},
            "STOCKCAST_HOME": str(home), "STOCKCAST_API_LOOK": "0", "STOCKCAST_WORKER_LINGER": "0",
            "STOCKCAST_API_DRAIN": "0.5",
            **{f"STOCKCAST_{name.upper()}": value for name, value in settings.items()},
        }  # fmt: skip
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "stockcast", "serve", "api", "--port", str(self.port)],
                env=environment, stdout=log, stderr=log,
            )  # fmt: skip

    def wait(self, path: str = "/health/ready", seconds: float = 60) -> ServingProcess:
        """Until it answers 200."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError), urllib.request.urlopen(self.address + path, timeout=2) as reply:
                if reply.status == 200:
                    return self
            time.sleep(0.02)
        raise AssertionError(f"it did not come up: {self.log.read_text()[-2000:]}")

    def stop(self) -> int:
        """Asks it to leave, and tells how it left."""
        self.process.terminate()
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()

    def events(self) -> list[dict[str, object]]:
        """What it has logged."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
