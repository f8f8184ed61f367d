"""What a browser gets first: where the server is, so that no page waits while it is looked for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_reading import PAGES as NAMES
from playwright.sync_api import expect
from real_browser import PATIENCE, ROOT, free_port, wait_until_answered, watched_page

from stockcast.ui.first_html import PAGES, first_html
from stockcast.ui.server import read_options


@pytest.fixture
def served(empty_home: Path, tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A fresh server as the product starts it, and its process."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    command = [
        sys.executable, "-m", "stockcast.ui.server", "--server.headless", "true", f"--server.port={port}",
        "--server.address", "127.0.0.1",
    ]  # fmt: skip
    with open(tmp_path / "server.log", "wb") as log:
        environment = {**os.environ, "STOCKCAST_HOME": str(empty_home)}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            wait_until_answered(f"{address}/_stcore/health", process)
            yield address, process
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def empty_home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.mark.parametrize("page", PAGES)
def test_each_page_is_told_where_the_server_is_before_streamlits_code_runs(page: str) -> None:
    html = first_html(page).decode()
    assert html.index(f'data-page="{page}"') < html.index('<script type="module"')
    assert "SourceSans" not in html, "nothing is set in it"


def test_every_page_is_known() -> None:
    assert {page or "overview" for page in PAGES} == set(NAMES)


def test_options_are_read_as_a_command_line_has_them() -> None:
    words = ["--server.port", "8501", "--server.address=0.0.0.0", "--server.headless", "--secrets.files", "a.toml"]
    assert read_options(words) == {
        "server.port": 8501, "server.address": "0.0.0.0", "server.headless": True, "secrets.files": ["a.toml"],
    }  # fmt: skip


@pytest.mark.browser
def test_a_page_asks_for_its_server_once_and_in_the_right_place_and_the_server_ends_while_it_is_open(
    served: tuple[str, subprocess.Popen[bytes]],
) -> None:
    address, process = served
    asked: list[tuple[str, int]] = []
    with watched_page(address) as page:
        page.on("response", lambda answer: asked.append((answer.url, answer.status)))
        for path in ("/forecast", "/", "/forecast/"):
            asked.clear()
            page.goto(path)
            expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=PATIENCE)
            assert [url for url, _status in asked if "/_stcore/health" in url] == [f"{address}/_stcore/health"]
            assert not [url for url, status in asked if status >= 400]
        process.terminate()
        assert process.wait(timeout=15) is not None
