"""One real MLflow on SQLite for all tests of the registry; each test has a universe of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from stockcast.forecasting.bundle import pack, write_bundle
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.registry.runs import Runs
from stockcast.registry.tracking_server import TrackingServer
from stockcast.registry.versions import ModelVersion, Versions


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> TrackingServer:
    home = tmp_path_factory.mktemp("mlflow")
    return TrackingServer(f"sqlite:///{home / 'mlflow.db'}", home / "artifacts")


@pytest.fixture
def universe(request: pytest.FixtureRequest) -> str:
    """A name that no other test uses."""
    return f"u{abs(hash(request.node.nodeid)):x}"


@pytest.fixture
def register(server: TrackingServer, universe: str, tmp_path: Path) -> Callable[..., ModelVersion]:
    """Registers an EWMA forecaster whose first scale is the argument: register(0.8, kind="ewma")."""

    def make(scale: float = 0.8, kind: str = "ewma") -> ModelVersion:
        forecaster = EwmaForecaster(scales=(scale,), dfs=(5.0,), trained_until=date(2020, 1, 2))
        runs = Runs(server)
        with runs.recording(universe, f"scale {scale}", {"scale": scale}, {"tickers": "AAPL,IBM"}) as run:
            folder = tmp_path / run / "bundle"
            bundle = pack(
                forecaster,
                tickers=("AAPL", "IBM"),
                config={},
                data_fingerprint="f",
                drift_reference=None,
                scorecard=None,
            )
            write_bundle(bundle, folder)
            runs.log_folder(run, folder, "bundle")
            return Versions(server).register(universe, run, kind, date(2020, 1, 2), ("AAPL", "IBM"))

    return make
