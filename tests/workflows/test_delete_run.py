"""Which runs may go, and what a deleted run means for those who decide."""

from __future__ import annotations

from pathlib import Path

import pytest

from stockcast.errors import InvalidRequest
from stockcast.evaluation.gate import Verdict
from stockcast.registry.runs import Runs
from stockcast.registry.tracking_server import TrackingServer
from stockcast.registry.versions import ModelVersion, Versions
from stockcast.workflows.delete_run import delete_run, restore_run
from stockcast.workflows.promote import promote, rollback

UNIVERSE = "deleting"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> TrackingServer:
    home = tmp_path_factory.mktemp("mlflow")
    return TrackingServer(f"sqlite:///{home / 'mlflow.db'}", home / "artifacts")


def test_what_speaks_what_would_speak_and_what_runs_stays(server: TrackingServer) -> None:
    runs, versions = Runs(server), Versions(server)

    def register(kind: str) -> ModelVersion:
        with runs.recording(UNIVERSE, kind, {}, {}) as run:
            return versions.register(UNIVERSE, run, kind, None, ("AAPL",))

    first = versions.crown(register("ewma"))
    second = versions.decide(register("linear"), Verdict(True, ("Better.",)), first.version)
    third = versions.decide(register("lstm"), Verdict(False, ("Not better.",)), second.version)
    running = runs.open(UNIVERSE, "LSTM AAPL", {}, {})
    for run_id, why in (
        (second.run_id, "linear v2.*speaks"),
        (first.run_id, "ewma v1.*rollback"),
        (running, "running"),
    ):
        with pytest.raises(InvalidRequest, match=why) as refused:
            delete_run(runs, versions, run_id[:8])
        assert refused.value.hint
    assert len(runs.recent(UNIVERSE)) == 4

    for _ in range(2):  # deleting twice changes nothing
        assert delete_run(runs, versions, third.run_id).deleted
    with pytest.raises(InvalidRequest, match=r"run of lstm v3 was deleted.* stockcast runs restore"):
        promote(runs, versions, UNIVERSE, "3", "I know this stock.")
    assert versions.champion(UNIVERSE) == versions.read(second.name, "2")
    for _ in range(2):
        assert not restore_run(runs, third.run_id[:8]).deleted
    promote(runs, versions, UNIVERSE, "3", "I know this stock.")
    assert delete_run(runs, versions, first.run_id).deleted, "nobody rolls back to it any more"

    runs.delete(second.run_id)  # in MLflow's own pages
    with pytest.raises(InvalidRequest, match="run of linear v2 was deleted"):
        rollback(runs, versions, UNIVERSE)
    restore_run(runs, second.run_id)
    assert rollback(runs, versions, UNIVERSE).label == "linear v2"


def test_the_folder_of_artifacts_is_not_touched(server: TrackingServer, tmp_path: Path) -> None:
    runs, versions = Runs(server), Versions(server)
    (tmp_path / "card.md").write_text("kept")
    with runs.recording(UNIVERSE, "with files", {}, {}) as run:
        runs.log_folder(run, tmp_path, "card")
    delete_run(runs, versions, run)
    assert runs.texts(run, "card") == {"card.md": "kept"}
