"""A home that serves, and the real programs: without them a test is skipped, and fails in CI."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from api_serving import crown, settings_of, version_of

from stockcast.database import Database
from stockcast.prices.frame import PriceFrame
from stockcast.prices.source import FetchedPrices, PriceReport
from stockcast.prices.store import PriceStore

DEPLOY = Path(__file__).parents[2] / "deploy"
sys.path.insert(0, str(DEPLOY / "images"))


@pytest.fixture(scope="session")
def home_to_copy(tmp_path_factory: pytest.TempPathFactory, sample_frames: tuple[PriceFrame, ...]) -> Path:
    """Three stored histories and an EWMA champion with a drift reference."""
    home = tmp_path_factory.mktemp("deployed") / "home"
    settings = settings_of(home)
    database = Database(settings.database)
    store = PriceStore(database)
    for frame in sample_frames:
        store.save(FetchedPrices(frame, PriceReport(len(frame))))
    database.close()
    crown(settings, version_of(1), frames=sample_frames)
    return home


@pytest.fixture
def home(home_to_copy: Path, tmp_path: Path) -> Path:
    """A copy for one test."""
    return Path(shutil.copytree(home_to_copy, tmp_path / "home"))


def program(name: str) -> str:
    """Path of a program, or the test is skipped; in CI its absence is a failure."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:{Path(sys.executable).parent}")
    if found is None:
        told = f"{name} is not installed"
        if os.environ.get("CI"):
            pytest.fail(f"{told}, and CI must not skip")
        pytest.skip(told)
    return found
