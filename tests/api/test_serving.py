"""Serving: reloads under load, leaving under load, and going on while MLflow, database or disk are away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from api_serving import (
    WINDOW,
    ServingProcess,
    client_of,
    crown,
    settings_of,
    under_load,
    version_of,
    wait_until,
)

from stockcast.api.server_state import ServerState
from stockcast.database import Database
from stockcast.forecasting.network_forecaster import NetworkForecaster
from stockcast.monitoring.journal import Journal

BODY = {"last_prices": WINDOW}


def test_two_hundred_reloads_under_load_fail_no_request_and_mix_no_two_versions(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stockcast.api.champions.LOOK", 0.01)
    settings = settings_of(home)
    state = ServerState(settings)
    crown(settings, version_of(2), scale=2.0)
    widths = {}
    with client_of(state) as client:
        for number in (1, 2):
            crown(settings, version_of(number))
            wait_until(lambda number=number: state.champions.all()["default"].version.version == str(number))
            said = client.post("/predict", json=BODY).json()
            widths[said["model"]["version"]] = said["interval_80"]
        assert widths["1"] != widths["2"]
        with under_load(str(client.base_url)) as got:
            for turn in range(200):
                crown(settings, version_of(1 + turn % 2))
                wait_until(lambda turn=turn: state.champions.all()["default"].version.version == str(1 + turn % 2))
        assert state.champions.reloads >= 200
    assert len(got) > 200
    for reply in got:
        assert isinstance(reply, httpx.Response), reply
        assert reply.status_code == 200
        said = reply.json()
        assert said["interval_80"] == widths[said["model"]["version"]]
    assert {reply.json()["model"]["version"] for reply in got if isinstance(reply, httpx.Response)} == {"1", "2"}


def test_a_baseline_and_a_network_take_turns_under_load_and_each_price_is_that_of_its_version(
    home: Path, trained_lstm: NetworkForecaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stockcast.api.champions.LOOK", 0.01)
    settings, state = settings_of(home), ServerState(settings_of(home))
    network = version_of(2, kind="lstm")
    crown(settings, network, forecaster=trained_lstm)
    intervals = {}
    with client_of(state) as client:
        for version in (version_of(1), network):
            crown(settings, version)
            wait_until(lambda version=version: _speaks(state) == version.version)
            said = client.post("/predict", json=BODY).json()
            intervals[said["model"]["kind"]] = said["interval_80"]
        assert intervals["ewma"] != pytest.approx(intervals["lstm"], rel=1e-5)
        with under_load(str(client.base_url)) as got:
            for turn in range(60):
                version = (version_of(1), network)[turn % 2]
                crown(settings, version)
                wait_until(lambda version=version: _speaks(state) == version.version)
    assert {reply.json()["model"]["kind"] for reply in got if isinstance(reply, httpx.Response)} == set(intervals)
    for reply in got:
        assert isinstance(reply, httpx.Response), reply
        assert reply.status_code == 200
        said = reply.json()
        # Windows that are computed together differ from one alone in the last digit of a float32.
        assert said["interval_80"] == pytest.approx(intervals[said["model"]["kind"]], rel=1e-6)


def test_a_damaged_bundle_is_refused_and_the_one_before_goes_on(home: Path) -> None:
    settings = settings_of(home)
    state = ServerState(settings)
    with client_of(state) as client:
        crown(settings, version_of(2), scale=2.0)
        wait_until(lambda: client.get("/health").json()["model_version"] == "2")
        crown(settings, version_of(3), scale=3.0)
        crown(settings, version_of(2), scale=2.0)
        manifest = settings.bundle_cache / "stockcast-default" / "run3" / "manifest.json"
        manifest.write_text(manifest.read_text().replace("ewma", "ewmb"))
        crown(settings, version_of(3))
        wait_until(lambda: client.get("/health").json()["status"] == "degraded")
        health = client.get("/health").json()
        assert health["model_version"] == "2"
        assert any("refused" in reason for reason in health["reasons"])
        assert client.post("/predict", json=BODY).json()["model"]["version"] == "2"
        crown(settings, version_of(2))
        wait_until(lambda: client.get("/health").json()["status"] == "healthy")


def test_sigterm_under_load_fails_no_request_and_loses_no_forecast(home: Path) -> None:
    serving = ServingProcess(home).wait()
    with under_load(serving.address, leaves=True) as got:
        wait_until(lambda: len(got) > 50)
        serving.process.terminate()
        wait_until(lambda: _status(serving.address + "/health/ready") in (503, None))
        assert serving.process.wait(20) == 0
    assert [reply for reply in got if not isinstance(reply, httpx.Response) or reply.status_code != 200] == []
    assert list((home / "spool").iterdir()) == []
    database = Database(settings_of(home).database)
    assert len(Journal(database).entries()) == 1  # all of them said the same
    database.close()


def test_what_was_said_is_in_the_journal_though_the_process_is_killed_right_after(home: Path) -> None:
    serving = ServingProcess(home).wait()
    said = httpx.post(serving.address + "/predict", json=BODY, trust_env=False).json()
    serving.process.send_signal(signal.SIGKILL)
    serving.process.wait()
    with client_of(ServerState(settings_of(home))) as client:
        state = client.state
        wait_until(lambda: len(Journal(Database(state.settings.database)).entries()) == 1)
        [entry] = Journal(Database(state.settings.database)).entries()
    assert entry.prices[0].tolist() == list(said["quantiles"].values())


def test_without_a_database_it_starts_serves_and_catches_up(home: Path) -> None:
    settings = settings_of(home)
    place = home / "stockcast.db"
    kept = place.rename(home / "kept.db")
    for extra in home.glob("stockcast.db-*"):
        extra.unlink()
    place.mkdir()  # nobody can open that
    state = ServerState(settings)
    with client_of(state, ready=False) as client:
        assert client.post("/predict", json=BODY).status_code == 200
        wait_until(lambda: client.get("/health").json()["status"] == "degraded")  # it is asked behind the answer
        health = client.get("/health").json()
        assert not health["database"]["ok"]
        assert "database" in health["reasons"][0]
        assert str(home) not in json.dumps(health)
        assert client.get("/health/ready").status_code == 200
        refused = client.get("/config")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "database_unavailable")
        assert "retry-after" in refused.headers
        assert client.get("/sample-data").status_code == 200
        assert "stockcast_up 0.0" in client.get("/metrics").text
        assert state.spool.length == 1
        place.rmdir()
        kept.rename(place)
        wait_until(lambda: client.get("/health").json()["status"] == "healthy")
        wait_until(lambda: state.spool.length == 0)
        assert client.get("/config").status_code == 200
    assert len(Journal(Database(settings.database)).entries()) == 1


def test_without_anything_it_starts_and_says_that_nobody_can_speak(tmp_path: Path) -> None:
    with client_of(ServerState(settings_of(tmp_path / "empty"))) as client:
        assert client.get("/health").json()["status"] == "unhealthy"
        assert client.get("/health/live").status_code == 200
        assert client.get("/health/ready").status_code == 503
        refused = client.post("/predict", json=BODY)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "no_model")
        assert int(refused.headers["retry-after"]) >= 1
        sample = client.get("/sample-data").json()
        assert len(sample["last_prices"]) == 60


def test_metrics_tell_of_requests_models_and_the_queue(home: Path) -> None:
    with client_of(ServerState(settings_of(home))) as client:
        client.post("/predict", json=BODY)
        client.post("/predict", json={})
        text = client.get("/metrics").text
    assert 'stockcast_api_requests_total{method="POST",route="/predict",status="200"} 1.0' in text
    assert 'stockcast_api_requests_total{method="POST",route="/predict",status="422"} 1.0' in text
    assert 'stockcast_api_request_duration_seconds_bucket{le="0.05",method="POST",route="/predict"}' in text
    assert "stockcast_api_predictions_total 1.0" in text
    assert "stockcast_api_requests_in_flight 1.0" in text
    assert "stockcast_api_degraded 0.0" in text
    assert 'stockcast_api_model_info{kind="ewma",model="stockcast-default",run_id="run1"' in text
    assert "stockcast_up 1.0" in text


def test_every_request_is_one_line_in_the_log(serving: ServingProcess) -> None:
    httpx.post(serving.address + "/predict", json=BODY, headers={"x-request-id": "seen-1"}, trust_env=False)
    wait_until(lambda: any(each.get("request_id") == "seen-1" for each in serving.events()))
    [line] = [each for each in serving.events() if each.get("request_id") == "seen-1"]
    assert {
        "event": "request",
        "method": "POST",
        "path": "/predict",
        "status": 200,
        "model_version": "1",
    }.items() <= (line.items())


def test_the_process_that_serves_imports_what_it_needs_and_no_more(home: Path) -> None:
    code = (
        "import asyncio, sys\n"
        "from api_serving import WINDOW, client_of, settings_of\n"
        "from pathlib import Path\n"
        "from stockcast.api.server_state import ServerState\n"
        f"with client_of(ServerState(settings_of(Path({str(home)!r})))) as client:\n"
        "    assert client.post('/predict', json={'last_prices': WINDOW, 'ticker': 'AAPL'}).status_code == 200\n"
        "    assert client.get('/config').status_code == 200\n"
        "    assert client.get('/jobs').status_code == 200\n"
        "    assert client.get('/metrics').status_code == 200\n"
        "heavy = {'torch', 'pytorch_lightning', 'streamlit', 'mlflow', 'pandas', 'plotly', 'arch', 'sklearn'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)


def _speaks(state: ServerState) -> str:
    return state.champions.all()["default"].version.version


def _status(address: str) -> int | None:
    try:
        return httpx.get(address, timeout=2, trust_env=False).status_code
    except httpx.HTTPError:
        return None
