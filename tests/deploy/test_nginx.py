"""The real nginx before two real replicas: restarts and new champions under load, and clients that misbehave."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import importlib.resources
import json
import re
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from api_serving import WINDOW, ServingProcess, crown, settings_of, under_load, version_of, wait_until
from nginx_process import TEMPLATE, Nginx, free_port
from real_programs import program

BODY = {"last_prices": WINDOW}


@dataclass
class Replicas:
    """Two processes of the API over one home."""

    home: Path
    processes: list[ServingProcess]

    def restart(self, turn: int) -> None:
        """Asks one to leave, waits until it has, and starts it anew at its place."""
        old = self.processes[turn]
        assert old.stop() == 0
        self.processes[turn] = ServingProcess(self.home, at=old.port).wait()

    def kill(self, turn: int) -> None:
        """As a machine that loses its power does."""
        self.processes[turn].process.kill()
        self.processes[turn].process.wait()

    def versions(self) -> set[str]:
        """Which versions they serve."""
        healths = [httpx.get(f"{each.address}/health", trust_env=False).json() for each in self.processes]
        return {str(health["model_version"]) for health in healths}

    def events(self) -> list[dict[str, object]]:
        """What both have logged since they started last."""
        return [event for each in self.processes for event in each.events()]


@pytest.fixture(scope="module")
def pair(home_to_copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    program("nginx")
    home = Path(shutil.copytree(home_to_copy, tmp_path_factory.mktemp("pair") / "home"))
    replicas = Replicas(home, [ServingProcess(home), ServingProcess(home)])
    yield replicas
    for turn in range(2):
        replicas.kill(turn)


@pytest.fixture
def replicas(pair: Replicas) -> Replicas:
    """Both are up."""
    for turn, each in enumerate(pair.processes):
        if each.process.poll() is not None:
            pair.processes[turn] = ServingProcess(pair.home, at=each.port)
    for each in pair.processes:
        each.wait()
    return pair


def before(replicas: Replicas, tmp_path: Path, **values: str) -> Nginx:
    """nginx before both of them."""
    ports = [f"127.0.0.1:{each.port}" for each in replicas.processes]
    return Nginx(program("nginx"), tmp_path / "nginx", API_ONE=ports[0], API_TWO=ports[1], **values)


def failed(got: list[httpx.Response | Exception]) -> list[str]:
    """Everything that is no 200."""
    return [
        each.text if isinstance(each, httpx.Response) else repr(each)
        for each in got
        if not isinstance(each, httpx.Response) or each.status_code != 200
    ]


def test_both_replicas_restart_and_champions_change_under_load_and_no_request_fails(
    replicas: Replicas, tmp_path: Path
) -> None:
    settings = settings_of(replicas.home)
    crown(settings, version_of(2), scale=2.0)
    crown(settings, version_of(1))
    with before(replicas, tmp_path) as nginx, under_load(nginx.address) as got:
        wait_until(lambda: len(got) > 50)
        for turn in range(2):
            replicas.restart(turn)
        for number in (2, 1, 2):
            crown(settings, version_of(number))
            begun = len(got)
            wait_until(lambda number=number: replicas.versions() == {str(number)})
            wait_until(lambda begun=begun: len(got) > begun + 50)
        asked = {json.loads(line)["upstream"] for line in nginx.lines()[-200:]}
        assert asked == {f"127.0.0.1:{each.port}" for each in replicas.processes}
    assert failed(got) == []
    widths: dict[str, set[tuple[float, ...]]] = {}
    for reply in got:
        assert isinstance(reply, httpx.Response)
        said = reply.json()
        widths.setdefault(said["model"]["version"], set()).add(tuple(said["interval_80"]))
    assert set(widths) == {"1", "2"}
    assert all(len(each) == 1 for each in widths.values())
    assert widths["1"] != widths["2"]


def test_a_replica_that_is_killed_costs_no_forecast(replicas: Replicas, tmp_path: Path) -> None:
    with before(replicas, tmp_path) as nginx, under_load(nginx.address) as got:
        wait_until(lambda: len(got) > 50)
        replicas.kill(0)
        begun = len(got)
        wait_until(lambda: len(got) > begun + 100)
    assert failed(got) == []


def test_a_request_keeps_its_id_through_both_logs(replicas: Replicas, tmp_path: Path) -> None:
    with before(replicas, tmp_path) as nginx, httpx.Client(base_url=nginx.address, trust_env=False) as client:
        kept = client.post("/predict?secret=1", json=BODY, headers={"X-Request-ID": "order-7"})
        made = client.post("/predict", json=BODY, headers={"X-Request-ID": "not allowed here"})
        ids = {"order-7", made.headers["x-request-id"]}
        assert kept.headers.get_list("x-request-id") == ["order-7"]
        assert "not allowed here" not in ids
        wait_until(lambda: ids <= {event.get("request_id") for event in replicas.events()})
        wait_until(lambda: ids <= {json.loads(line)["request_id"] for line in nginx.lines()})
        assert "secret" not in "".join(nginx.lines())


def test_a_body_that_does_not_fit_into_memory_passes_whole(replicas: Replicas, tmp_path: Path) -> None:
    with before(replicas, tmp_path) as nginx, httpx.Client(base_url=nginx.address, trust_env=False) as client:
        reply = client.post("/predict/batch", json={"windows": [BODY] * 300}, timeout=30)
        assert reply.status_code == 200, reply.text
        assert len(reply.json()["predictions"]) == 300


def test_what_a_client_may_not_do_is_refused_in_the_form_of_the_api(replicas: Replicas, tmp_path: Path) -> None:
    with before(replicas, tmp_path, API_CLIENT_RATE="20r/s", API_CLIENT_BURST="10") as nginx:
        with httpx.Client(base_url=nginx.address, timeout=20, trust_env=False) as client:
            large = client.post("/predict", content=b"x" * (5 * 2**20), headers={"X-Request-ID": "mine-1"})
            assert large.status_code == 413
            refusal = large.json()["error"]
            assert (refusal["code"], refusal["request_id"]) == ("body_too_large", "mine-1")
            assert client.get("/metrics").status_code == 404
            assert httpx.get(f"{replicas.processes[0].address}/metrics", trust_env=False).status_code == 200
            replies = [client.post("/predict", json=BODY) for _ in range(60)]
        often = [reply for reply in replies if reply.status_code != 200]
        assert 10 <= len(often) < 60
        assert {reply.status_code for reply in often} == {429}
        assert often[0].json()["error"]["code"] == "too_many_requests"
        assert often[0].headers["retry-after"] == "1"
        assert often[0].headers["x-content-type-options"] == "nosniff"
        for turn in range(2):
            replicas.kill(turn)
        time.sleep(1)
        gone = httpx.post(f"{nginx.address}/predict", json=BODY, timeout=20, trust_env=False)
        assert (gone.status_code, gone.json()["error"]["code"]) == (503, "busy")
        assert gone.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("first", "drip"),
    [
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\n", b"X-A: b\r\n"),
        (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{", b""),
    ],
    ids=["a head that drips", "a body that stops"],
)
def test_a_slow_client_is_cut_off_and_the_api_never_hears_of_it(tmp_path: Path, first: bytes, drip: bytes) -> None:
    with (
        socket.socket() as api,
        Nginx(
            program("nginx"),
            tmp_path / "nginx",
            API_ONE=f"127.0.0.1:{(port := free_port())}",
            API_TWO=f"127.0.0.1:{port}",
        ) as nginx,
    ):
        api.bind(("127.0.0.1", port))
        api.listen()
        api.settimeout(0.1)
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", nginx.api), timeout=10) as slow:
            slow.sendall(first)
            slow.settimeout(0.4)
            while time.monotonic() < began + 9:
                try:
                    if not slow.recv(1000):
                        break
                except TimeoutError:
                    with contextlib.suppress(OSError):
                        slow.sendall(drip)
                except ConnectionError:
                    break
        assert 1.5 < time.monotonic() - began < 5
        with pytest.raises(TimeoutError):
            api.accept()


def test_one_address_holds_only_so_many_connections(tmp_path: Path) -> None:
    question = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"
    with Nginx(program("nginx"), tmp_path / "nginx", NGINX_CLIENT_CONNECTIONS="5", NGINX_PATIENCE="20s") as nginx:
        with contextlib.ExitStack() as held:
            for _number in range(5):
                slow = held.enter_context(socket.create_connection(("127.0.0.1", nginx.api), timeout=10))
                slow.sendall(question)
            wait_until(lambda: httpx.get(f"{nginx.address}/health", trust_env=False).status_code == 429)
        # Nobody is behind it, but the next one is let in.
        wait_until(lambda: httpx.get(f"{nginx.address}/health", trust_env=False).status_code == 503)


def test_the_configuration_is_sound(tmp_path: Path) -> None:
    checked = Nginx(program("nginx"), tmp_path / "nginx").check()
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr


def test_the_policy_for_scripts_allows_the_one_in_streamlits_page_and_no_other() -> None:
    page = Path(str(importlib.resources.files("streamlit") / "static" / "index.html")).read_text()
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    [policy] = re.findall(r"script-src ([^;]*);", TEMPLATE.read_text())
    assert policy.split() == ["'self'", *(f"'sha256-{each}'" for each in hashes)]
