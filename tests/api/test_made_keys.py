"""Keys of the database: a made one opens, a revoked one stops, whatever else is away."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from api_serving import WINDOW, Served, client_of, settings_of, wait_until
from pydantic import SecretStr

from stockcast.access_keys import AccessKeys
from stockcast.api.keys import Keys
from stockcast.api.serve import serve
from stockcast.api.server_state import ServerState
from stockcast.database import Database
from stockcast.errors import InvalidRequest
from stockcast.settings import Settings

NOON = datetime(2024, 5, 15, 12, tzinfo=UTC)
GIVEN = "a-key-of-the-environment-0123456789"


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stockcast.api.key_watch.EVERY", 0.02)


def made_in(settings: Settings) -> AccessKeys:
    return AccessKeys(Database(settings.database))


def status(client: Served, key: str | None, path: str = "/predict") -> int:
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    if path == "/predict":
        return client.post(path, json={"last_prices": WINDOW}, headers=headers).status_code
    return client.get(path, headers=headers).status_code


def test_a_made_key_opens_and_a_revoked_one_stops_while_it_serves(home: Path) -> None:
    settings = settings_of(home)
    made = made_in(settings)
    with client_of(ServerState(settings)) as client:
        assert not client.get("/health").json()["asks_for_key"]
        assert status(client, None) == 200
        report, admin = made.create("report", "predict", NOON), made.create("ops", "admin", NOON)
        wait_until(lambda: status(client, None) == 401 and status(client, admin.secret, "/metrics") == 200)
        assert client.get("/health").json()["asks_for_key"]
        assert [status(client, key) for key in ("x" * 48, report.secret, admin.secret)] == [401, 200, 200]
        assert status(client, report.secret, "/metrics") == 403
        made.revoke(report.key.id, NOON)
        wait_until(lambda: status(client, report.secret) == 401)
        assert status(client, admin.secret) == 200
        made.revoke(admin.key.id, NOON)
        wait_until(lambda: status(client, admin.secret) == 401)
        assert status(client, None) == 401, "taking the last key back must not open the door"
    with client_of(ServerState(settings)) as client:
        assert status(client, None) == 401, "not even at the next start"


def test_a_start_without_the_database_knows_the_keys_that_were_seen_last(home: Path) -> None:
    settings = settings_of(home)
    report = made_in(settings).create("report", "predict", NOON)
    with client_of(ServerState(settings)) as client:
        assert status(client, None) == 401, "keys are known before the first request"
    assert report.secret not in settings.known_keys.read_text()
    for place in home.glob("stockcast.db*"):
        place.unlink()
    (home / "stockcast.db").mkdir()  # nobody can open that
    with client_of(ServerState(settings), ready=False) as client:
        assert [status(client, key) for key in (None, report.secret)] == [401, 200]
        assert status(client, None, "/health/ready") == 200


def test_beyond_this_machine_a_made_key_is_enough_to_listen(home: Path) -> None:
    settings = settings_of(home)
    with pytest.raises(InvalidRequest, match="Without a key"):
        serve(settings, "192.0.2.1", 8000)
    made_in(settings).create("report", "predict", NOON)
    with pytest.raises(InvalidRequest, match="cannot be served"):  # not an address of ours, but it would have
        serve(settings, "192.0.2.1", 8000)


def test_keys_of_the_environment_stand_beside_those_that_were_made(database: Database) -> None:
    made = AccessKeys(database)
    admin = made.create("ops", "admin", NOON)
    keys = Keys.of(Settings(api_keys=SecretStr(GIVEN)))
    keys.learn(made.list())
    assert keys.scope_of(admin.secret) == ("admin", admin.key.logged_as)
    keys.learn([made.revoke(admin.key.id, NOON)])
    assert [keys.scope_of(key)[0] for key in (GIVEN, admin.secret, None)] == ["predict", "open", "open"]
