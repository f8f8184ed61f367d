"""The pictures of the documents, light and dark, taken by a real browser from a fresh home: `make screenshots`."""

from __future__ import annotations

import io
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from stockcast.config import DEFAULT_UNIVERSE
from stockcast.prices.sessions import closing_times
from stockcast.settings import Settings
from stockcast.workflows.forecast import forecast_ticker
from stockcast.workspace import Workspace

IMAGES = Path(__file__).parents[1] / "docs" / "images"
WIDTH = 1440
PATIENCE = 120  # seconds
LARGEST = 450_000  # bytes
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
APP_STATE = "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState"


def main() -> None:
    """Trains on the bundled sample through the pages and keeps what they show."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("No chromium is installed.")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, served(Path(home)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 900}, base_url=address)
        page.set_default_timeout(1000 * PATIENCE)
        expect.set_options(timeout=1000 * PATIENCE)
        page.goto("/train")
        page.get_by_role("button", name="Retrain").click()
        expect(page.get_by_text(re.compile(r"^lstm v2 .*promoted\.$")).first).to_be_visible()
        page.goto("/backtest")
        page.get_by_role("button", name="Run the backtest").click()
        expect(page.get_by_text(re.compile(r"^lstm v2 .*interval held.*")).first).to_be_visible()
        pages = {"train": "/train", "backtest": "/backtest", "overview": "/", "forecast": "/forecast"}
        pages |= {name: f"/{name}" for name in ("data", "runs", "api")}
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            for name, path in pages.items():
                page.goto(path)
                keep(page, name, theme)
            enter_a_change(page)
            keep(page, "configuration", theme)
        page.close()
        monitor = Path(home) / "monitor"
        speak_every_evening(monitor)
        with served(monitor) as other:
            page = browser.new_page(viewport={"width": WIDTH, "height": 900}, base_url=other)
            page.set_default_timeout(1000 * PATIENCE)
            for theme in THEMES:
                page.emulate_media(color_scheme=theme)
                page.goto("/monitor")
                keep(page, "monitor", theme)
        browser.close()


def enter_a_change(page: Page) -> None:
    """The Configuration page with something that is not saved yet."""
    page.goto("/configuration")
    page.get_by_role("spinbutton", name="Lookback").fill("90")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Save as a version")).to_be_visible()


def speak_every_evening(home: Path) -> None:
    """A live record of the sample's last months: its baseline champion forecasts after each close."""
    workspace = Workspace(Settings(home=home))
    workspace.ingest_sample()
    speaker = workspace.speaker(DEFAULT_UNIVERSE)
    for ticker in ("AAPL", "GOOG", "IBM", "MSFT"):
        frame = workspace.prices.load(ticker)
        for stop in range(len(frame) - 80, len(frame) + 1):
            known = frame.rows(stop - 300, stop)
            closed = closing_times(known.exchange, known.sessions[-1:])[0].item().replace(tzinfo=UTC)
            forecast_ticker(
                speaker,
                known,
                None,
                workspace.journal,
                workspace.adaptations,
                universe=DEFAULT_UNIVERSE,
                face="schedule",
                now=closed + timedelta(hours=1),
            )
    workspace.track.score()
    workspace.database.close()


@contextmanager
def served(home: Path) -> Iterator[str]:
    """Everything that `make run` starts, over a home of its own; the address of the dashboard."""
    port, mlflow_port, api_port = free_port(), free_port(), free_port()
    command = [sys.executable, "-m", "stockcast", "up", "--no-browser", "--port", str(port)]
    environment = {**os.environ, "STOCKCAST_HOME": str(home)}
    command += ["--mlflow-port", str(mlflow_port), "--api-port", str(api_port)]
    process = subprocess.Popen(command, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + PATIENCE
        while not answers(f"{address}/_stcore/health"):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit("The dashboard does not start.")
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait()


def answers(address: str) -> bool:
    """Whether a server answers there."""
    try:
        with urllib.request.urlopen(address, timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def keep(page: Page, name: str, theme: Theme) -> None:
    """Saves the whole page, as high as its content."""
    page.wait_for_selector("h1")
    page.wait_for_timeout(1000)
    page.wait_for_function(f"{APP_STATE} === 'notRunning'")
    for _ in range(2):  # a higher window may draw more
        page.wait_for_timeout(1500)
        height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        page.set_viewport_size({"width": WIDTH, "height": height})
    page.wait_for_timeout(1500)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    file = IMAGES / (f"{name}.png" if theme == "light" else f"{name}-{theme}.png")
    picture.save(file, optimize=True)
    page.set_viewport_size({"width": WIDTH, "height": 900})
    size = file.stat().st_size
    print(f"{file}: {picture.width} x {picture.height}, {size / 1000:.0f} kB")
    if size > LARGEST:
        sys.exit(f"{file} is larger than {LARGEST / 1000:.0f} kB.")


if __name__ == "__main__":
    main()
