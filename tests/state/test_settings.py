"""Settings: every variable is read, and a wrong one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from stockcast.errors import InvalidConfig
from stockcast.settings import Settings, read_settings

VARIABLES = {
    "STOCKCAST_HOME": "/srv/stockcast",
    "STOCKCAST_DATABASE_URL": "postgresql+psycopg://db/stockcast",
    "STOCKCAST_MLFLOW_URI": "http://mlflow:5000",
    "STOCKCAST_MLFLOW_UI_URL": "https://mlflow.example",
    "STOCKCAST_THREADS": "7",
}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"STOCKCAST_{name.upper()}", raising=False)


def test_every_field_is_explained_and_read_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {f"STOCKCAST_{name.upper()}" for name in Settings.model_fields} == set(VARIABLES)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    found = read_settings()
    for name, value in VARIABLES.items():
        field = name.removeprefix("STOCKCAST_").lower()
        assert str(getattr(found, field)) == value
        assert Settings.model_fields[field].description
    assert found.database == VARIABLES["STOCKCAST_DATABASE_URL"]
    assert found.mlflow == VARIABLES["STOCKCAST_MLFLOW_URI"]


def test_without_variables_all_state_lies_inside_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STOCKCAST_HOME", str(tmp_path / "house"))
    found = read_settings()
    home = tmp_path / "house"
    assert found.database == f"sqlite:///{home}/stockcast.db"
    assert found.mlflow == f"sqlite:///{home}/mlflow.db"
    for folder in (found.artifacts, found.bundle_cache, found.job_logs, found.scratch):
        assert folder.is_relative_to(home)
    assert not home.exists(), "reading settings creates nothing"


def test_a_relative_home_is_the_same_place_from_every_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STOCKCAST_HOME", "house")
    assert read_settings().database == f"sqlite:///{tmp_path}/house/stockcast.db"


def test_the_home_of_a_person_is_the_default() -> None:
    assert read_settings().home.is_absolute()
    assert read_settings().home.name == "stockcast"


@pytest.mark.parametrize("name", VARIABLES)
def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "")
    assert read_settings() == Settings()
    assert read_settings().home.is_absolute()


@pytest.mark.parametrize("value", ["many", "0", "65", "1.5"])
def test_a_wrong_value_is_refused_with_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("STOCKCAST_THREADS", value)
    with pytest.raises(InvalidConfig, match="STOCKCAST_THREADS is not usable") as refused:
        read_settings()
    assert "Correct the variable" in refused.value.hint


def test_variables_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKCAST_SOMETHING_ELSE", "1")
    assert read_settings().threads == 2
