"""The images: what goes into them, and that the API needs no more than its own list of packages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pick_requirements
import pytest
from api_serving import WINDOW
from nginx_process import free_port
from real_programs import program

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
# Serves the API as if no other package than those of a list were installed.
ONLY_LISTED = """
import importlib.abc, importlib.metadata, re, sys
def plain(name):
    return re.sub(r"[-_.]+", "-", name.strip()).lower()

names = {plain(line.partition("==")[0]) for line in open(sys.argv[1])} | {"stockcast"}
owned = importlib.metadata.packages_distributions().items()
absent = {module for module, owners in owned if names.isdisjoint(map(plain, owners))}

class Bare(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if path is None and name in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

assert "torch" in absent and "streamlit" in absent
sys.meta_path.insert(0, Bare())
from stockcast.api.serve import main
main("127.0.0.1", int(sys.argv[2]))
"""


def test_the_dockerfile_is_clean() -> None:
    done = subprocess.run(
        [program("hadolint"), str(ROOT / "Dockerfile")], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("image", list(pick_requirements.IMAGES))
def test_the_packages_of_an_image_are_what_its_code_needs_at_our_pins(image: str) -> None:
    wanted = pick_requirements.text_of(image)
    assert pick_requirements.path_of(image).read_text() == wanted, "run deploy/images/pick_requirements.py"


def test_what_stands_beside_our_pins_is_what_the_tests_run_with() -> None:
    tested = set((ROOT / "requirements-dev.txt").read_text().splitlines())
    assert {line for lines in pick_requirements.BESIDE.values() for line in lines} <= tested


def test_the_api_has_no_torch_and_nothing_that_only_learning_or_looking_needs() -> None:
    lines = pick_requirements.text_of("api").lower().splitlines()
    names = {line.partition("==")[0] for line in lines}
    assert names.isdisjoint(
        {
            "torch",
            "pytorch-lightning",
            "streamlit",
            "plotly",
            "pyarrow",
            "scikit-learn",
            "mlflow",
            "matplotlib",
            "arch",
            "optuna",
        }
    )


def test_each_target_is_nobody_and_checks_its_health() -> None:
    base, *targets = re.split(r"^FROM base AS ", DOCKERFILE, flags=re.MULTILINE)
    assert "\nUSER 10001:10001\n" in base
    assert {each.partition("\n")[0] for each in targets} == {"api", "mlflow", "worker", "dashboard"}
    for each in targets:
        assert each.count("\nHEALTHCHECK ") == 1
        assert "\nUSER" not in each
        assert "\nRUN" not in each


def test_what_is_copied_is_not_ignored() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = set(re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.MULTILINE)) - {"."}
    assert "deploy/images/requirements-*.txt" in let_in
    assert {each for each in copied if not each.startswith("deploy/images/requirements-")} <= let_in


def test_the_api_starts_forecasts_and_queues_a_training_with_the_packages_of_its_image_alone(
    home: Path, tmp_path: Path
) -> None:
    port = free_port()
    script = tmp_path / "only_listed.py"
    script.write_text(ONLY_LISTED)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("STOCKCAST_")},
        "STOCKCAST_HOME": str(home), "STOCKCAST_API_LOOK": "0", "STOCKCAST_BROKER_URL": "redis://127.0.0.1:1/0",
        "STOCKCAST_OTLP_ENDPOINT": "http://127.0.0.1:1",
    }  # fmt: skip
    with open(tmp_path / "api.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(script), str(pick_requirements.path_of("api")), str(port)],
            env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
            give_up = time.monotonic() + 60
            while not _answers(client):
                assert process.poll() is None, (tmp_path / "api.log").read_text()[-2000:]
                assert time.monotonic() < give_up
                time.sleep(0.1)
            assert client.post("/predict", json={"last_prices": WINDOW, "ticker": "AAPL"}).status_code == 200
            assert client.get("/config").status_code == 200
            assert client.get("/metrics").status_code == 200
            queued = client.post("/train", json={"hyperparameters": {"num_epochs": 2}})
            assert queued.status_code == 202, (tmp_path / "api.log").read_text()[-2000:]
            assert client.get(f"/jobs/{queued.json()['job_id']}").json()["state"] == "queued"
    finally:
        process.kill()
        process.wait()


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health/ready").status_code == 200
    except httpx.HTTPError:
        return False
