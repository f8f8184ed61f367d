"""Who may ask for what, and how much."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from api_serving import WINDOW, client_of, settings_of
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from stockcast.api.keys import Keys
from stockcast.api.rate_limit import RateLimit
from stockcast.api.serve import serve
from stockcast.api.server_state import ServerState
from stockcast.errors import InvalidConfig, InvalidRequest

OLD, NEW, ADMIN = "old-key-of-16-characters", "new-key-of-16-characters", "admin-key-of-16-characters"
PREDICT = {"last_prices": WINDOW}


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def test_each_scope_opens_its_routes_and_both_keys_of_a_change_are_valid(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of(home, api_keys=SecretStr(f"{OLD} {NEW}"), api_admin_keys=SecretStr(ADMIN))
    with client_of(ServerState(settings)) as client:
        for path in ("/", "/health", "/health/live", "/health/ready", "/openapi.json", "/docs"):
            assert client.get(path).status_code == 200, path
        reply = client.post("/predict", json=PREDICT)
        assert (reply.status_code, reply.json()["error"]["code"]) == (401, "no_key")
        assert reply.headers["www-authenticate"] == "Bearer"
        assert client.post("/predict", json=PREDICT, headers=bearer("wrong" * 5)).status_code == 401
        for key in (OLD, NEW, ADMIN):
            assert client.post("/predict", json=PREDICT, headers=bearer(key)).status_code == 200
            assert client.post("/predict", json=PREDICT, headers={"x-api-key": key}).status_code == 200
        for method, path in (
            ("POST", "/config"),
            ("POST", "/train"),
            ("POST", "/model/reload"),
            ("GET", "/metrics"),
        ):
            assert client.request(method, path).status_code == 401, path
            refused = client.request(method, path, headers=bearer(OLD))
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "wrong_scope")
        assert client.get("/config", headers=bearer(OLD)).status_code == 200
        changed = {"hyperparameters": {"num_epochs": 3}}
        assert client.post("/config", json=changed, headers=bearer(ADMIN)).status_code == 200
        assert client.get("/metrics", headers=bearer(ADMIN)).status_code == 200
        assert (
            client.get("/health", headers={"host": "api.example"}).status_code == 200
        )  # a key is what it asks for
    told = "".join(capfd.readouterr())
    assert not any(key in told or key in repr(settings) for key in (OLD, NEW, ADMIN))


def test_an_admin_key_alone_closes_forecasts_too() -> None:
    keys = Keys([], [ADMIN])
    assert [keys.scope_of(key)[0] for key in (None, "x", ADMIN)] == ["open", "open", "admin"]
    assert Keys([], []).scope_of(None)[0] == "admin"


def test_a_key_that_is_a_word_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match="16 characters"):
        Keys.of(settings_of(tmp_path, api_keys=SecretStr("secret")))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_beyond_this_machine_it_does_not_listen_without_a_key(home: Path, host: str) -> None:
    with pytest.raises(InvalidRequest, match="Without a key"):
        serve(settings_of(home), host, 8000)


def test_a_key_that_asks_too_often_is_told_when_to_come_back_and_others_are_not_held_up(home: Path) -> None:
    settings = settings_of(home, api_keys=SecretStr(f"{OLD} {NEW}"), api_rate=2)
    with client_of(ServerState(settings)) as client:
        statuses = [client.post("/predict", json=PREDICT, headers=bearer(OLD)) for _ in range(6)]
        limited = [reply for reply in statuses if reply.status_code == 429]
        assert [reply.status_code for reply in statuses[:2]] == [200, 200]
        assert limited
        assert int(limited[0].headers["retry-after"]) >= 1
        assert client.post("/predict", json=PREDICT, headers=bearer(NEW)).status_code == 200
        assert client.get("/health", headers=bearer(OLD)).status_code == 200


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60), st.floats(0.5, 20))
def test_no_second_lets_more_in_than_a_burst_and_the_rate(waits: list[float], rate: float) -> None:
    now = 0.0
    limit = RateLimit(rate, lambda: now)
    let_in = []
    for wait in waits:
        now += wait
        if not limit.wait("somebody"):
            let_in.append(now)
    for start in let_in:
        assert sum(start <= moment <= start + 1 for moment in let_in) <= max(1, rate) + rate + 1


def test_more_than_it_can_work_at_are_told_to_wait_and_health_still_answers(home: Path) -> None:
    state = ServerState(settings_of(home, api_concurrency=4))
    with client_of(state) as client:
        statuses: list[int] = []

        def ask() -> None:
            reply = client.post("/predict/batch", json={"windows": [PREDICT] * 400})
            statuses.append(reply.status_code)
            if reply.status_code == 503:
                assert reply.json()["error"]["code"] == "busy"
                assert reply.headers["retry-after"] == "1"

        threads = [threading.Thread(target=ask) for _ in range(24)]
        for thread in threads:
            thread.start()
        health = client.get("/health")
        for thread in threads:
            thread.join()
        assert set(statuses) <= {200, 503}
        assert 200 in statuses
        assert health.status_code == 200


def test_a_body_that_does_not_come_is_given_up(home: Path) -> None:
    import socket

    with client_of(ServerState(settings_of(home, api_timeout=0.3))) as client:
        port = client.base_url.port
        for path in (b"/predict", b"/predict/batch"):
            with socket.create_connection(("127.0.0.1", port or 0), timeout=5) as connection:
                connection.sendall(
                    b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    b"Content-Length: 100\r\n\r\n{"
                )
                assert connection.recv(1000).startswith(b"HTTP/1.1 408")
