"""Artifacts in an S3 store behind MLflow's server: processes of ours need nothing but their two addresses."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
import sqlalchemy
from api_serving import WINDOW, ServingProcess, wait_until
from home_workers import kill_workers
from mlflow_process import MlflowServer
from nginx_process import free_port

from stockcast.database import Database
from stockcast.errors import CorruptBundle, RegistryUnavailable
from stockcast.jobs.job import Job
from stockcast.prices.frame import PriceFrame
from stockcast.prices.source import FetchedPrices, PriceReport
from stockcast.prices.store import PriceStore
from stockcast.settings import Settings
from stockcast.workspace import Workspace

BUCKET = "mlflow"
KEYS = {"AWS_ACCESS_KEY_ID": "a-key", "AWS_SECRET_ACCESS_KEY": "its-secret", "AWS_DEFAULT_REGION": "us-east-1"}


class Store:
    """An S3 store in the memory of a process, and a client of it that has its keys."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "s3.log"
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.client: Any = boto3.client(
            "s3", endpoint_url=self.address, region_name="us-east-1", aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )  # fmt: skip
        self.start()

    def start(self) -> None:
        """With an empty bucket."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
                stdout=log, stderr=log,
            )  # fmt: skip
        wait_until(self._answers, 60)
        self.client.create_bucket(Bucket=BUCKET)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.address}/moto-api/", trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def names(self) -> list[str]:
        """What lies in the bucket."""
        return [each["Key"] for each in self.client.list_objects_v2(Bucket=BUCKET).get("Contents", ())]

    def kill(self) -> None:
        """At once."""
        self.process.kill()
        self.process.wait()


class Machines:
    """What all machines share: a database, and MLflow with its store. Each begins with an empty home and no more
    than two addresses."""

    def __init__(self, folder: Path, database_url: str, mlflow: MlflowServer, store: Store) -> None:
        self.folder, self.mlflow, self.store = folder, mlflow, store
        self.addresses = {"database_url": database_url, "mlflow_uri": mlflow.uri}

    @contextmanager
    def at(self, machine: str) -> Iterator[Workspace]:
        """A machine."""
        workspace = Workspace(Settings(home=self.folder / machine, worker_linger=0, threads=1, **self.addresses))
        try:
            yield workspace
        finally:
            kill_workers(workspace.settings.home)  # the database goes with the test, and they would wait for it
            workspace.database.close()

    def train(self, machine: str, meanwhile: Callable[[Callable[[], Job]], None] = lambda look: None) -> Job:
        """Has a worker process of that machine train a linear model, and tells how the job has ended."""
        with self.at(machine) as workspace:
            job = workspace.desk.submit_training("default", (), None, ["model.kind=linear"])

            def look() -> Job:
                return workspace.jobs.get(job.id)

            meanwhile(look)
            wait_until(lambda: not look().active, 60)
            return look()


@pytest.fixture
def machines(tmp_path: Path, postgres_url: str, sample_frames: tuple[PriceFrame, ...]) -> Iterator[Machines]:
    """PostgreSQL with stored prices, MLflow over a schema of its own there, and an S3 store."""
    engine = sqlalchemy.create_engine(postgres_url)
    with engine.begin() as connection:
        schema = connection.exec_driver_sql("SELECT current_schema()").scalar()
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}_mlflow")
    store = Store(tmp_path)
    environment = KEYS | {"MLFLOW_S3_ENDPOINT_URL": store.address, "AWS_MAX_ATTEMPTS": "1"}
    mlflow = MlflowServer(tmp_path, f"{postgres_url}_mlflow", f"s3://{BUCKET}", environment)
    try:
        mlflow.start()
        database = Database(postgres_url)
        for frame in sample_frames[:2]:
            PriceStore(database).save(FetchedPrices(frame.rows(len(frame) - 700, len(frame)), PriceReport(700)))
        database.close()
        mlflow.wait()
        yield Machines(tmp_path, postgres_url, mlflow, store)
    finally:
        mlflow.kill()
        store.kill()
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA {schema}_mlflow CASCADE")
        engine.dispose()


def test_machines_with_empty_homes_need_two_addresses_and_a_store_that_is_away_is_waited_for_or_told(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    job = machines.train("a worker")
    assert job.state == "succeeded", job.error
    with machines.at("a person's") as workspace:
        champion = workspace.promote("default", "linear", "It shall speak.")
    bundle = [name for name in machines.store.names() if f"/{champion.run_id}/artifacts/bundle/" in name]
    assert [name.rpartition("/")[2] for name in bundle] == ["manifest.json"]
    assert not list(machines.folder.glob("*/artifacts"))

    api = ServingProcess(machines.folder / "an api", api_look="300", **machines.addresses).wait()
    reply = httpx.post(f"{api.address}/predict", json={"last_prices": WINDOW}, trust_env=False)
    assert api.stop() == 0
    assert (reply.status_code, reply.json()["model"]["kind"]) == (200, "linear")
    assert reply.json()["model"]["run_id"] == champion.run_id

    machines.store.client.delete_object(Bucket=BUCKET, Key=bundle[0])
    with machines.at("a late one") as workspace:
        with pytest.raises(CorruptBundle, match="bundle of linear v2 is not in MLflow's store any more"):
            workspace.speaker("default")
        workspace.rollback("default")
    machines.store.kill()
    with machines.at("a later one") as workspace, pytest.raises(RegistryUnavailable) as refused:
        workspace.speaker("default")
    assert "reaches its database and its store" in refused.value.hint

    def mend(look: Callable[[], Job]) -> None:
        wait_until(lambda: look().phase == "Waiting for MLflow", 60)
        machines.store.start()

    job = machines.train("a worker", mend)
    assert job.state == "succeeded", job.error
    run = (job.result or {})["run_id"]
    assert any(f"/{run}/artifacts/bundle/" in name for name in machines.store.names())
