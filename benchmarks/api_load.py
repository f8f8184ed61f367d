"""What the API does under load, beside a bare FastAPI route on the same server settings, in one run.

python -m benchmarks.api_load [--predictions 100000] [--training] [--rounds 3] [--kinds ewma lstm]

The bare route reads the same body into `list[float]` and answers a constant; it is asked by the same clients, in
turns with ours. No two windows are the same. The champion is the network of the default configuration.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psutil
import uvloop

from benchmarks.sample_histories import TICKERS, sample_histories
from stockcast.client.api_client import ApiClient
from stockcast.config import Config
from stockcast.database import Database
from stockcast.evaluation.split import split_dates, training_pairs
from stockcast.forecasting.bundle import pack, write_bundle
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.forecaster import Forecaster
from stockcast.forecasting.lstm.estimator import LstmEstimator
from stockcast.forecasting.observer import UNWATCHED
from stockcast.forecasting.recalibrated import recalibrate
from stockcast.monitoring.drift_reference import DriftReference
from stockcast.prices.source import FetchedPrices, PriceReport
from stockcast.prices.store import PriceStore
from stockcast.registry.champion_notes import ChampionNotes
from stockcast.registry.versions import ModelVersion
from stockcast.settings import Settings

HEAD = "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"


@dataclass
class Measured:
    """What clients met: seconds of each answer, and how many were no 200."""

    seconds: float
    took: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.took) / self.seconds

    def percentile(self, share: float) -> float:
        """Milliseconds."""
        return float(np.quantile(self.took, share) * 1e3)


class Client(asyncio.Protocol):
    """Asks over one connection, the next question after each answer, until `left` is empty or `end` has come."""

    def __init__(
        self, bodies: Iterator[bytes], end: float, measured: Measured, done: asyncio.Future[None]
    ) -> None:
        self.bodies, self.end, self.measured, self.done = bodies, end, measured, done

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        body = next(self.bodies, None)
        if body is None or time.perf_counter() > self.end:
            self.transport.close()
            if not self.done.done():
                self.done.set_result(None)
            return
        self.came, self.asked = b"", time.perf_counter()
        self.transport.write(body)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.came += data
        head, found, body = self.came.partition(b"\r\n\r\n")
        if found and len(body) >= int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]):
            self.measured.took.append(time.perf_counter() - self.asked)
            self.measured.failed += not head.startswith(b"HTTP/1.1 200")
            self.ask()

    def connection_lost(self, problem: Exception | None) -> None:
        if not self.done.done():
            self.measured.failed += 1
            self.done.set_result(None)


def load(port: int, requests: Iterator[bytes], clients: int, seconds: float) -> Measured:
    """Lets some clients ask at once for a while."""

    async def run() -> Measured:
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        measured = Measured(seconds)
        ends = [loop.create_future() for _ in range(clients)]
        for done in ends:
            await loop.create_connection(
                lambda done=done: Client(requests, began + seconds, measured, done), "127.0.0.1", port
            )
        await asyncio.gather(*ends)
        measured.seconds = time.perf_counter() - began
        return measured

    return uvloop.run(run())


def questions(path: str, seed: int) -> Iterator[bytes]:
    """Requests for ever, no two the same: ten thousand windows, of which each turn changes the last close."""
    random = np.random.default_rng(seed)
    moves = random.standard_t(5, (2_000, 60)) * 0.013
    windows = np.round(100 * np.exp(np.cumsum(moves, axis=1)), 4)
    texts = [json.dumps(window[:-1].tolist())[:-1] for window in windows]
    turn = 0
    while True:
        turn += 1
        for text, window in zip(texts, windows, strict=True):
            body = f'{{"last_prices": {text}, {window[-1] + turn / 1e4 + seed / 1e7:.7f}]}}'
            yield (HEAD.format(path, len(body)) + body).encode()


def make_home(home: Path, kind: str) -> None:
    """The bundled sample and a champion in the cache."""
    settings = Settings(home=home)
    frames = sample_histories()
    database = Database(settings.database)
    for frame in frames:
        PriceStore(database).save(FetchedPrices(frame, PriceReport(len(frame))))
    database.close()
    config = Config().with_overrides(["training.max_epochs=1", "training.accelerator=cpu"])
    pairs, _ = training_pairs(frames, split_dates(frames, config), config)
    forecaster: Forecaster = EwmaForecaster()
    if kind == "lstm":
        with tempfile.TemporaryDirectory() as folder:
            forecaster = recalibrate(LstmEstimator(config, Path(folder), 2).fit(pairs, UNWATCHED), pairs, 0.005)
    bundle = pack(
        forecaster,
        tickers=TICKERS,
        config=config.model_dump(mode="json"),
        data_fingerprint="0" * 64,
        drift_reference=DriftReference.fit([pair.train for pair in pairs], 60).to_json(),
        scorecard=None,
    )
    version = ModelVersion(
        "stockcast-default", "1", kind, "run1", "1", datetime.now(UTC), forecaster.trained_until, TICKERS,
        ("champion",), True, (), "",
    )  # fmt: skip
    write_bundle(bundle, settings.bundle_cache / version.name / version.run_id)
    ChampionNotes(settings.champion_notes).write("default", version)


@contextlib.contextmanager
def server(command: Sequence[str], home: Path, port: int, path: str) -> Iterator[tuple[psutil.Process, float]]:
    """A server process, and the seconds from its start to its first answer of 200."""
    environment = {
        **os.environ,
        "STOCKCAST_HOME": str(home),
        "STOCKCAST_API_LOOK": "0",
        "STOCKCAST_WORKER_LINGER": "0",
    }
    began = time.perf_counter()
    with (
        open(home / "server.log", "ab") as log,
        subprocess.Popen([sys.executable, "-m", *command], env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            while True:
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).close()
                    break
                if process.poll() is not None or time.perf_counter() - began > 60:
                    raise RuntimeError((home / "server.log").read_text()[-2000:])
                time.sleep(0.005)
            yield psutil.Process(process.pid), time.perf_counter() - began
        finally:
            process.terminate()
            process.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 2) for value in values]


def tell(name: str, measured: Measured) -> None:
    print(
        f"{name:28} {measured.rate:8,.0f}/s   p50 {measured.percentile(0.5):6.2f} ms   "
        f"p99 {measured.percentile(0.99):6.2f} ms   failed {measured.failed}"
    )


def measure(kind: str, rounds: int, predictions: int, seconds: float, training: bool) -> None:
    """One champion: start, memory, one client, 32 clients beside the bare route, and many predictions."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        make_home(home, kind)
        starts = []
        for _ in range(3):
            ours, bare = free_port(), free_port()
            with server(["stockcast", "serve", "api", "--port", str(ours)], home, ours, "/health/ready") as (
                _,
                took,
            ):
                starts.append(took)
        print(f"\n== {kind}: start to first healthy answer {statistics.median(starts):.2f} s (allowed 2 s)")
        with (
            server(["stockcast", "serve", "api", "--port", str(ours)], home, ours, "/health/ready") as (
                process,
                _,
            ),
            server(["benchmarks.bare_api", str(bare)], home, bare, "/bare") as _,
        ):
            asked, plain = questions("/predict", 1), questions("/bare", 2)
            load(ours, asked, 4, 1.0)
            load(bare, plain, 4, 1.0)
            tell("one client", load(ours, asked, 1, seconds))
            tell("one client, bare route", load(bare, plain, 1, seconds))
            empty = itertools.repeat(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            ratios, inside = [], []
            for _ in range(rounds):
                there, here = load(bare, plain, 32, seconds), load(ours, asked, 32, seconds)
                tell("32 clients, bare route", there)
                tell("32 clients", here)
                ours_empty = load(ours, empty, 32, seconds)
                tell("32 clients, our empty route", ours_empty)
                ratios.append(here.rate / there.rate)
                inside.append(here.rate / ours_empty.rate)
            print(f"ratio to the bare route {statistics.median(ratios):.2f} (wanted 0.7), of {rounded(ratios)}")
            print(f"ratio to the empty route of our own app {statistics.median(inside):.2f}, of {rounded(inside)}")
            print(f"resident {process.memory_info().rss / 2**20:.0f} MiB (allowed 220 MB)")
            grown(process, ours, asked, predictions)
            if training:
                while_training(ours, asked, seconds)
        shutil.rmtree(home / "spool", ignore_errors=True)


def grown(process: psutil.Process, port: int, asked: Iterator[bytes], predictions: int) -> None:
    """Memory over many predictions."""
    for number in range(0, predictions, 10_000):
        part = (next(asked) for _ in range(10_000))
        load(port, part, 32, 3600)
        print(f"after {number + 10_000:,} more: {process.memory_info().rss / 2**20:.1f} MiB")


def while_training(port: int, asked: Iterator[bytes], seconds: float) -> None:
    """The same clients before and while a network is trained on this machine."""
    with ApiClient(f"http://127.0.0.1:{port}") as api:
        before = load(port, asked, 8, seconds)
        job = api.train({"num_epochs": 1000, "training.patience": 200}).job_id
        while not api.job(job).epochs:
            time.sleep(0.2)
        meanwhile = load(port, asked, 8, 2 * seconds)
        tell("8 clients", before)
        tell("8 clients while it trains", meanwhile)
        slower = meanwhile.percentile(0.99) / before.percentile(0.99)
        print(f"p99 while it trains {slower:.1f} times as long (allowed 2)")
        api.cancel(job)
        while api.job(job).state == "running":
            time.sleep(0.2)


def main() -> None:
    """Prints everything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--predictions", type=int, default=0)
    parser.add_argument("--training", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--kinds", nargs="+", default=["ewma", "lstm"])
    given = parser.parse_args()
    for kind in given.kinds:
        measure(kind, given.rounds, given.predictions, given.seconds, given.training)


if __name__ == "__main__":
    main()
