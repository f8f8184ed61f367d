"""The manifests: valid to the letter, as strict as they say, and about what the processes really have."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from real_programs import DEPLOY, program
from sqlalchemy import text

from stockcast.api.api_metrics import FAMILIES
from stockcast.api.http_application import make_api
from stockcast.api.server_state import ServerState
from stockcast.database import Database
from stockcast.jobs.job_table import JobTable
from stockcast.settings import Settings

HERE = DEPLOY / "kubernetes"
SCHEMAS = Path(__file__).parent / "schemas"
OURS = json.loads((SCHEMAS / "keda.json").read_text()) | json.loads((SCHEMAS / "gateway.json").read_text())
NO_MANIFESTS = {"kustomization.yaml", "prometheus-adapter.yaml", "images-of-scaled-jobs.yaml"}
Manifest = dict[str, Any]


def manifests(*folders: str) -> list[Manifest]:
    """Every document of some folders."""
    files = sorted(path for folder in folders for path in (HERE / folder).rglob("*.yaml"))
    return [
        each for path in files if path.name not in NO_MANIFESTS for each in yaml.safe_load_all(path.read_text())
    ]


EVERY = manifests("base", "components")


def name_of(manifest: Manifest) -> str:
    """How a test names one."""
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def check(manifest: Manifest) -> None:
    """Raises where a manifest breaks its schema, or has a field that is none."""
    kind = manifest["kind"]
    if kind not in OURS:
        kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)
        return
    assert manifest.keys() == {"apiVersion", "kind", "metadata", "spec"}
    jsonschema.validate(manifest["spec"], OURS[kind])
    if kind == "ScaledJob":
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}}
        check(job | {"spec": manifest["spec"]["jobTargetRef"]})


def pods() -> Iterator[tuple[str, Manifest]]:
    """What each of them starts."""
    for each in EVERY:
        spec = each.get("spec", {})
        template = spec.get("jobTargetRef", spec).get("template")
        if template:
            yield name_of(each), template


@pytest.mark.parametrize("manifest", EVERY, ids=name_of)
def test_a_manifest_is_valid_to_the_letter(manifest: Manifest) -> None:
    check(manifest)


@pytest.mark.parametrize("kind", ["Deployment", "ScaledJob", "HTTPRoute"])
def test_a_field_that_is_none_would_be_found(kind: str) -> None:
    manifest = json.loads(json.dumps(next(each for each in EVERY if each["kind"] == kind)))
    manifest["spec"]["replicaz"] = 3
    with pytest.raises((jsonschema.ValidationError, kubernetes_validate.ValidationError)):
        check(manifest)


@pytest.mark.parametrize(("name", "template"), list(pods()), ids=[name for name, _ in pods()])
def test_a_pod_meets_the_restricted_standard_and_knows_its_memory(name: str, template: Manifest) -> None:
    spec = template["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in spec["containers"]:
        allowed = container["securityContext"]
        assert allowed == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert "memory" in container["resources"]["limits"]
        mounted = {each["name"] for each in container["volumeMounts"]}
        assert mounted == {each["name"] for each in spec["volumes"]}
        if name.startswith("Deployment"):
            assert "livenessProbe" in container


def test_services_budgets_and_policies_mean_pods_that_are_there() -> None:
    labels = {template["metadata"]["labels"]["app.kubernetes.io/name"] for _, template in pods()}
    meant: set[str] = set()
    for each in EVERY:
        spec = each.get("spec", {})
        selector = spec.get("podSelector", spec.get("selector")) or {}
        meant |= set(selector.get("matchLabels", selector).values() if "matchExpressions" not in selector else ())
        for asked in selector.get("matchExpressions", ()):
            meant |= set(asked["values"])
    assert meant - {None} == labels


def test_probes_and_routes_are_those_that_the_api_has(tmp_path: Path) -> None:
    paths = set(make_api(ServerState(Settings(home=tmp_path))).openapi()["paths"])
    api = next(template for name, template in pods() if name == "Deployment api")["spec"]["containers"][0]
    assert {api[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")} <= paths
    routes = next(each for each in EVERY if name_of(each) == "HTTPRoute api")["spec"]["rules"]
    open_there = {match["path"]["value"] for rule in routes for match in rule["matches"]}
    ingress = next(each for each in EVERY if each["kind"] == "Ingress")["spec"]["rules"][1]
    assert {each["path"] for each in ingress["http"]["paths"]} == open_there
    closed = {
        path for path in paths if not any(path == each or path.startswith(f"{each}/") for each in open_there)
    }
    assert closed == {"/", "/metrics"}


def test_what_scales_looks_at_what_we_tell(database: Database) -> None:
    scaler = next(each for each in EVERY if each["kind"] == "HorizontalPodAutoscaler")
    asked = {metric["pods"]["metric"]["name"] for metric in scaler["spec"]["metrics"] if metric["type"] == "Pods"}
    assert asked <= FAMILIES.keys()
    adapter = yaml.safe_load((HERE / "prometheus-adapter.yaml").read_text())
    assert all(name in adapter["rules"]["custom"][0]["seriesQuery"] for name in asked)
    trigger = next(each for each in EVERY if each["kind"] == "ScaledJob")["spec"]["triggers"][0]
    table = JobTable(database)
    table.submit("train", "default", {})
    table.submit("fetch", "default", {})
    with database.read() as connection:
        assert connection.execute(text(trigger["metadata"]["query"])).scalar() == 1


def test_the_example_is_made_whole_and_every_image_comes_from_its_registry() -> None:
    done = subprocess.run(
        [program("kubectl"), "kustomize", str(HERE / "overlays" / "example")],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = list(yaml.safe_load_all(done.stdout))
    for manifest in made:
        check(manifest)
        assert manifest["kind"] == "Namespace" or manifest["metadata"]["namespace"] == "stockcast"
    images = [line.partition("image: ")[2] for line in done.stdout.splitlines() if "image: " in line]
    assert len(images) == len(list(pods()))
    assert all(image.startswith("registry.example.org/stockcast-") for image in images)


def test_the_job_upgrades_without_a_backup_only_when_the_overlay_says_so(tmp_path: Path) -> None:
    shutil.copytree(HERE, tmp_path / "kubernetes")
    overlay = tmp_path / "kubernetes" / "overlays" / "example"
    command = [program("kubectl"), "kustomize", str(overlay)]

    def arguments() -> list[str]:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        job = next(each for each in yaml.safe_load_all(done.stdout) if each["metadata"]["name"] == "migrate")
        found: list[str] = job["spec"]["template"]["spec"]["containers"][0]["args"]
        return found

    assert arguments() == ["stockcast", "db", "upgrade"]
    file = overlay / "kustomization.yaml"
    kept, patch = file.read_text().split("  # - target: {kind: Job", 1)
    file.write_text(f"{kept}  - target: {{kind: Job{patch.replace('  # ', '  ')}")
    assert arguments() == ["stockcast", "db", "upgrade", "--no-backup"]
