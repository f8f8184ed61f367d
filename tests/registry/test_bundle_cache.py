"""Bundles from the registry: fetched once, verified at every load, refused when the original is damaged."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from stockcast.errors import CorruptBundle
from stockcast.forecasting import bundle as bundle_module
from stockcast.forecasting.bundle import MANIFEST_FILE, Bundle
from stockcast.forecasting.unpack import unpack
from stockcast.registry.bundles import Bundles
from stockcast.registry.tracking_server import TrackingServer
from stockcast.registry.versions import ModelVersion

Register = Callable[..., ModelVersion]


@pytest.fixture
def bundles(server: TrackingServer, tmp_path: Path) -> Bundles:
    return Bundles(server, tmp_path / "cache")


def original(server: TrackingServer, version: ModelVersion) -> Path:
    assert server.artifacts is not None
    [folder] = server.artifacts.rglob(f"{version.run_id}/artifacts/bundle")
    return folder


def cached(bundles: Bundles, version: ModelVersion) -> Path:
    return bundles.cache / version.name / version.run_id


def test_a_bundle_comes_back_as_it_was_registered(bundles: Bundles, register: Register) -> None:
    one, two = register(0.8), register(0.9)
    assert [unpack(bundles.load(version)).state().parameters["scales"] for version in (one, two)] == [[0.8], [0.9]]


def test_the_second_load_needs_no_server(bundles: Bundles, register: Register, server: TrackingServer) -> None:
    version = register()
    first = bundles.load(version)
    shutil.rmtree(original(server, version))
    assert bundles.load(version).manifest == first.manifest
    assert [entry.name for entry in cached(bundles, version).parent.iterdir()] == [version.run_id]


@pytest.mark.parametrize("damage", ["truncated", "deleted", "a file in its place"])
def test_a_damaged_copy_is_fetched_anew(bundles: Bundles, register: Register, damage: str) -> None:
    version = register()
    whole = bundles.load(version)
    manifest = cached(bundles, version) / MANIFEST_FILE
    if damage == "truncated":
        manifest.write_bytes(manifest.read_bytes()[:-9])
    elif damage == "deleted":
        manifest.unlink()
    else:
        shutil.rmtree(manifest.parent)
        manifest.parent.write_text("in the way")
    assert bundles.load(version).manifest == whole.manifest


def test_a_damaged_original_is_refused_and_not_cached(
    bundles: Bundles, register: Register, server: TrackingServer
) -> None:
    version = register()
    manifest = original(server, version) / MANIFEST_FILE
    manifest.write_text(manifest.read_text().replace("0.8", "0.1"))
    for _ in range(2):
        with pytest.raises(CorruptBundle, match="was changed"):
            bundles.load(version)
    assert not cached(bundles, version).exists()


def test_a_missing_original_is_told(bundles: Bundles, register: Register, server: TrackingServer) -> None:
    version = register()
    shutil.rmtree(original(server, version))
    with pytest.raises(CorruptBundle, match="of ewma v1 is not in MLflow's store any more") as refused:
        bundles.load(version)
    assert "Promote another version" in refused.value.hint


def test_many_threads_may_load_a_new_version_at_once(bundles: Bundles, register: Register) -> None:
    version = register()
    barrier, loaded, problems = threading.Barrier(6), [], []

    def load() -> None:
        barrier.wait()
        try:
            loaded.append(bundles.load(version))
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=load) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(loaded) == 6
    assert [entry.name for entry in cached(bundles, version).parent.iterdir()] == [version.run_id]


def test_a_bundle_that_somebody_cached_meanwhile_is_no_failure(
    bundles: Bundles, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = register()
    fetch = bundles._fetch

    def fetch_while_another_process_does_too(wanted: ModelVersion) -> Bundle:
        found = fetch(wanted)
        bundle_module.write_bundle(found, cached(bundles, version))
        return found

    monkeypatch.setattr(bundles, "_fetch", fetch_while_another_process_does_too)
    assert bundles.load(version).manifest.kind == "ewma"


def test_a_full_disk_costs_the_copy_and_not_the_forecast(
    bundles: Bundles, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = register()

    def disk_full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", disk_full)
    assert bundles.load(version).manifest.kind == "ewma"
