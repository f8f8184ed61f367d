"""A home that was prepared once with the commands themselves, and a way to run commands in this process."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from stockcast.cli.application import main

QUICK = ("--set", "training.max_epochs=2", "--set", "network.hidden_size=8")


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


def run_main(arguments: tuple[object, ...]) -> int:
    """Runs `stockcast ARGUMENTS` and returns its exit code."""
    before = sys.argv
    sys.argv = ["stockcast", *map(str, arguments)]
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        sys.argv = before
    return 0


@pytest.fixture(scope="session")
def trained_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled sample, an EWMA champion and one short training of AAPL and IBM."""
    home = tmp_path_factory.mktemp("trained") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STOCKCAST_HOME", str(home))
        patch.delenv("STOCKCAST_MLFLOW_UI_URL", raising=False)
        assert run_main(("prices", "sample")) == 0
        assert run_main(("train", "--ticker", "AAPL", "--ticker", "IBM", *QUICK, "--foreground", "--json")) == 0
    return home


@pytest.fixture
def stockcast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command over a fresh home."""
    monkeypatch.setenv("STOCKCAST_HOME", str(tmp_path / "home"))

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = run_main(arguments)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def trained(stockcast: Run, trained_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command over a copy of the prepared home; MLflow still finds the artifacts of the original."""
    shutil.copytree(trained_home, tmp_path / "copy")
    monkeypatch.setenv("STOCKCAST_HOME", str(tmp_path / "copy"))
    return stockcast
