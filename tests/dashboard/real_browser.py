"""A real Chromium before a real server: where it is, how long it is waited for, and what it must not do."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from home_workers import kill_workers
from playwright.sync_api import Page, Request, expect, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 60_000  # milliseconds; the machine may be busy

if CHROMIUM is None and os.environ.get("CI") != "true":
    pytest.skip("no chromium is installed", allow_module_level=True)


def free_port() -> int:
    """A port of this machine that nobody listens at just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def dashboard_over(home: Path, log_folder: Path, cwd: Path = ROOT, **environment: str) -> Iterator[str]:
    """A fresh server over a home, as `streamlit run app.py` starts it; its address."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    command = [
        sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.headless", "true",
        "--server.address", "127.0.0.1", "--server.port", str(port),
    ]  # fmt: skip
    own = {"STOCKCAST_HOME": str(home), "STOCKCAST_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with open(log_folder / "server.log", "wb") as log:
        process = subprocess.Popen(
            command, cwd=cwd, env={**os.environ, **own, **environment}, stdout=log, stderr=log
        )
        try:
            wait_until_answered(f"{address}/_stcore/health", process)
            yield address
        finally:
            process.terminate()
            process.wait()
            kill_workers(home)


def wait_until_answered(address: str, process: subprocess.Popen[bytes]) -> None:
    """Until something answers at an address; fails when the process ends before."""
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended at once"
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"nobody answers at {address}")


@contextmanager
def watched_page(server: str, also: str = "", **context: object) -> Iterator[Page]:
    """A browser page whose requests are watched: none may leave the server. `also` is another server that may be
    gone to, and whose pages are not ours to watch. `context` is Playwright's.
    """
    assert CHROMIUM is not None, "CI needs chromium"
    outside: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        settings = {"viewport": {"width": 1280, "height": 1000}, "base_url": server, **context}
        page = browser.new_context(**settings).new_page()  # type: ignore[arg-type]
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        page.on("request", lambda sent: outside.append(sent.url) if _leaves(sent, server, also) else None)
        yield page
        browser.close()
    assert outside == []


def drawn(page: Page, question: str) -> None:
    """Waits until a page has been drawn whole, with nothing left of the one before."""
    expect(page.get_by_role("heading", name=question)).to_be_visible()
    page.wait_for_function(
        "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
    )


def _leaves(sent: Request, server: str, also: str) -> bool:
    if also and sent.headers.get("referer", "").startswith(also):
        return False
    known = (server, server.replace("http", "ws"), "data:", "blob:", *([also] if also else []))
    return not sent.url.startswith(known)
