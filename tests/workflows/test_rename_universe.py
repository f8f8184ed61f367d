"""A universe is renamed everywhere or nowhere."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy
from mlflow import MlflowClient
from sqlalchemy import insert, select

from stockcast.config import DEFAULT_UNIVERSE
from stockcast.database import Database
from stockcast.errors import InvalidRequest, RegistryUnavailable, UnknownUniverse
from stockcast.jobs.process import Process
from stockcast.settings import Settings
from stockcast.tables import alerts, journal, metadata
from stockcast.workflows import rename_universe as renaming
from stockcast.workspace import Workspace

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The universe banks with a champion, a deleted run, a forecast, an ended job and an alert."""
    home = tmp_path_factory.mktemp("renamed") / "home"
    workspace = Workspace(Settings(home=home), lambda: NOW)
    workspace.ingest_sample()
    workspace.universe_desk.create("banks", ["IBM", "MSFT"], author="Ana")
    workspace.forecast("IBM", "banks", "cli")
    with workspace.runs.recording("banks", "given up", {}, {}) as run:
        pass
    workspace.runs.delete(run)
    job = workspace.jobs.submit(
        "train", "banks", {}, key="schedule banks 2026-03-01T22:30", taken_by=Process.current()
    )
    workspace.jobs.report(job, "judged", {"name": "stockcast-banks", "number": "1"})
    workspace.jobs.end(job, "succeeded", result={"model": {"name": "stockcast-banks"}, "run_id": "x"})
    row = {"universe": "banks", "rule": "skill", "state": "open", "opened_at": NOW, "seen_at": NOW,
           "sentence": "Worse than naive.", "evidence": {}}  # fmt: skip
    with workspace.database.write() as connection:
        connection.execute(insert(alerts).values(row))
    workspace.database.close()
    return home


@pytest.fixture
def workspace(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setattr(renaming, "STRAGGLERS", 0.0)
    shutil.copytree(prepared, tmp_path / "home")
    return Workspace(Settings(home=tmp_path / "home"), lambda: NOW)


def names(database: Database, universe: str) -> list[str]:
    """The tables that name a universe, wherever they do."""
    found = []
    with database.read() as connection:
        for table in metadata.sorted_tables:
            texts = [column for column in table.columns if not isinstance(column.type, sqlalchemy.LargeBinary)]
            for row in connection.execute(select(*texts)):
                if any(universe in str(value) for value in row if value is not None):
                    found.append(table.name)
    return sorted(set(found))


def test_every_table_of_a_universe_is_known_to_the_renaming() -> None:
    assert {table.name for table in metadata.sorted_tables if "universe" in table.columns} == {
        table.name for table in renaming.TABLES
    }


def test_everything_has_the_new_name_and_nothing_the_old_one(workspace: Workspace) -> None:
    before = workspace.champion("banks")
    assert names(workspace.database, "banks") == ["alerts", "config_versions", "job_events", "jobs", "journal"]
    workspace.universe_desk.rename("banks", "money")
    assert names(workspace.database, "banks") == []
    assert workspace.universes() == [DEFAULT_UNIVERSE, "money"]
    champion = workspace.champion("money")
    assert (champion.name, champion.version, champion.run_id) == ("stockcast-money", before.version, before.run_id)
    [job] = workspace.jobs.recent("money")
    assert job.key == "schedule money 2026-03-01T22:30", "or the schedule would ask for it again"
    assert job.result == {"model": {"name": "stockcast-money"}, "run_id": "x"}
    assert [event.payload["name"] for event in workspace.jobs.events(job.id)] == ["stockcast-money"]
    assert [alert.universe for alert in workspace.alerts.list("money")] == ["money"]
    [entry] = workspace.journal.entries(universe="money")
    assert (entry.model, entry.model_version) == ("stockcast-money", before.version)
    [version] = workspace.configs.history("money")
    assert (version.author, version.config.universe.tickers) == ("Ana", ("IBM", "MSFT"))
    runs = workspace.runs.recent("money", deleted=True)
    assert [(run.universe, run.deleted) for run in runs] == [("money", True), ("money", False)]
    assert workspace.runs.recent("banks", deleted=True) == []
    assert workspace.forecast("IBM", "money", "cli").speaker.version == champion


def test_nobody_speaks_for_the_old_name_and_it_is_not_opened_anew(workspace: Workspace) -> None:
    workspace.universe_desk.rename("banks", "money")
    assert (workspace.notes.read("banks"), workspace.notes.renamed("banks")) == (None, True)
    noted = workspace.notes.read("money")
    assert noted is not None
    assert noted.name == "stockcast-money"
    with pytest.raises(UnknownUniverse):
        workspace.champion("banks")
    assert workspace.versions.all("banks") == []
    workspace.universe_desk.create("banks", ["IBM"])
    workspace.champion("banks")
    assert not workspace.notes.renamed("banks"), "the name is used again"


def test_what_was_said_under_the_old_name_meanwhile_follows(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with workspace.database.read() as connection:
        row = dict(connection.execute(select(journal)).mappings().one()) | {"id": 99, "fingerprint": "late"}

    def speak(_seconds: float) -> None:  # an API that had not looked yet
        with workspace.database.write() as connection:
            connection.execute(insert(journal).values(row))

    renaming.rename_universe(
        workspace.database, workspace.tracking, workspace.notes, workspace.settings.bundle_cache, "banks", "money",
        wait=speak,
    )  # fmt: skip
    assert names(workspace.database, "banks") == []
    assert len(workspace.journal.entries(universe="money")) == 2


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("banks", "a/b", "cannot name a universe"),
        ("banks", "banks", "is called banks already"),
        ("banks", DEFAULT_UNIVERSE, "always there"),
        (DEFAULT_UNIVERSE, "money", "always there"),
        ("banks", "tech", "something of a universe tech already"),
        ("bank", "money", "There is no universe bank"),
    ],
)
def test_a_name_that_cannot_be_meant_is_refused_and_nothing_moves(
    workspace: Workspace, old: str, new: str, words: str
) -> None:
    workspace.universe_desk.create("tech")
    with pytest.raises((InvalidRequest, UnknownUniverse), match=words):
        workspace.universe_desk.rename(old, new)
    assert workspace.universes() == ["banks", DEFAULT_UNIVERSE, "tech"]
    assert workspace.versions.champion("banks") is not None


