"""compose.yaml: valid, hardened, pinned, and in step with the files that it hands out."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from nginx_process import NAMES
from real_programs import DEPLOY

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name for name, each in SERVICES.items() if "build" in each}
WRITABLE = {"elasticsearch", "kibana"}  # they write their own folders at the start


def test_it_is_valid() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"],
        capture_output=True, text=True, timeout=60, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", list(SERVICES))
def test_a_service_may_do_little_and_has_its_share(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is (name not in WRITABLE)
    limits = service["deploy"]["resources"]["limits"]
    assert limits.keys() == {"cpus", "memory"}
    assert name in OURS or re.search(r":v?\d+\.\d+", service["image"])
    for port in service.get("ports", ()):
        assert port.startswith("127.0.0.1:")
    secret = {each for each in str(service.get("environment", {})).split() if "password" in each.lower()}
    assert all("/run/secrets/" in each or "FILE" in each for each in secret)


def test_what_is_waited_for_can_tell_its_health() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    for service in SERVICES.values():
        waits = service.get("depends_on", {})
        for other, how in waits.items() if isinstance(waits, dict) else ():
            if how["condition"] == "service_healthy":
                told = SERVICES[other]
                assert "healthcheck" in told or f"AS {told['build']['target']}\n" in dockerfile
            elif how["condition"] == "service_completed_successfully":
                assert SERVICES[other]["restart"] == "no"


def test_targets_exist_and_images_are_named_after_them() -> None:
    targets = set(re.findall(r"^FROM base AS (\w+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    assert {SERVICES[name]["build"]["target"] for name in OURS} == targets
    for name in OURS:
        assert SERVICES[name]["image"] == f"stockcast-{SERVICES[name]['build']['target']}"


def test_secrets_are_files_that_one_command_makes_and_never_makes_anew(tmp_path: Path) -> None:
    shutil.copytree(DEPLOY / "secrets", tmp_path / "secrets", ignore=lambda *_: ())
    shutil.copy(DEPLOY / "make_secrets.sh", tmp_path)
    told = []
    for _ in range(2):
        subprocess.run(["sh", str(tmp_path / "make_secrets.sh")], check=True, timeout=30)
        told.append({each.name: each.read_text() for each in (tmp_path / "secrets").iterdir()})
    assert told[0] == told[1]
    wanted = {Path(each["file"]).name for each in COMPOSE["secrets"].values()}
    assert wanted == told[0].keys() - {".gitignore"}
    used = {each for service in SERVICES.values() for each in service.get("secrets", ())}
    assert used == COMPOSE["secrets"].keys()
    assert told[0]["postgres_password"] in told[0]["stockcast_database_url"]
    assert len(told[0]["stockcast_api_keys"]) >= 32
    assert (DEPLOY / "secrets" / ".gitignore").read_text().startswith("*\n")


def test_nginx_is_told_every_name_of_its_template() -> None:
    told = SERVICES["nginx"]["environment"]
    assert told.keys() - NAMES == {"NGINX_ENVSUBST_OUTPUT_DIR"}
    assert told.keys() >= NAMES
    for name in ("API_ONE", "API_TWO", "DASHBOARD"):
        assert told[name].partition(":")[0] in SERVICES


def test_what_prometheus_and_grafana_ask_is_there() -> None:
    told = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    asked = {
        target.partition(":")[0]
        for job in (*told["scrape_configs"], *told["alerting"]["alertmanagers"])
        for each in job["static_configs"]
        for target in each["targets"]
    }
    assert asked <= SERVICES.keys()
    files = DEPLOY / "grafana" / "provisioning" / "datasources" / "sources.yml"
    for source in yaml.safe_load(files.read_text())["datasources"]:
        assert re.match(r"http://(\w+):", source["url"])[1] in SERVICES  # type: ignore[index]
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            place = volume.partition(":")[0]
            assert place in COMPOSE["volumes"] or place.startswith("/var/lib/docker") or (ROOT / place).exists(), (
                name
            )
