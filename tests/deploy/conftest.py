"""A home that serves: stored prices, a champion in the cache and its note."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from api_serving import crown, settings_of, version_of

from stockcast.database import Database
from stockcast.prices.frame import PriceFrame
from stockcast.prices.source import FetchedPrices, PriceReport
from stockcast.prices.store import PriceStore

# Scripts beside what they make are no part of the package.
sys.path.insert(0, str(Path(__file__).parents[2] / "deploy" / "images"))


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
