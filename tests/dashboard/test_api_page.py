"""The API page: is it up, what does it say, how does a program ask, and with which keys."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from api_serving import Served, client_of, settings_of, wait_until
from page_reading import OpenPage, assert_sound, told

from stockcast.api.server_state import ServerState
from stockcast.client.schemas import Health, ModelTold, Part, QueueTold, Resources
from stockcast.config import DEFAULT_UNIVERSE
from stockcast.ui.api_snippets import KEY, curl_snippet, javascript_snippet, python_snippet
from stockcast.ui.api_status import served_words, start_command, uptime
from stockcast.ui.api_talk import Failed, ask
from stockcast.ui.api_try import AskedWindow
from stockcast.workspace import Workspace

CLOSES = (101234.56, 0.123456, 5.0)
WINDOW = AskedWindow("http://127.0.0.1:8000", "banks", "^BVSP", CLOSES, (date(2024, 1, 2),) * 3)


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
    monkeypatch.setenv("STOCKCAST_API_URL", address)
    return address


@pytest.fixture
def served(sample: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A real API over the home of the pages, at the address that they ask."""
    monkeypatch.setattr("stockcast.api.key_watch.EVERY", 0.02)
    with client_of(ServerState(settings_of(sample.settings.home))) as client:
        monkeypatch.setenv("STOCKCAST_API_URL", str(client.base_url).rstrip("/"))
        yield client


def test_where_nobody_answers_the_page_says_how_to_start_it(
    sample: Workspace, nobody: str, open_page: OpenPage
) -> None:
    app = open_page("api")
    assert_sound(app)
    assert "Not yet: nobody answers" in told(app)
    assert f"`stockcast serve api --port {nobody.rpartition(':')[2]}`" in told(app)
    app.button(key="api_try_go").click().run()
    assert_sound(app)
    assert "Nobody answers Nothing listens there." in told(app)
    assert "With the first key that changes for good" in told(app)


def test_it_is_tried_a_key_is_made_and_taken_back(sample: Workspace, served: Served, open_page: OpenPage) -> None:
    app = open_page("api", ticker="IBM")
    assert_sound(app)
    assert "Yes: the API is healthy" in told(app)
    assert "Serves default ewma v1 the champion" in told(app)
    assert "Asks for a key no" in told(app)

    app.button(key="api_try_go").click().run()
    assert_sound(app)
    labels = [metric.label for metric in app.metric]
    assert {"Median, 2013-03-04", "Naive: no change"} <= set(labels)
    assert "ewma v1 has spoken" in told(app).replace("*", "")
    assert '"ticker":"IBM"' in app.json[0].value.replace(" ", "")

    app.text_input(key="api_key_label").set_value("nightly <b>report</b>")
    app.button(key="api_key_go").click().run()
    assert_sound(app)
    assert "it is not shown again" in told(app)
    secret = app.code[-1].value
    [key] = sample.access_keys.list()
    assert (key.label, key.start) == ("nightly <b>report</b>", secret[:6])
    assert app.dataframe[-1].value["State"].tolist() == ["live"]
    wait_until(lambda: served.get("/health").json()["asks_for_key"])

    app.button(key="api_try_go").click().run()
    assert secret not in "".join(code.value for code in app.code), "a secret is shown once"
    assert "It refused: 401 no_key" in told(app)
    assert "Send Authorization: Bearer KEY" in told(app)
    app.text_input(key="api_try_key").set_value("ключ")
    app.button(key="api_try_go").click().run()
    assert "That is no key" in told(app)
    app.text_input(key="api_try_key").set_value(secret)
    app.button(key="api_try_go").click().run()
    assert_sound(app)
    assert "has spoken" in told(app)
    assert secret not in str(app.query_params)

    app.button(key="api_key_revoke").click().run()
    assert "for good. Programs that use it are refused with 401" in told(app)
    app.button(key="api_key_revoke").click()  # AppTest runs the whole page, which would close the dialog
    app.button(key="api_key_revoke_yes").click().run()
    assert_sound(app)
    assert not sample.access_keys.list()[0].live
    wait_until(lambda: served.get("/jobs", headers={"x-api-key": secret}).status_code == 401)


