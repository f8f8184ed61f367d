"""MLflow out of reach: one sentence, soon, and without its password; nothing is written elsewhere."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.errors import HomeNotWritable, InvalidRequest, RegistryUnavailable
from stockcast.registry.runs import Runs
from stockcast.registry.tracking_server import TrackingServer, model_name
from stockcast.registry.versions import Versions


def fails(server: TrackingServer) -> RegistryUnavailable:
    with pytest.raises(RegistryUnavailable) as refused:
        Versions(server).champion("default")
    problem = refused.value
    assert problem.message.startswith("MLflow")
    assert "\n" not in problem.message
    assert len(problem.message) < 400
    assert problem.hint
    return problem


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of this machine on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_server_that_is_down_is_told_within_seconds_and_without_its_password(closed_port: int) -> None:
    started = time.monotonic()
    problem = fails(TrackingServer(f"http://user:secret@127.0.0.1:{closed_port}", None))
    assert time.monotonic() - started < 30
    assert "reading the champion" in problem.message
    assert f"127.0.0.1:{closed_port}" in problem.message
    assert "secret" not in str(problem)
    assert "STOCKCAST_MLFLOW_URI" in problem.hint


@pytest.mark.parametrize("uri", ["nonsense://x", "file:./mlruns", "postgresql+nodriver://u:secret@h/x"])
def test_an_address_that_cannot_be_used_is_told(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "secret" not in str(fails(TrackingServer(uri, None)))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    file.write_bytes(b"a shopping list " * 500)
    started = time.monotonic()
    assert "not a database" in fails(TrackingServer(f"sqlite:///{file}", tmp_path / "artifacts")).message
    assert time.monotonic() - started < 30


def test_a_home_below_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(HomeNotWritable):
        Versions(TrackingServer(f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "file" / "artifacts")).all()
    fails(TrackingServer(f"sqlite:///{tmp_path}/file/mlflow.db", None))


def test_a_server_that_failed_once_is_asked_again(tmp_path: Path) -> None:
    server = TrackingServer(f"sqlite:///{tmp_path / 'home' / 'mlflow.db'}", None)
    (tmp_path / "home").write_text("in the way")
    fails(server)
    (tmp_path / "home").unlink()
    assert Versions(server).champion("default") is None


def test_everything_is_kept_at_its_address_whatever_the_environment_says(
    server: TrackingServer, universe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    folder, elsewhere = tmp_path / "bundle", tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
    runs = Runs(server)
    with runs.recording(universe, "run", {}, {}) as run:
        runs.log_folder(run, folder, "bundle")
        Versions(server).register(universe, run, "ewma", None, ())
    assert len(Versions(server).all(universe)) == 1
    assert list(elsewhere.iterdir()) == []
    assert server.artifacts is not None
    [kept] = server.artifacts.rglob(f"{run}/artifacts/bundle/manifest.json")
    assert kept.read_text() == "{}"


@given(st.text(max_size=60))
def test_a_universe_names_a_model_or_is_refused(universe: str) -> None:
    try:
        name = model_name(universe)
    except InvalidRequest:
        assert not (universe.isascii() and universe.isalnum() and len(universe) <= 40)
        return
    assert name == f"stockcast-{universe}"
    assert name.isascii()
    assert not set(name) & set("/\\'\" \n%")


@pytest.mark.parametrize("universe", ["", "-x", "..", "a b", "a/b", "a'b", "ä", "x" * 41, "a\n", "²"])
def test_names_that_could_lead_elsewhere_are_refused(universe: str) -> None:
    with pytest.raises(InvalidRequest, match="cannot name a universe"):
        model_name(universe)
