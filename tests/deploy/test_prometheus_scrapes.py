"""A real Prometheus with our own configuration over real processes: every panel has something to show."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import yaml
from api_serving import WINDOW, ServingProcess, crown, settings_of, version_of, wait_until
from nginx_process import free_port
from real_programs import DEPLOY, program
from sqlalchemy import insert

from stockcast.api.api_metrics import FAMILIES as API_FAMILIES
from stockcast.database import Database
from stockcast.forecasting.context import context_at_end
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.jobs.job_table import JobTable
from stockcast.jobs.process import Process
from stockcast.monitoring.findings import DriftReport
from stockcast.monitoring.journal import Journal
from stockcast.monitoring.outcomes import Outcomes
from stockcast.monitoring.prometheus import FAMILIES
from stockcast.prices.frame import PriceFrame
from stockcast.tables import alerts

RULES = DEPLOY / "prometheus" / "alerts.yml"
RULED = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
PANELS = json.loads((DEPLOY / "grafana" / "dashboards" / "stockcast.json").read_text())["panels"]
ASKED = [
    (panel["title"], target["expr"].replace("$__rate_interval", "30s"))
    for panel in PANELS
    for target in panel.get("targets", ())
    if panel["datasource"]["type"] == "prometheus"
]
KEY = "a-key-for-the-metrics-alone"


def test_configuration_and_rules_are_sound_and_every_alert_fires_when_it_should(tmp_path: Path) -> None:
    promtool = program("promtool")
    config = tmp_path / "prometheus.yml"
    config.write_text(
        (DEPLOY / "prometheus" / "prometheus.yml").read_text().replace("/run/secrets", str(tmp_path))
    )
    (tmp_path / "stockcast_api_admin_keys").write_text(KEY)
    (tmp_path / "alerts.yml").write_text(RULES.read_text())
    tests = RULES.with_name("alerts_test.yml")
    for command in (("check", "config", config), ("check", "rules", RULES), ("test", "rules", tests)):
        done = subprocess.run([promtool, *map(str, command)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_has_a_test_in_which_it_fires() -> None:
    rules = {rule["alert"] for rule in RULED}
    tests = yaml.safe_load(RULES.with_name("alerts_test.yml").read_text())["tests"]
    asked = [asked for test in tests for asked in test["alert_rule_test"]]
    assert {each["alertname"] for each in asked if each.get("exp_alerts")} == rules
    assert {each["alertname"] for each in asked if not each.get("exp_alerts")} == rules


def test_alerts_and_panels_name_metrics_that_we_export() -> None:
    ours = FAMILIES.keys() | API_FAMILIES.keys()
    known = ours | {f"{name}_bucket" for name in ours} | {"stockcast_api", "stockcast_database"}
    expressions = [*(expression for _, expression in ASKED), *(rule["expr"] for rule in RULED)]
    named = {name for each in expressions for name in re.findall(r"\bstockcast_\w+", each)}
    assert named <= known
    assert len(named) >= 20


def test_every_panel_has_data_from_a_prometheus_that_scrapes_real_processes(
    home: Path, tmp_path: Path, sample_frames: tuple[PriceFrame, ...]
) -> None:
    name = program("prometheus")
    lived_in(home, sample_frames)
    replicas = [ServingProcess(home, api_admin_keys=KEY) for _ in range(2)]
    try:
        with figures_of(home) as port:
            for replica in replicas:
                replica.wait()
            targets = {f"api-{n}:8000": f"127.0.0.1:{each.port}" for n, each in enumerate(replicas, 1)}
            with prometheus(name, tmp_path, targets | {"metrics:9108": f"127.0.0.1:{port}"}) as ask:
                wait_until(lambda: ask("sum(up) == 3") != [])
                deadline = time.monotonic() + 40
                for turn in range(1000):
                    talk_to(replicas[turn % 2].address)
                    if turn == 10:
                        crown(settings_of(home), version_of(2), scale=1.5)
                    without = [title for title, expression in ASKED if not has_data(ask(expression))]
                    if not without or time.monotonic() > deadline:
                        break
                    time.sleep(0.5)
                assert without == []
                assert ask('count({__name__=~"stockcast_forecasts.*"}) by (job)')[0]["metric"] == {
                    "job": "stockcast-database"
                }
    finally:
        for replica in replicas:
            replica.process.kill()
            replica.process.wait()


def has_data(found: list[dict[str, object]]) -> bool:
    """Whether there is a figure among them."""
    return any(str(each["value"][1]) not in ("NaN", "+Inf", "-Inf") for each in found)  # type: ignore[index]


def talk_to(address: str) -> None:
    """A forecast, one of a window that drifts, and a question that is refused."""
    key = {"Authorization": f"Bearer {KEY}"}
    for window in (WINDOW, [*WINDOW[:-1], WINDOW[-1] * 100], WINDOW[:-1]):
        httpx.post(f"{address}/predict", json={"last_prices": window}, headers=key, trust_env=False)


def lived_in(home: Path, frames: tuple[PriceFrame, ...]) -> None:
    """A home that has forecast for a while: outcomes, jobs in every state, an alert."""
    database = Database(settings_of(home).database)
    last = datetime.combine(frames[0].last_session, datetime.min.time(), UTC)
    for end in range(len(frames[0]) - 70, len(frames[0])):
        known = frames[0].rows(0, end)
        context = context_at_end(known, 2)
        ewma, naive = (each.forecast([context])[0] for each in (EwmaForecaster(), NaiveForecaster()))
        evening = datetime.combine(known.last_session, datetime.min.time(), UTC) + timedelta(hours=21)
        Journal(database).record(
            ewma, naive, face="page", from_store=True, issued_at=evening, universe="default",
            model="stockcast-default", model_version="1", run_id="run1", drift=DriftReport(),
        )  # fmt: skip
    Outcomes(database).score(frames[0], last + timedelta(days=2))
    table = JobTable(database)
    for end in ("succeeded", "failed"):
        table.submit("train", "default", {})
        job = table.claim(Process.current())
        assert job is not None
        assert table.end(job, end, **({"result": {}} if end == "succeeded" else {"error": "It broke."}))
    table.submit("fetch", "default", {})
    with database.write() as connection:
        told = {"universe": "default", "opened_at": last, "seen_at": last, "sentence": "Bad.", "evidence": {}}
        connection.execute(insert(alerts).values(rule="skill", state="open", **told))
    database.close()


@contextmanager
def figures_of(home: Path) -> Iterator[int]:
    """`stockcast serve metrics` over a home, at a port."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "stockcast", "serve", "metrics", "--port", str(port)],
        env={**os.environ, "STOCKCAST_HOME": str(home)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield port
    finally:
        process.kill()
        process.wait()


@contextmanager
def prometheus(name: str, folder: Path, targets: dict[str, str]) -> Iterator[object]:
    """Prometheus with our configuration, its targets at free ports, each scraped twice a second."""
    config = (DEPLOY / "prometheus" / "prometheus.yml").read_text()
    for service, here in targets.items():
        assert service in config
        config = config.replace(f'"{service}"', f'"{here}"')
    config = config.replace("/run/secrets", str(folder)).replace("15s", "500ms").replace("10s", "500ms")
    (folder / "stockcast_api_admin_keys").write_text(f"{KEY}\n")
    (folder / "prometheus.yml").write_text(config)
    (folder / "alerts.yml").write_text(RULES.read_text())
    port = free_port()
    command = [
        name, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'series'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with open(folder / "prometheus.log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False)

    def ask(expression: str) -> list[dict[str, object]]:
        reply = client.get("/api/v1/query", params={"query": expression})
        assert reply.status_code == 200, reply.text
        found: list[dict[str, object]] = reply.json()["data"]["result"]
        return found

    def up() -> bool:
        try:
            return client.get("/-/ready").status_code == 200
        except httpx.HTTPError:
            return False

    try:
        wait_until(up)
        yield ask
    finally:
        process.kill()
        process.wait()
        client.close()
