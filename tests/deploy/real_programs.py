"""Where the deployment's files and the real programs are: without one a test is skipped, and fails in CI."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"


def program(name: str) -> str:
    """Path of a program, or the test is skipped; in CI its absence is a failure."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:{Path(sys.executable).parent}")
    if found is None:
        told = f"{name} is not installed"
        if os.environ.get("CI"):
            pytest.fail(f"{told}, and CI must not skip")
        pytest.skip(told)
    return found
