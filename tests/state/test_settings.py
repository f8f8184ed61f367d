"""Settings: every variable is read, and a wrong one is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from stockcast.errors import InvalidConfig
from stockcast.settings import Settings, read_settings

VARIABLES = {
    "STOCKCAST_HOME": "/srv/stockcast",
    "STOCKCAST_DATABASE_URL": "postgresql+psycopg://db/stockcast",
    "STOCKCAST_MLFLOW_URI": "http://mlflow:5000",
    "STOCKCAST_MLFLOW_UI_URL": "https://mlflow.example",
    "STOCKCAST_THREADS": "7",
    "STOCKCAST_WORKERS": "3",
    "STOCKCAST_WORKER_LINGER": "12.5",
    "STOCKCAST_JOB_HOURS": "0.5",
    "STOCKCAST_BROKER_URL": "redis://:secret@redis:6379/3",
    "STOCKCAST_QUEUE_PREFIX": "our-stockcast",
    "STOCKCAST_NOTIFY_URLS": "mailto://me:secret@example.org json://example.org/key",
    "STOCKCAST_OPERATORS": "ana@example.org @desk.example.org",
    "STOCKCAST_VIEWERS": "*",
    "STOCKCAST_DASHBOARD_GUARDED": "True",
    "STOCKCAST_API_KEYS": "one-key-of-the-clients another-key-of-theirs",
    "STOCKCAST_API_ADMIN_KEYS": "a-key-of-the-admins",
    "STOCKCAST_API_URL": "https://api.example",
    "STOCKCAST_API_RATE": "12.5",
    "STOCKCAST_API_CONCURRENCY": "64",
    "STOCKCAST_API_TIMEOUT": "12.5",
    "STOCKCAST_API_DRAIN": "2.5",
    "STOCKCAST_API_LOOK": "60.0",
    "STOCKCAST_OTLP_ENDPOINT": "http://collector:4318",
    "STOCKCAST_LOG_LEVEL": "DEBUG",
    "STOCKCAST_LOG_FORMAT": "json",
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
        read = getattr(found, field)
        assert (read.get_secret_value() if isinstance(read, SecretStr) else str(read)) == value
        assert Settings.model_fields[field].description
    assert found.database == VARIABLES["STOCKCAST_DATABASE_URL"]
    assert found.mlflow == VARIABLES["STOCKCAST_MLFLOW_URI"]


@pytest.mark.parametrize("address", ["http://redis:6379", "redis", "/tmp/socket", "sqs://", "memory://"])
def test_a_broker_that_nobody_has_tried_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("STOCKCAST_BROKER_URL", address)
    with pytest.raises(InvalidConfig, match="STOCKCAST_BROKER_URL"):
        read_settings()


def test_the_name_of_a_broker_tells_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().broker_name == ""
    monkeypatch.setenv("STOCKCAST_BROKER_URL", "amqp://me:secret@rabbit:5672/ours")
    assert read_settings().broker_name == "amqp://rabbit:5672"
    assert "secret" not in repr(read_settings())


def test_without_variables_all_state_lies_inside_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STOCKCAST_HOME", str(tmp_path / "house"))
    found = read_settings()
    home = tmp_path / "house"
    assert found.database == f"sqlite:///{home}/stockcast.db"
    assert found.mlflow == f"sqlite:///{home}/mlflow.db"
    for folder in (
        found.artifacts,
        found.bundle_cache,
        found.champion_notes,
        found.spool,
        found.job_logs,
        found.scratch,
    ):
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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("THREADS", value) for value in ("many", "0", "65", "1.5")),
        *(("WORKERS", value) for value in ("many", "0", "65", "1.5")),
        *(("WORKER_LINGER", value) for value in ("long", "-1", "86401", "nan", "inf")),
        *(("JOB_HOURS", value) for value in ("long", "0", "-1", "721", "nan", "inf")),
    ],
)
def test_a_wrong_value_is_refused_with_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"STOCKCAST_{name}", value)
    with pytest.raises(InvalidConfig, match=f"STOCKCAST_{name} is not usable") as refused:
        read_settings()
    assert "Correct the variable" in refused.value.hint


def test_variables_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKCAST_SOMETHING_ELSE", "1")
    assert read_settings().threads == 2


@pytest.mark.parametrize("variables", [VARIABLES, {"STOCKCAST_HOME": "house"}, {}], ids=["all", "home", "none"])
def test_a_process_of_ours_reads_the_same_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    ours = read_settings()
    monkeypatch.chdir("/")  # a process that starts in another folder
    for name, value in ours.environment.items():
        assert name in VARIABLES
        monkeypatch.setenv(name, value)
    theirs = read_settings()
    assert theirs.home.is_absolute()
    assert theirs.environment == ours.environment
    assert theirs.model_dump(exclude={"home"}) == ours.model_dump(exclude={"home"})
    if ours.home.is_absolute():
        assert theirs == ours


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    workers=st.integers(1, 64),
    linger=st.floats(0, 86400),
    hours=st.floats(0, 720, exclude_min=True),
)
def test_no_number_changes_on_its_way_to_a_process_of_ours(workers: int, linger: float, hours: float) -> None:
    ours = Settings(home=Path("/srv/house"), workers=workers, worker_linger=linger, job_hours=hours)
    with pytest.MonkeyPatch.context() as environment:
        for name, value in ours.environment.items():
            environment.setenv(name, value)
        assert read_settings() == ours


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1:8000", "ftp://api.example", "http://", "http://me:secret@api.example", "http://api.example:99999",
        "http://api.example/?key=secret", "http://api.example/$(id)", "http://api.example/' x",
    ],
)  # fmt: skip
def test_an_address_of_the_api_that_cannot_be_meant_is_refused_without_being_quoted(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOCKCAST_API_URL", address)
    with pytest.raises(InvalidConfig, match="STOCKCAST_API_URL is not usable") as refused:
        read_settings()
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "address", ["collector:4318", "grpc://collector:4317", "http://", "http://me:secret@c:4318"]
)
def test_a_collector_that_cannot_be_meant_is_refused_without_being_quoted(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOCKCAST_OTLP_ENDPOINT", address)
    with pytest.raises(InvalidConfig, match="STOCKCAST_OTLP_ENDPOINT is not usable") as refused:
        read_settings()
    assert "secret" not in str(refused.value)


def test_what_the_environment_leaves_out_is_read_from_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stockcast_database_url").write_text("postgresql+psycopg://u:p@db/stockcast\n")
    (tmp_path / "stockcast_api_keys").write_text("a-key-of-sixteen-letters another-of-sixteen-letters\n")
    (tmp_path / "stockcast_workers").write_text("5\n")
    monkeypatch.setenv("STOCKCAST_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("STOCKCAST_WORKERS", "3")
    found = read_settings()
    assert found.database == "postgresql+psycopg://u:p@db/stockcast"
    assert found.api_keys.get_secret_value() == "a-key-of-sixteen-letters another-of-sixteen-letters"
    assert found.workers == 3
    # A process of ours is told the same.
    assert found.environment["STOCKCAST_DATABASE_URL"] == found.database


def test_a_folder_of_secrets_that_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKCAST_SECRETS_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(InvalidConfig, match="STOCKCAST_SECRETS_DIR"):
        read_settings()
