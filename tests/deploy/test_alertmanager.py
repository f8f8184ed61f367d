"""A real Alertmanager with our own configuration, fed by a real Prometheus with our own rules."""

from __future__ import annotations

import re
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from api_serving import wait_until
from nginx_process import free_port
from real_programs import DEPLOY, program
from webhook import Webhook, webhook

HERE = DEPLOY / "prometheus"
CONFIG = HERE / "alertmanager.yml"
RULES = [rule for group in yaml.safe_load((HERE / "alerts.yml").read_text())["groups"] for rule in group["rules"]]


def test_the_configuration_is_sound_and_quiets_alerts_that_there_are() -> None:
    done = subprocess.run(
        [program("amtool"), "check-config", str(CONFIG)], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stdout + done.stderr
    named = re.findall(r"Stockcast\w+", CONFIG.read_text())
    assert named
    assert set(named) <= {rule["alert"] for rule in RULES}


@pytest.mark.parametrize("severity", sorted({rule["labels"]["severity"] for rule in RULES}))
def test_an_alert_of_each_severity_goes_to_the_receiver_of_that_name(severity: str) -> None:
    done = subprocess.run(
        [program("amtool"), "config", "routes", "test", f"--config.file={CONFIG}", f"severity={severity}"],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, severity), done.stderr


def test_an_alert_of_prometheus_arrives_and_its_parts_are_left_out(tmp_path: Path) -> None:
    port = free_port()
    config = yaml.safe_load(CONFIG.read_text())
    config["route"] |= {"group_wait": "2s", "group_interval": "1s"}
    with webhook() as hook, ExitStack() as started:
        for receiver in config["receivers"]:
            url = f"http://127.0.0.1:{hook.port}/200/{receiver['name']}"
            receiver["webhook_configs"] = [{"url": url}]
        (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config))
        run(
            started, tmp_path, "prometheus-alertmanager", f"--config.file={tmp_path / 'alertmanager.yml'}",
            f"--storage.path={tmp_path / 'alertmanager'}", f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        )  # fmt: skip
        # Where nothing of ours runs, the API is down as a whole and each of its replicas is.
        rules = re.sub(r"\bfor: \w+", "for: 0s", (HERE / "alerts.yml").read_text())
        (tmp_path / "alerts.yml").write_text(rules)
        told = (HERE / "prometheus.yml").read_text().replace('"alertmanager:9093"', f'"127.0.0.1:{port}"')
        told = re.sub(r'"(?:api-\d|metrics):\d+"', '"127.0.0.1:1"', told).replace("/run/secrets", str(tmp_path))
        told = told.replace("scrape_interval: 15s", "scrape_interval: 500ms\n  evaluation_interval: 500ms")
        (tmp_path / "prometheus.yml").write_text(told.replace("scrape_timeout: 10s", "scrape_timeout: 500ms"))
        (tmp_path / "stockcast_api_admin_keys").write_text("a key")
        run(
            started, tmp_path, "prometheus", f"--config.file={tmp_path / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'series'}", f"--web.listen-address=127.0.0.1:{free_port()}",
            "--rules.alert.resend-delay=1s",  # it finds Alertmanager some seconds after its first alerts
        )  # fmt: skip
        wait_until(lambda: arrived(hook) >= {("page", "StockcastApiDown"), ("page", "StockcastDatabaseAway")}, 40)
        assert not {name for _, name in arrived(hook)} & {"StockcastApiReplicaDown"}


def run(started: ExitStack, folder: Path, name: str, *arguments: str) -> None:
    """Starts a program that ends with the test."""
    with open(folder / f"{name}.log", "wb") as log:
        process = subprocess.Popen([program(name), *arguments], stdout=log, stderr=log)
    started.callback(process.wait)
    started.callback(process.kill)


def arrived(hook: Webhook) -> set[tuple[str, str]]:
    """Receivers with the alerts that came to them."""
    messages: list[dict[str, Any]] = list(hook.messages)
    return {(each["receiver"], alert["labels"]["alertname"]) for each in messages for alert in each["alerts"]}
