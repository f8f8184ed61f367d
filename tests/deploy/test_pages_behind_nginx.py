"""The dashboard behind the real nginx, in a real Chromium: its websocket passes, its scripts obey the policy."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from nginx_process import Nginx, free_port
from playwright.sync_api import expect, sync_playwright
from real_programs import program

pytestmark = pytest.mark.browser
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def test_a_page_with_charts_is_drawn_through_nginx_and_breaks_no_rule_of_its_policy(
    home: Path, tmp_path: Path
) -> None:
    chromium, name, port = program("chromium"), program("nginx"), free_port()
    options = [f"--server.port={port}", "--server.address=127.0.0.1", "--server.headless=true"]
    with open(tmp_path / "dashboard.log", "wb") as log:
        dashboard = subprocess.Popen(
            [sys.executable, "-m", "stockcast.ui.server", *options],
            env={**os.environ, "STOCKCAST_HOME": str(home)}, stdout=log, stderr=log,
        )  # fmt: skip
    said: list[str] = []
    sockets: list[str] = []
    try:
        with (
            Nginx(name, tmp_path / "nginx", DASHBOARD=f"127.0.0.1:{port}", NGINX_PATIENCE="10s") as nginx,
            sync_playwright() as playwright,
        ):
            address = f"http://127.0.0.1:{nginx.dashboard}"
            give_up = time.monotonic() + 60
            while not httpx.get(f"{address}/_stcore/health", trust_env=False).is_success:
                assert time.monotonic() < give_up
                time.sleep(0.1)
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 2400})
            page.on("console", lambda message: said.append(message.text))
            page.on("websocket", lambda opened: sockets.append(opened.url))
            page.goto(f"{address}/forecast")
            expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=60_000)
            page.locator(".js-plotly-plot").first.wait_for(state="attached", timeout=60_000)
            browser.close()
    finally:
        dashboard.kill()
        dashboard.wait()
    assert sockets == [f"ws://127.0.0.1:{nginx.dashboard}/_stcore/stream"]
    assert [each for each in said if "Content Security Policy" in each] == []
