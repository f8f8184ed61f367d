"""Homes that serve: stored prices, a champion in the cache and its note; MLflow only where a test is about it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_serving import Served, ServingProcess, client_of, furnish, settings_of

from stockcast.api.server_state import ServerState
from stockcast.client.api_client import ApiClient
from stockcast.prices.frame import PriceFrame


@pytest.fixture(scope="session")
def home_of_sample(tmp_path_factory: pytest.TempPathFactory, sample_frames: tuple[PriceFrame, ...]) -> Path:
    """Three stored histories and an EWMA champion with a drift reference. Copy it; do not serve from it."""
    home = tmp_path_factory.mktemp("api") / "home"
    furnish(home, sample_frames)
    return home


@pytest.fixture
def home(home_of_sample: Path, tmp_path: Path) -> Path:
    """A copy for one test."""
    return Path(shutil.copytree(home_of_sample, tmp_path / "home"))


@pytest.fixture(scope="session")
def served(home_of_sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The API in this process, over a home that tests may write to but must not break."""
    home = Path(shutil.copytree(home_of_sample, tmp_path_factory.mktemp("served") / "home"))
    with client_of(ServerState(settings_of(home))) as client:
        yield client


@pytest.fixture(scope="session")
def serving(home_of_sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServingProcess]:
    """A real process over real HTTP, shared by tests that leave it as it is."""
    home = Path(shutil.copytree(home_of_sample, tmp_path_factory.mktemp("serving") / "home"))
    process = ServingProcess(home).wait()
    with ApiClient(process.address) as client:
        give_up = time.monotonic() + 60
        while client.sample_data().ticker is None:  # it answers before its database does
            assert time.monotonic() < give_up
            time.sleep(0.05)
    yield process
    assert process.stop() == 0


@pytest.fixture
def api(serving: ServingProcess) -> Iterator[ApiClient]:
    """The typed client of that process."""
    with ApiClient(serving.address) as client:
        yield client
