"""Trainings, jobs and the configuration: one truth with the pages and the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from api_serving import client_of, settings_of

from stockcast.api.server_state import ServerState
from stockcast.jobs.process import Process
from stockcast.workspace import Workspace


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Queued jobs stay queued: no process is started for them."""
    monkeypatch.setattr("stockcast.jobs.local_runner.LocalRunner.wake", lambda self: None)


def test_a_training_is_accepted_once_and_the_second_is_told_whose_turn_it_is(home: Path, no_worker: None) -> None:
    with client_of(ServerState(settings_of(home))) as client:
        accepted = client.post("/train", json={"hyperparameters": {"num_epochs": 3, "seq_length": 40}})
        assert accepted.status_code == 202
        body = accepted.json()
        assert body["status"] == "processing"
        assert body["message"]
        again = client.post("/train")
        assert again.status_code == 409
        assert again.json()["error"]["code"] == "training_active"
        assert again.json()["error"]["job_id"] == body["job_id"]
        assert client.get("/health").json()["training_active"] is True
        job = Workspace(settings_of(home)).jobs.get(body["job_id"])  # what the pages see
        assert job.request["config"]["training"]["max_epochs"] == 3  # type: ignore[index,call-overload]
        assert job.request["config"]["windows"]["lookback"] == 40  # type: ignore[index,call-overload]
        cancelled = client.post(f"/jobs/{job.id}/cancel").json()
        assert cancelled["state"] == "cancelled"
        assert [each["id"] for each in client.get("/jobs").json()["jobs"]] == [job.id]


def test_a_job_tells_its_losses(home: Path) -> None:
    with client_of(ServerState(settings_of(home))) as client:
        jobs = Workspace(settings_of(home)).jobs
        job = jobs.submit("train", "default", {}, taken_by=Process.current())
        for number in (1, 2):
            jobs.report(
                job, "epoch", {"number": number, "of": 5, "train_loss": 1.5 / number, "validation_loss": 2.0}
            )
        jobs.report(job, "note", {"sentence": "FB is too young."})
        told = client.get(f"/jobs/{job.id}").json()
        assert (told["state"], told["attempt"]) == ("running", 1)
        assert [(each["epoch"], each["train_loss"]) for each in told["epochs"]] == [(1, 1.5), (2, 0.75)]
        assert told["notes"] == ["FB is too young."]
        jobs.end(job, "failed", error="It broke.", hint="Mend it.")
        assert client.get("/jobs", params={"state": "failed"}).json()["jobs"][0]["error"] == "It broke."


def test_a_training_without_prices_is_told_why(tmp_path: Path, no_worker: None) -> None:
    with client_of(ServerState(settings_of(tmp_path / "empty"))) as client:
        reply = client.post("/train")
        assert reply.status_code == 404
        assert reply.json()["error"]["code"] == "unknown_ticker"


def test_a_configuration_comes_back_as_it_was_saved_and_survives_a_restart(home: Path) -> None:
    asked = {"num_epochs": 12, "learning_rate": 0.002, "batch_size": 64, "hidden_size": 48, "num_layers": 2,
             "seq_length": 60}  # fmt: skip
    with client_of(ServerState(settings_of(home))) as client:
        before = client.get("/config").json()
        assert before["current_params"]["num_epochs"] == 30
        saved = client.post("/config", json={"hyperparameters": asked, "note": "as it was"})
        assert saved.status_code == 200
        assert saved.json()["message"]
        assert saved.json()["current_params"] == asked
        own = client.post("/config", json={"hyperparameters": {"training.patience": 9}}).json()
        assert own["config"]["training"]["patience"] == 9
        assert own["version"] == saved.json()["version"] + 1
    with client_of(ServerState(settings_of(home))) as client:
        assert client.get("/config").json()["current_params"] == asked
    history = Workspace(settings_of(home)).configs.history("default")
    assert [each.note for each in history] == ["by the API", "as it was"]


def test_what_a_page_saves_the_api_shows(home: Path) -> None:
    with client_of(ServerState(settings_of(home))) as client:
        workspace = Workspace(settings_of(home))
        config = workspace.config("default").with_overrides(["training.max_epochs=77"])
        workspace.configs.save("default", config, "by a page", workspace.clock())
        assert client.get("/config").json()["current_params"]["num_epochs"] == 77
