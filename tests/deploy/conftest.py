"""A home that serves: stored prices, a champion in the cache and its note."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from api_serving import furnish

from stockcast.prices.frame import PriceFrame

# Scripts beside what they make are no part of the package.
sys.path.insert(0, str(Path(__file__).parents[2] / "deploy" / "images"))


@pytest.fixture(scope="session")
def home_to_copy(tmp_path_factory: pytest.TempPathFactory, sample_frames: tuple[PriceFrame, ...]) -> Path:
    """Three stored histories and an EWMA champion with a drift reference."""
    home = tmp_path_factory.mktemp("deployed") / "home"
    furnish(home, sample_frames)
    return home


@pytest.fixture
def home(home_to_copy: Path, tmp_path: Path) -> Path:
    """A copy for one test."""
    return Path(shutil.copytree(home_to_copy, tmp_path / "home"))
