"""`stockcast up`: every face of an empty home, and the API page in a real Chromium beside a real API."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from home_workers import kill_workers, workers_of
from playwright.sync_api import expect
from real_browser import PATIENCE, drawn, free_port, wait_until_answered, watched_page

from stockcast.client.api_client import ApiClient

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Faces:
    process: subprocess.Popen[bytes]
    home: Path
    dashboard: str
    mlflow: str
    api: str


@pytest.fixture
def faces(tmp_path: Path) -> Iterator[Faces]:
    """Everything at once over an empty home."""
    home, ports = tmp_path / "home", [free_port() for _ in range(3)]
    options = [f"--{face}={port}" for face, port in zip(("port", "mlflow-port", "api-port"), ports, strict=True)]
    environment = {**os.environ, "STOCKCAST_HOME": str(home)}
    with open(tmp_path / "up.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "stockcast", "up", "--no-browser", *options],
            env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    dashboard, mlflow, api = (f"http://127.0.0.1:{port}" for port in ports)
    try:
        wait_until_answered(f"{dashboard}/_stcore/health", process)
        yield Faces(process, home, dashboard, mlflow, api)
    finally:
        for each in [*psutil.Process(process.pid).children(recursive=True)] if process.poll() is None else []:
            each.kill()
        process.kill()
        process.wait()
        kill_workers(home)


def test_up_serves_every_face_of_an_empty_home_tells_when_one_is_silent_and_leaves_nobody_behind(
    faces: Faces,
) -> None:
    wait_until_answered(f"{faces.api}/health/ready", faces.process)
    wait_until_answered(f"{faces.mlflow}/health", faces.process)
    with ApiClient(faces.api) as client:
        served = client.health().models["default"]
    with watched_page(faces.dashboard) as page:
        page.goto("/api?ticker=AAPL")
        drawn(page, "Can a program ask?")
        expect(page.get_by_text("Yes: the API is healthy")).to_be_visible()
        main = page.get_by_test_id("stMain")
        expect(main.get_by_text(f"{served.kind} v{served.version}", exact=True).first).to_be_visible()
        expect(main.get_by_text("the champion", exact=True)).to_be_visible()
        page.get_by_role("button", name="Ask the API").click()
        expect(main.get_by_text("Naive: no change")).to_be_visible()
        expect(main.get_by_text(re.compile("has spoken; the log knows this as request"))).to_be_visible()
        assert "curl" in main.inner_text()

        [api] = [
            each
            for each in psutil.Process(faces.process.pid).children(recursive=True)
            if "stockcast.api.serve" in each.cmdline()
        ]
        api.suspend()  # an end would end everything: `up` stops all when one has gone
        expect(page.get_by_text(re.compile("^Not yet: "))).to_be_visible()
        expect(page.get_by_text(re.compile("stockcast serve api --port")).first).to_be_visible()
        api.resume()
        expect(page.get_by_text("Yes: the API is healthy")).to_be_visible()

        page.get_by_role("link", name="Monitor").click()
        drawn(page, "Has it kept its word?")

        faces.process.send_signal(signal.SIGTERM)
        faces.process.wait(timeout=PATIENCE / 1000)
    assert workers_of(faces.home) == []
