"""Loading the champion anew, with a real MLflow, with a damaged bundle, and with MLflow away."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from api_serving import WINDOW, client_of, crown, settings_of, version_of, wait_until

from stockcast.api.champions import Champions
from stockcast.api.server_state import ServerState
from stockcast.errors import CorruptBundle
from stockcast.registry.versions import ModelVersion
from stockcast.workspace import Workspace

BODY = {"last_prices": WINDOW}


def test_what_mlflow_says_is_loaded_by_a_process_of_its_own_and_a_promotion_arrives_by_itself(home: Path) -> None:
    for folder in ("champions", "bundles"):
        shutil.rmtree(home / folder)
    settings = settings_of(home)
    with client_of(ServerState(settings)) as client:
        assert client.get("/health").json()["status"] == "unhealthy"
        loaded = client.post("/model/reload")
        assert loaded.status_code == 200, loaded.text
        assert loaded.json()["changed"] is True
        assert (loaded.json()["model"]["kind"], loaded.json()["model"]["version"]) == ("ewma", "1")
        assert client.post("/predict", json=BODY).json()["model"]["version"] == "1"
        info = client.get("/model/info").json()
        assert {"mae", "naive_mae", "rmse", "mape", "naive_mape", "crps", "naive_crps", "coverage_80"} <= set(
            info["metrics"]
        )
        again = client.post("/model/reload")
        assert (again.status_code, again.json()["changed"]) == (200, False)
        shutil.rmtree(home / "champions")
        workspace = Workspace(settings)
        workspace.champion("default")  # any face that looks leaves the note
        wait_until(lambda: client.get("/health").json()["status"] == "healthy")


def test_where_mlflow_is_away_a_reload_says_so_and_the_version_that_speaks_goes_on(home: Path) -> None:
    settings = settings_of(home, mlflow_uri="http://127.0.0.1:9")
    with client_of(ServerState(settings)) as client:
        reply = client.post("/model/reload")
        assert (reply.status_code, reply.json()["error"]["code"]) == (503, "registry_unavailable")
        assert "127.0.0.1:9" not in reply.text
        health = client.get("/health").json()
        assert (health["status"], health["registry"]["ok"], health["model_version"]) == ("degraded", False, "1")
        assert client.post("/predict", json=BODY).status_code == 200


def test_a_damaged_bundle_is_409(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(self: Champions, universe: str) -> ModelVersion:
        raise CorruptBundle("The model bundle is damaged: it is.", "Roll back.")

    with client_of(ServerState(settings_of(home))) as client:
        with monkeypatch.context() as patched:
            patched.setattr(Champions, "_ask", ask)
            reply = client.post("/model/reload")
        assert (reply.status_code, reply.json()["error"]["code"]) == (409, "corrupt_bundle")
        assert client.post("/predict", json=BODY).json()["model"]["version"] == "1"
        crown(settings_of(home), version_of(2))
        wait_until(lambda: client.get("/health").json()["model_version"] == "2")


def test_a_model_that_cannot_forecast_never_speaks(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with client_of(ServerState(settings_of(home))) as client:
        monkeypatch.setattr("stockcast.forecasting.student_t.quantiles", lambda *args: 1 / 0)
        crown(settings_of(home), version_of(2))
        wait_until(lambda: client.get("/health").json()["status"] == "degraded")
        monkeypatch.undo()
        assert client.post("/predict", json=BODY).json()["model"]["version"] == "1"


def test_a_renamed_universe_answers_under_its_new_name_alone(home: Path) -> None:
    settings = settings_of(home)
    workspace = Workspace(settings)
    workspace.universe_desk.create("banks", ["IBM"])
    workspace.champion("banks")
    with client_of(ServerState(settings)) as client:
        asked = {**BODY, "universe": "banks"}
        wait_until(lambda: client.post("/predict", json=asked).status_code == 200)
        assert client.post("/train", json={"universe": "bonks"}).json()["error"]["code"] == "unknown_universe"
        workspace.universe_desk.rename("banks", "money")
        wait_until(lambda: client.post("/predict", json={**BODY, "universe": "money"}).status_code == 200)
        reply = client.post("/predict", json=asked)
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "unknown_model")
        reloaded = client.post("/model/reload", json={"universe": "banks"})
        assert (reloaded.status_code, reloaded.json()["error"]["code"]) == (404, "unknown_universe")
    assert [entry.universe for entry in workspace.journal.entries(universe="banks")] == []
    assert {entry.model for entry in workspace.journal.entries(universe="money")} == {"stockcast-money"}
