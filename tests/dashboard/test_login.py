"""A login through a real provider of identities: operators act, viewers look, others stay outside."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from home_workers import kill_workers
from playwright.sync_api import Page, expect
from real_browser import ROOT, drawn, free_port, wait_until_answered, watched_page

pytestmark = pytest.mark.browser

PEOPLE = {
    "ana": {"email": "Ana@example.org", "email_verified": True},
    "bia": {"email": "bia@desk.example.org", "email_verified": True},
    "eve": {"email": "eve@elsewhere.org", "email_verified": True},
    "sly": {"email": "ana@example.org", "email_verified": False},
    "nul": {},
}


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[str]:
    """A provider that knows PEOPLE; its address."""
    port = free_port()
    known = [f"--user-claims={json.dumps({'sub': name, **claims})}" for name, claims in PEOPLE.items()]
    with open(tmp_path / "provider.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), *known],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        wait_until_answered(f"http://127.0.0.1:{port}/.well-known/openid-configuration", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def dashboard(provider: str, sample_home: Path, tmp_path: Path) -> Iterator[str]:
    """The dashboard over the sample, open to other machines and with a login; its address."""
    port, home = free_port(), tmp_path / "home"
    shutil.copytree(sample_home, home)
    address = f"http://localhost:{port}"
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(
        "[auth]\n"
        f'redirect_uri = "{address}/oauth2callback"\n'
        'cookie_secret = "of this test alone"\n'
        'client_id = "stockcast"\n'
        'client_secret = "nobody knows"\n'
        f'server_metadata_url = "{provider}/.well-known/openid-configuration"\n'
    )
    environment = {
        **os.environ,
        "STOCKCAST_HOME": str(home),
        "STOCKCAST_OPERATORS": "ana@example.org",
        "STOCKCAST_VIEWERS": "@desk.example.org",
    }
    command = [
        sys.executable, "-m", "stockcast.ui.server", "--server.headless", "true", "--server.address", "0.0.0.0",
        "--server.port", str(port), "--secrets.files", str(secrets),
    ]  # fmt: skip
    with open(tmp_path / "server.log", "wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            wait_until_answered(f"{address}/_stcore/health", process)
            yield address
        finally:
            process.terminate()
            process.wait()
            kill_workers(home)


def log_in(page: Page, name: str) -> None:
    page.goto("/")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name=name, exact=True).click()


def log_out(page: Page) -> None:
    """The provider is told, too, and has the last word."""
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("button", name="End session").click()
    page.goto("/")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()


def test_operators_act_viewers_look_and_others_stay_outside(dashboard: str, provider: str) -> None:
    with watched_page(dashboard, also=provider) as page:
        page.goto("/train")
        expect(page.get_by_role("button", name="Log in")).to_be_visible()
        assert "AAPL" not in page.content()

        log_in(page, "ana")
        drawn(page, "What do we expect next?")
        expect(page.get_by_text("Ana@example.org · operator")).to_be_visible()
        page.get_by_test_id("stSidebarNav").get_by_role("link", name="API").click()
        drawn(page, "Can a program ask?")
        page.get_by_role("textbox", name="Label").fill("nightly report")
        page.get_by_role("button", name="Make a key").click()
        expect(page.get_by_text(re.compile("nightly report")).first).to_be_visible()
        log_out(page)

        log_in(page, "bia")
        drawn(page, "What do we expect next?")
        expect(page.get_by_text("bia@desk.example.org · viewer")).to_be_visible()
        page.get_by_test_id("stSidebarNav").get_by_role("link", name="Train").click()
        drawn(page, "Does a new model do better?")
        page.get_by_role("button", name="Retrain").click()
        expect(page.get_by_text("You may look, and change nothing")).to_be_visible()
        log_out(page)

        for name in ("eve", "sly", "nul"):
            log_in(page, name)
            expect(page.get_by_text("You are logged in, but not invited")).to_be_visible()
            assert "AAPL" not in page.content()
            log_out(page)