def test_an_active_job_keeps_the_name(workspace: Workspace) -> None:
    job = workspace.jobs.submit("fetch", "banks", {})
    with pytest.raises(InvalidRequest, match=job.id):
        workspace.universe_desk.rename("banks", "money")
    assert workspace.versions.champion("banks") is not None


def test_a_model_of_the_new_name_that_only_mlflow_knows_is_in_the_way(workspace: Workspace) -> None:
    workspace.tracking.client.create_registered_model("stockcast-money")
    with pytest.raises(InvalidRequest, match="MLflow has something of the name stockcast-money"):
        workspace.universe_desk.rename("banks", "money")
    assert names(workspace.database, "money") == []
    assert {run.universe for run in workspace.runs.recent("banks", deleted=True)} == {"banks"}


def test_when_mlflow_fails_nothing_has_moved(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: MlflowClient, _old: str, _new: str) -> None:
        raise OSError("the network is gone")

    monkeypatch.setattr(MlflowClient, "rename_registered_model", fail)
    with pytest.raises(RegistryUnavailable):
        workspace.universe_desk.rename("banks", "money")
    assert names(workspace.database, "money") == []
    assert workspace.versions.champion("banks") is not None
    assert [run.universe for run in workspace.runs.recent("banks", deleted=True)] == ["banks", "banks"]


def test_when_the_commit_fails_mlflow_has_its_old_names_back(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.champion("banks")

    def refuse(*_arguments: object) -> None:
        raise sqlalchemy.exc.OperationalError("COMMIT", {}, Exception("disk full"))

    monkeypatch.setattr(workspace.database.engine.dialect, "do_commit", refuse)
    with pytest.raises(Exception, match="disk full"):
        workspace.universe_desk.rename("banks", "money")
    monkeypatch.undo()
    assert names(workspace.database, "money") == []
    assert workspace.versions.champion("banks") is not None
    assert [run.universe for run in workspace.runs.recent("banks", deleted=True)] == ["banks", "banks"]


def test_a_renaming_that_was_cut_off_after_mlflow_goes_on(workspace: Workspace) -> None:
    workspace.tracking.client.rename_registered_model("stockcast-banks", "stockcast-money")
    workspace.universe_desk.rename("banks", "money")
    assert workspace.champion("money").name == "stockcast-money"
    assert names(workspace.database, "banks") == []


def test_a_universe_that_nobody_has_trained_is_renamed_too(workspace: Workspace) -> None:
    workspace.universe_desk.create("tech", ["AAPL"])
    workspace.universe_desk.rename("tech", " phones ")
    assert workspace.tickers("phones") == ("AAPL",)


def test_on_postgresql_the_same_rows_move(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renaming, "STRAGGLERS", 0.0)
    workspace = Workspace(Settings(home=tmp_path, database_url=postgres_url), lambda: NOW)
    workspace.universe_desk.create("banks", ["IBM"])
    job = workspace.jobs.submit("train", "banks", {}, taken_by=Process.current())
    workspace.jobs.end(job, "succeeded", result={"model": {"name": "stockcast-banks"}})
    workspace.universe_desk.rename("banks", "money")
    assert names(workspace.database, "banks") == []
    assert workspace.universes() == [DEFAULT_UNIVERSE, "money"]
    workspace.database.close()


def test_an_unknown_universe_is_told_with_the_nearest_name(workspace: Workspace) -> None:
    with pytest.raises(UnknownUniverse, match="There is no universe bonks") as refused:
        workspace.train_request("bonks")
    assert refused.value.hint.startswith("Did you mean banks? Create one with: stockcast universes create bonks")
    with pytest.raises(UnknownUniverse) as far:
        workspace.champion("zzz")
    assert far.value.hint.startswith("Create one with")
    assert workspace.versions.all("zzz") == []
    assert workspace.universe_desk.require("banks") is None
