"""Deployment: where state lives and which services are used. Read once from `STOCKCAST_*` variables."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from stockcast.errors import InvalidConfig

LogLevel = Literal["", "DEBUG", "INFO", "WARNING", "ERROR"]


class Settings(BaseSettings):
    """Every field is read from `STOCKCAST_<FIELD>`, an empty one as unset; nothing is written outside `home`."""

    model_config = SettingsConfigDict(env_prefix="STOCKCAST_", env_ignore_empty=True, frozen=True, extra="ignore")

    home: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("stockcast"),
        description="Folder of all state: database, MLflow, model cache, job logs.",
    )
    database_url: str = Field(
        default="", description="SQLAlchemy URL of the database; empty: SQLite inside the home."
    )
    mlflow_uri: str = Field(default="", description="MLflow tracking URI; empty: SQLite inside the home.")
    mlflow_ui_url: str = Field(
        default="", description="Address of the MLflow web page, for links; empty: links are hidden."
    )
    threads: int = Field(default=2, ge=1, le=64, description="Threads that the jobs of a worker share.")

    workers: int = Field(default=1, ge=1, le=64, description="Jobs that a worker does at the same time.")
    worker_linger: float = Field(
        default=300, ge=0, le=86400, description="Seconds for which an idle worker stays warm for the next job."
    )
    job_hours: float = Field(
        default=12, gt=0, le=720, description="Hours after which an attempt at a job is stopped."
    )
    broker_url: SecretStr = Field(
        default=SecretStr(""),
        description="Broker that rings for jobs, redis:// or amqp://; empty: this machine looks by itself.",
    )
    queue_prefix: str = Field(
        default="stockcast",
        pattern=r"^[A-Za-z0-9_-]{1,40}$",
        description="What queues at the broker begin with, where several installations share one.",
    )
    notify_urls: SecretStr = Field(
        default=SecretStr(""),
        description="Addresses for alerts as apprise writes them, separated by spaces; empty: nobody is told.",
    )
    operators: str = Field(
        default="",
        description="Who may do everything on pages with a login: addresses, @domains or *, separated by spaces.",
    )
    viewers: str = Field(default="", description="The same for who may look, and change nothing.")
    dashboard_guarded: bool = Field(
        default=False,
        description="Something before the dashboard guards it: it may be reached from elsewhere without a login.",
    )
    api_url: str = Field(
        default="http://127.0.0.1:8000",
        description="Address of the API, which the pages ask and show.",
    )
    api_keys: SecretStr = Field(
        default=SecretStr(""),
        description="Keys that may ask the API for forecasts, separated by spaces; two while one is changed.",
    )
    api_admin_keys: SecretStr = Field(
        default=SecretStr(""),
        description="The same for keys that may also train, configure, reload and read metrics.",
    )
    api_rate: float = Field(
        default=0, ge=0, le=1e6, description="Requests a second that one API key may make; 0 for no limit."
    )
    api_concurrency: int = Field(
        default=256, ge=1, le=100_000, description="Requests that the API works at together; more are sent away."
    )
    api_timeout: float = Field(
        default=30, gt=0, le=600, description="Seconds after which the API gives a request up."
    )
    api_drain: float = Field(
        default=1.0, ge=0, le=600, description="Seconds for which a stopping API still answers as if it stayed."
    )
    api_look: float = Field(
        default=300, ge=0, le=86400, description="Seconds between two looks of the API at MLflow; 0 for none."
    )
    otlp_endpoint: str = Field(
        default="",
        description="Address of an OpenTelemetry collector that takes traces over OTLP/HTTP; empty: no traces.",
    )
    log_level: LogLevel = Field(
        default="", description="Least level that is logged; empty: INFO where something is served, else WARNING."
    )
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto", description="json: one object a line; console: for people; auto: by where stderr goes."
    )

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def be_written_in_any_case(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        return value.strip().upper() if info.field_name == "log_level" else value.strip().lower()

    @field_validator("broker_url")
    @classmethod
    def be_a_broker_that_is_known(cls, value: SecretStr) -> SecretStr:
        address = value.get_secret_value().strip()
        if address and urlsplit(address).scheme not in ("redis", "rediss", "amqp", "amqps"):
            raise ValueError("redis://, rediss://, amqp:// or amqps:// is wanted")
        return SecretStr(address)

    @field_validator("otlp_endpoint")
    @classmethod
    def be_an_address_of_a_collector(cls, value: str) -> str:
        parts = urlsplit(value.strip())
        if value.strip() and (parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc):
            raise ValueError(
                "an address such as http://collector:4318 is wanted; keys stand in OTEL_EXPORTER_OTLP_HEADERS"
            )
        return value.strip().rstrip("/")

    @field_validator("api_url")
    @classmethod
    def be_an_address_without_secrets(cls, value: str) -> str:
        parts = urlsplit(value.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.port == 0:
            raise ValueError("an address such as http://127.0.0.1:8000 is wanted, without a name or password")
        # It stands in snippets that people copy into a shell.
        if parts.query or parts.fragment or not re.fullmatch(r"[A-Za-z0-9:/.\[\]_~-]+", value.strip()):
            raise ValueError("it ends with the host, the port or a path, in plain letters and digits")
        return value.strip().rstrip("/")

    @property
    def environment(self) -> dict[str, str]:
        """The same settings as environment variables, for a process of ours. Secrets too: show them to nobody."""
        fields = {name: str(getattr(self, name)) for name in type(self).model_fields}
        for name, info in type(self).model_fields.items():
            if info.annotation is SecretStr:
                fields[name] = getattr(self, name).get_secret_value()
        return {f"STOCKCAST_{name.upper()}": value for name, value in fields.items()} | {
            "STOCKCAST_HOME": str(self.home.absolute())
        }

    @property
    def job_environment(self) -> dict[str, str]:
        """The same for one of the processes in which a worker does its jobs: they share the threads.

        Two that each take all processors for their linear algebra wait for one another many times over.
        """
        threads = str(max(1, self.threads // self.workers))
        return self.environment | {"STOCKCAST_THREADS": threads, "OMP_NUM_THREADS": threads}

    @property
    def database(self) -> str:
        """SQLAlchemy URL that is in force."""
        return self.database_url or f"sqlite:///{self.home.absolute() / 'stockcast.db'}"

    @property
    def mlflow(self) -> str:
        """MLflow tracking URI that is in force."""
        return self.mlflow_uri or f"sqlite:///{self.home.absolute() / 'mlflow.db'}"

    @property
    def broker_name(self) -> str:
        """Scheme, host and port of the broker, without its secrets; empty without a broker."""
        parts = urlsplit(self.broker_url.get_secret_value())
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname or 'localhost'}{port}" if parts.scheme else ""

    @property
    def artifacts(self) -> Path:
        """Folder of MLflow's artifacts when MLflow is local."""
        return self.home.absolute() / "artifacts"

    @property
    def bundle_cache(self) -> Path:
        """Folder of bundles that were fetched from MLflow, one folder per model version."""
        return self.home.absolute() / "bundles"

    @property
    def backups(self) -> Path:
        """Folder of copies of the database, one made before each upgrade."""
        return self.home.absolute() / "backups"

    @property
    def yahoo_cache(self) -> Path:
        """Folder of what yfinance remembers between two downloads: time zones and cookies."""
        return self.home.absolute() / "yahoo"

    @property
    def champion_notes(self) -> Path:
        """Folder of notes about who speaks, one file per universe."""
        return self.home.absolute() / "champions"

    @property
    def known_keys(self) -> Path:
        """File in which the API keeps the keys of the database as it last saw them, as digests."""
        return self.home.absolute() / "api_keys.json"

    @property
    def spool(self) -> Path:
        """Folder of forecasts that were said and are on their way into the journal."""
        return self.home.absolute() / "spool"

    @property
    def job_logs(self) -> Path:
        """Folder of one log file per job, of unfinished trainings' checkpoints, and of the worker's lock."""
        return self.home.absolute() / "jobs"

    @property
    def scratch(self) -> Path:
        """Folder of files that a training writes and removes again."""
        return self.home.absolute() / "scratch"


def read_settings() -> Settings:
    """Settings from the environment, and from files of `STOCKCAST_SECRETS_DIR` named as the variables for those
    that the environment leaves out.

    Raises InvalidConfig that names the variable when one of them cannot be read.
    """
    folder = os.environ.get("STOCKCAST_SECRETS_DIR", "")
    if folder and not Path(folder).is_dir():
        raise InvalidConfig(
            "STOCKCAST_SECRETS_DIR is not usable: there is no such folder.", "Correct the variable or remove it."
        )
    try:
        return Settings(_secrets_dir=folder or None)
    except ValidationError as problem:
        first = problem.errors()[0]
        name = "STOCKCAST_" + "_".join(str(part) for part in first["loc"]).upper()
        raise InvalidConfig(
            f"{name} is not usable: {first['msg']}.", "Correct the variable or remove it to use the default."
        ) from problem