def test_snippets_run_as_they_are_once_the_key_is_filled_in(
    sample: Workspace, served: Served, tmp_path: Path
) -> None:
    made = sample.access_keys.create("program", "predict", sample.clock())
    wait_until(lambda: served.get("/health").json()["asks_for_key"])
    closes = sample.prices.load("IBM").close[-60:].tolist()
    window = replace(
        WINDOW,
        address=str(served.base_url).rstrip("/"),
        universe=DEFAULT_UNIVERSE,
        ticker="IBM",
        closes=tuple(closes),
    )
    (tmp_path / "ask.mjs").write_text(javascript_snippet(window).replace(KEY, made.secret))
    commands = [["bash", "-c", curl_snippet(window)], [sys.executable, "-c", python_snippet(window)]]
    commands = [[*command, text.replace(KEY, made.secret)] for *command, text in commands]
    commands.append(["node", str(tmp_path / "ask.mjs")])
    needed = {"bash": "curl", "node": "node"}
    price = httpx.post(
        window.address + "/predict", headers={"x-api-key": made.secret}, trust_env=False,
        json={"last_prices": [float(f"{each:.6g}") for each in closes], "ticker": "IBM"},
    ).json()["predicted_price"]  # fmt: skip
    for command in commands:
        if shutil.which(needed.get(command[0], command[0])):
            ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
            assert ended.returncode == 0, ended.stderr
            assert str(price) in ended.stdout


@pytest.mark.parametrize("snippet", [curl_snippet, python_snippet, javascript_snippet])
def test_a_snippet_names_address_ticker_and_universe_and_holds_a_placeholder(snippet) -> None:  # type: ignore[no-untyped-def]
    text = snippet(WINDOW)
    assert "http://127.0.0.1:8000/predict" in text
    assert '"ticker": "^BVSP", "universe": "banks"' in text
    assert f"Bearer {KEY}" in text
    assert "101235, 0.123456, 5" in text


@contextlib.contextmanager
def another_program(answer: bytes) -> Iterator[str]:
    """Something that is no API of ours."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.wfile.write(answer)

        def log_message(self, *_arguments: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\n\r\n<html></html>",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"",
    ],
)
def test_another_program_at_the_address_is_told_apart(answer: bytes) -> None:
    with another_program(answer) as address:
        found = ask(address, lambda api: api.health())
    assert isinstance(found, Failed)
    assert (found.title, found.refused) == ("Something else answers", False)


def test_what_is_served_is_held_against_what_the_pages_show(sample: Workspace) -> None:
    speaks = sample.champion(DEFAULT_UNIVERSE)
    same = ModelTold(name=speaks.name, version="1", kind="ewma", run_id=speaks.run_id, trained_until=None, note="")

    def health(**models: ModelTold) -> Health:
        return Health(
            status="healthy", reasons=[], drift_monitoring=True, training_active=False,
            resources=Resources(cpu=0, memory=100), model_version="1", models=models,
            database=Part(ok=True, reason=None), registry=Part(ok=True, reason=None),
            queue=QueueTold(length=0), uptime_seconds=1,
        )  # fmt: skip

    other = same.model_copy(update={"run_id": "another", "version": "7", "kind": "lstm"})
    assert served_words(health(default=same), "default", speaks)[:2] == ("ewma v1", "the champion")
    assert served_words(health(default=other), "default", speaks)[:2] == ("lstm v7", "pages: ewma v1")
    assert served_words(health(default=same), "default", None)[:2] == ("ewma v1", "not compared")
    assert served_words(health(default=same), "banks", speaks)[:2] == ("–", "nobody yet")


def test_durations_and_commands_are_said_as_a_person_does() -> None:
    said = [uptime(seconds) for seconds in (5, 600, 3 * 3600, 72 * 3600)]
    assert said == ["5.0 s", "10 min 0 s", "3 hours", "3 days"]
    assert start_command("http://127.0.0.1:8000") == "stockcast serve api"
    assert start_command("https://api.example.org") == "stockcast serve api"
