"""Homes that were prepared once with real sample prices, and a way to open pages over a copy of one."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from page_reading import OpenPage
from played_record import play
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from stockcast.config import DEFAULT_UNIVERSE, Config
from stockcast.jobs.local_runner import LocalRunner
from stockcast.prices.store import StoredHistory
from stockcast.settings import Settings
from stockcast.ui import first_window
from stockcast.workflows.forecast import Answer
from stockcast.workspace import Workspace

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session", autouse=True)
def components_are_looked_for_once() -> Iterator[None]:
    """AppTest reads the papers of every installed package at each new app; a server does so once."""
    with pytest.MonkeyPatch.context() as patch:
        found = functools.cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", found)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_browser_needs_a_moment() -> Iterator[None]:
    """AppTest draws nothing; the tests in a browser have a server of their own, which waits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(first_window, "MOMENT", 0)
        yield


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled sample with its baseline champion."""
    home = tmp_path_factory.mktemp("sample") / "home"
    workspace = Workspace(Settings(home=home))
    workspace.ingest_sample()
    workspace.champion(DEFAULT_UNIVERSE)
    workspace.database.close()
    return home


@pytest.fixture(scope="session")
def trained_sample_home(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after a short training as a job, done in this process."""
    home = tmp_path_factory.mktemp("trained_sample") / "home"
    shutil.copytree(sample_home, home)
    workspace = Workspace(Settings(home=home, threads=1))
    quick = Config().with_overrides(["training.max_epochs=2", "network.hidden_size=8", "training.accelerator=cpu"])
    workspace.configs.save(DEFAULT_UNIVERSE, quick, "A network that trains in a second", workspace.clock())
    job = workspace.desk.train_here(DEFAULT_UNIVERSE, ["AAPL", "IBM"], None, [], lambda _text: None)
    assert job.state == "succeeded", job.error
    workspace.database.close()
    return home


@pytest.fixture(scope="session")
def played_home(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample after its champion has spoken about two tickers on 30 evenings, the last one still open."""
    home = tmp_path_factory.mktemp("played") / "home"
    shutil.copytree(sample_home, home)
    workspace = Workspace(Settings(home=home))
    play(workspace, ("AAPL", "IBM"), date(2013, 1, 17))
    workspace.database.close()
    return home


@pytest.fixture
def use_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path | None], Workspace]:
    """Puts a copy of a prepared home, or a fresh one, where the pages look for it."""

    def use(prepared: Path | None) -> Workspace:
        home = tmp_path / "home"
        if prepared is not None:
            shutil.copytree(prepared, home)
        monkeypatch.setenv("STOCKCAST_HOME", str(home))
        monkeypatch.delenv("STOCKCAST_MLFLOW_UI_URL", raising=False)
        return Workspace(Settings(home=home))

    return use


@pytest.fixture
def sample(use_home: Callable[[Path | None], Workspace], sample_home: Path) -> Workspace:
    """A Workspace over the sample; the pages look at the same home."""
    return use_home(sample_home)


@pytest.fixture
def trained_sample(use_home: Callable[[Path | None], Workspace], trained_sample_home: Path) -> Workspace:
    """A Workspace over the sample after a training; the pages look at the same home."""
    return use_home(trained_sample_home)


@pytest.fixture
def played(use_home: Callable[[Path | None], Workspace], played_home: Path) -> Workspace:
    """A Workspace with a live record; the pages look at the same home."""
    return use_home(played_home)


@pytest.fixture
def empty(use_home: Callable[[Path | None], Workspace]) -> Workspace:
    """A Workspace in which nothing is stored; the pages look at the same home."""
    return use_home(None)


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker is started: what is asked for stays queued."""
    monkeypatch.setattr(LocalRunner, "wake", lambda _self: None)


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> OpenPage:
    """Opens a page through app.py: open_page("forecast", ticker="IBM").

    A server leaves Streamlit's old way of running `pages/` for good at its first visit; AppTest begins in it at
    every run, which would swallow clicks. So it is held where a server is.
    """
    begin = PagesManager.__init__

    def begun(self: PagesManager, *arguments: object, **named: object) -> None:
        begin(self, *arguments, **named)  # type: ignore[arg-type]
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", begun)

    def open_page(name: str, **query: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        return app if name == "overview" else app.switch_page(f"pages/{name}.py").run()

    return open_page


@pytest.fixture(scope="session")
def aapl_answer(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Answer:
    """What the baseline expects of AAPL, as a page gets it."""
    home = tmp_path_factory.mktemp("answer") / "home"
    shutil.copytree(sample_home, home)
    return Workspace(Settings(home=home)).forecast("AAPL", DEFAULT_UNIVERSE, "page")


@pytest.fixture(scope="session")
def sample_history(sample_home: Path) -> StoredHistory:
    """The stored history of AAPL."""
    return Workspace(Settings(home=sample_home)).prices.history("AAPL")
