"""A thousand clients at once: what each is told, how long the health report takes meanwhile, and memory.

python -m benchmarks.api_crowd [--clients 1000] [--seconds 12]
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from itertools import islice
from pathlib import Path

import psutil

from benchmarks.api_load import free_port, make_home, questions, server

WINDOWS = 500


class Crowd:
    """Clients that each keep a connection and ask without a pause, or wait a second when they were sent away."""

    def __init__(self, port: int, process: psutil.Process) -> None:
        self.port = port
        self.process = process
        self.told: Counter[str] = Counter()
        self.took: list[float] = []
        self.health: list[float] = []
        self._asked = list(islice(questions("/predict", 1), WINDOWS))
        self._leave = False

    async def come(self, clients: int, seconds: float) -> int:
        """Lets all of them ask for a while; how many of them met an error of the connection."""
        watcher = threading.Thread(target=self._watch)
        watcher.start()
        asking = [asyncio.create_task(self._ask(number)) for number in range(clients)]
        await asyncio.sleep(seconds)
        self._leave = True
        ended = await asyncio.gather(*asking, return_exceptions=True)
        watcher.join()
        return sum(isinstance(each, BaseException) for each in ended)

    async def _ask(self, number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        while not self._leave:
            began = time.perf_counter()
            writer.write(self._asked[number % WINDOWS])
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
            self.took.append(time.perf_counter() - began)
            status = head[9:12].decode()
            self.told[status + (" with Retry-After" if b"retry-after" in head else "")] += 1
            if status != "200":
                await asyncio.sleep(1)
        writer.close()

    def _watch(self) -> None:
        while not self._leave:
            began = time.perf_counter()
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=30).close()
            self.health.append(time.perf_counter() - began)
            time.sleep(0.2)


def main() -> None:
    """Prints what the crowd met."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--clients", type=int, default=1000)
    asked.add_argument("--seconds", type=float, default=12)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home, port = Path(folder) / "home", free_port()
        make_home(home, "ewma")
        command = ["stockcast.api.serve", "127.0.0.1", str(port)]
        with server(command, home, port, "/health/ready") as (process, _started):
            crowd, before = Crowd(port, process), process.memory_info().rss
            broken = asyncio.run(crowd.come(options.clients, options.seconds))
            after = process.memory_info().rss
    took = sorted(crowd.took)
    print(f"{options.clients:,} clients for {options.seconds:g} s, broken connections: {broken} (allowed 0)")
    print(", ".join(f"{count:,} x {what}" for what, count in sorted(crowd.told.items())))
    print(f"p50 {1000 * took[len(took) // 2]:.0f} ms, p99 {1000 * took[int(0.99 * len(took))]:.0f} ms")
    print(f"/health: {len(crowd.health)} times, the longest {max(crowd.health):.2f} s (allowed 1 s)")
    print(f"memory: {before >> 20} to {after >> 20} MiB")


if __name__ == "__main__":
    main()
