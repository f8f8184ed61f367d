"""The bundle: whole or refused, and never half written under its final name."""

from __future__ import annotations

import builtins
import errno
import hashlib
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load as load_safetensors

from stockcast.errors import CorruptBundle
from stockcast.forecasting import bundle as bundle_module
from stockcast.forecasting.bundle import MANIFEST_FILE, Bundle, Manifest, pack, read_bundle, write_bundle
from stockcast.forecasting.context import context_of_closes
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.forecaster import Forecaster
from stockcast.forecasting.inputs import INPUTS
from stockcast.forecasting.linear import LinearForecaster, ScaleModel
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.network_forecaster import ONNX_FILE, WEIGHTS_FILE, NetworkForecaster
from stockcast.forecasting.unpack import unpack

KNOWN: dict[str, Any] = {
    "lookback": 60, "horizon": 5, "drift": 0.0, "location_share": 0.5, "inputs": list(INPUTS), "groups": []
}  # fmt: skip
FILES = [MANIFEST_FILE, ONNX_FILE, WEIGHTS_FILE]


def packed(forecaster: Forecaster) -> Bundle:
    return pack(
        forecaster,
        tickers=("AAPL", "IBM"),
        config={"windows": {"lookback": 60}},
        data_fingerprint="ab" * 32,
        drift_reference={"edges": [0.01, 0.02]},
        scorecard={"skill": 0.0123},
    )


@pytest.fixture(scope="module")
def folder(trained_lstm: NetworkForecaster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle on disk; tests put back what they change."""
    written = tmp_path_factory.mktemp("bundles") / "whole"
    write_bundle(packed(trained_lstm), written)
    return written


@pytest.fixture
def rewrite(folder: Path) -> Any:
    """Changes files of the bundle for one test."""
    original = {name: (folder / name).read_bytes() for name in FILES}

    def change(name: str, content: bytes | None) -> None:
        if content is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(content)

    yield change
    for name, content in original.items():
        (folder / name).write_bytes(content)


def signed(manifest: dict[str, Any]) -> bytes:
    """A manifest with the checksum that its content has, as a forger would write it."""
    rest = {key: value for key, value in manifest.items() if key != "checksum"}
    checksum = hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
    return json.dumps({**rest, "checksum": checksum}).encode()


def manifest_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / MANIFEST_FILE).read_bytes())  # type: ignore[no-any-return]


def test_a_bundle_holds_json_onnx_and_safetensors_and_nothing_else(
    folder: Path, trained_lstm: NetworkForecaster, tmp_path: Path
) -> None:
    assert sorted(file.name for file in folder.iterdir()) == sorted(FILES)
    assert load_safetensors((folder / WEIGHTS_FILE).read_bytes())
    assert (folder / ONNX_FILE).read_bytes() == trained_lstm.onnx
    write_bundle(packed(EwmaForecaster()), tmp_path / "baseline")
    assert [file.name for file in (tmp_path / "baseline").iterdir()] == [MANIFEST_FILE]


def test_what_was_packed_is_what_is_read(folder: Path, trained_lstm: NetworkForecaster) -> None:
    manifest = read_bundle(folder).manifest
    assert manifest == packed(trained_lstm).manifest
    assert manifest.tickers == ("AAPL", "IBM")
    assert manifest.scorecard == {"skill": 0.0123}
    assert set(manifest.libraries) == {"stockcast", "numpy", "onnxruntime"}
    assert signed(manifest_of(folder)) == json.dumps(manifest_of(folder)).encode(), "the checksum is documented"


@given(data=st.data())
def test_a_flipped_bit_anywhere_is_refused(folder: Path, data: st.DataObject) -> None:
    file = folder / data.draw(st.sampled_from(FILES))
    content = file.read_bytes()
    position = data.draw(st.integers(0, len(content) - 1))
    flipped = bytearray(content)
    flipped[position] ^= 1 << data.draw(st.integers(0, 7))
    try:
        file.write_bytes(flipped)
        with pytest.raises(CorruptBundle, match="damaged"):
            read_bundle(folder)
    finally:
        file.write_bytes(content)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.999])
def test_a_truncated_file_is_refused(folder: Path, rewrite: Any, name: str, kept: float) -> None:
    content = (folder / name).read_bytes()
    rewrite(name, content[: int(len(content) * kept)])
    with pytest.raises(CorruptBundle, match=name.replace(".", r"\.")) as refused:
        read_bundle(folder)
    assert refused.value.hint


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused(folder: Path, rewrite: Any, name: str) -> None:
    rewrite(name, None)
    with pytest.raises(CorruptBundle, match="No such file"):
        read_bundle(folder)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorruptBundle):
        read_bundle(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("scorecard", {"skill": 0.9}),
        ("trained_until", "1999-12-31"),
        ("tickers", []),
        ("parameters", {}),
        ("libraries", {}),
    ],
)
def test_a_manifest_that_was_edited_is_refused(folder: Path, rewrite: Any, field: str, value: object) -> None:
    rewrite(MANIFEST_FILE, json.dumps({**manifest_of(folder), field: value}).encode())
    with pytest.raises(CorruptBundle, match="was changed"):
        read_bundle(folder)


@pytest.mark.parametrize(
    "change",
    [{"schema_version": 2}, {"extra": 1}, {"kind": None}, {"trained_until": "yesterday"}, {"files": {"a": {}}}],
)
def test_a_manifest_of_another_schema_is_refused(folder: Path, rewrite: Any, change: dict[str, Any]) -> None:
    rewrite(MANIFEST_FILE, signed({**manifest_of(folder), **change}))
    with pytest.raises(CorruptBundle, match="is not valid"):
        read_bundle(folder)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": 1e999}'])
def test_a_manifest_that_is_no_manifest_is_refused(folder: Path, rewrite: Any, content: bytes) -> None:
    rewrite(MANIFEST_FILE, content)
    with pytest.raises(CorruptBundle, match="is not valid"):
        read_bundle(folder)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "sub/file", "..", ".", "", "a\x00b"])
def test_a_manifest_never_leads_outside_its_folder(folder: Path, rewrite: Any, name: str) -> None:
    secret = b"not yours"
    (folder.parent / "outside").write_bytes(secret)
    entry = {"sha256": hashlib.sha256(secret).hexdigest(), "size": len(secret)}
    rewrite(MANIFEST_FILE, signed({**manifest_of(folder), "files": {name: entry}}))
    with pytest.raises(CorruptBundle):
        read_bundle(folder)


def test_a_file_is_measured_before_it_is_read(folder: Path, rewrite: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_module, "LARGEST_FILE", 100)
    with pytest.raises(CorruptBundle, match="no bundle of ours"):
        read_bundle(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "oracle"},
        {"kind": "linear"},
        {"parameters": {}},
        {"parameters": {**KNOWN, "location_share": 7}},
        {"parameters": {**KNOWN, "inputs": ["tomorrow"]}},
        {"parameters": {**KNOWN, "inputs": list(reversed(INPUTS))}},
        {"parameters": {**KNOWN, "groups": ["news"]}},
        {"parameters": {**KNOWN, "lookback": 1}},
        {"parameters": {**KNOWN, "another": 1}},
        {"parameters": {**KNOWN, "adaptation": 0.01}},
        {"parameters": {**KNOWN, "adaptation": 0.01, "coverages": [0.5] * 94}},
        {"parameters": {**KNOWN, "adaptation": 0.9, "coverages": [0.5] * 95}},
        {"files": {}},
    ],
)
def test_what_this_version_does_not_know_is_not_unpacked(
    folder: Path, rewrite: Any, change: dict[str, Any]
) -> None:
    rewrite(MANIFEST_FILE, signed({**manifest_of(folder), **change}))
    with pytest.raises(CorruptBundle, match="cannot read") as refused:
        unpack(read_bundle(folder))
    assert "Update stockcast" in refused.value.hint


def test_what_this_version_knows_is_unpacked(folder: Path, rewrite: Any) -> None:
    for added in ({}, {"adaptation": 0.01, "coverages": [0.5] * 95}):
        rewrite(MANIFEST_FILE, signed({**manifest_of(folder), "parameters": {**KNOWN, **added}}))
        assert unpack(read_bundle(folder)).kind == "lstm"


@pytest.mark.parametrize(
    "changed",
    [{"weights": [0.0]}, {"intercepts": [0.0] * 19}, {"dfs": []}, {"inputs": []}, {"groups": ["news"]}],
)
def test_a_linear_model_of_another_shape_is_not_unpacked(changed: dict[str, Any]) -> None:
    shape = (4, 5)
    model = ScaleModel(np.zeros(shape), np.zeros((*shape, len(INPUTS))), np.full(shape, 5.0))
    whole = packed(LinearForecaster(model, ("range",)))
    assert unpack(whole).groups == ("range",)
    manifest = whole.manifest.model_copy(update={"parameters": {**whole.manifest.parameters, **changed}})
    with pytest.raises(CorruptBundle, match="cannot read a 'linear'"):
        unpack(Bundle(manifest, whole.files))


def test_a_graph_that_is_none_is_refused_when_it_has_to_speak(trained_lstm: NetworkForecaster) -> None:
    whole = packed(trained_lstm)
    broken = unpack(Bundle(whole.manifest, {**whole.files, ONNX_FILE: b"not a graph"}))
    with pytest.raises(CorruptBundle, match="cannot be loaded"):
        broken.forecast([context_of_closes(np.full(60, 10.0), 60)])


def test_figures_that_json_cannot_hold_do_not_make_a_bundle_that_cannot_be_read(tmp_path: Path) -> None:
    odd: dict[str, Any] = {"statistic": float("inf"), "share": float("nan")}
    bundle = pack(
        NaiveForecaster(), tickers=(), config={}, data_fingerprint="", drift_reference=None, scorecard=odd
    )
    write_bundle(bundle, tmp_path / "bundle")
    assert read_bundle(tmp_path / "bundle").manifest.kind == "naive"


def test_an_older_bundle_under_the_name_is_kept_when_another_is_written(folder: Path) -> None:
    before = read_bundle(folder).manifest
    with pytest.raises(OSError, match="not empty"):
        write_bundle(packed(EwmaForecaster()), folder)
    assert read_bundle(folder).manifest == before
    assert [entry.name for entry in folder.parent.iterdir() if entry.name.endswith(".tmp")] == []


class Steps:
    """Calls `stop` at the n-th step of a write: half of a file, an fsync, a rename, before and after."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, stop: Callable[[], None]) -> None:
        self.taken, self.at, self.stop = 0, at, stop
        for name in ("fsync", "replace"):
            monkeypatch.setattr(os, name, self._around(getattr(os, name)))
        monkeypatch.setattr(bundle_module, "open", self._open, raising=False)

    def step(self) -> None:
        self.taken += 1
        if self.taken == self.at:
            self.stop()

    def _around(self, original: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: Any) -> None:
            self.step()
            original(*arguments)
            self.step()

        return call

    def _open(self, path: Path, mode: str) -> Any:
        file = builtins.open(path, mode, buffering=0)  # noqa: SIM115  # Half closes it

        class Half:
            def __enter__(_self) -> Half:
                return _self

            def __exit__(_self, *_: object) -> None:
                file.close()

            def write(_self, content: bytes) -> None:
                file.write(content[: len(content) // 2])
                self.step()
                file.write(content[len(content) // 2 :])

            flush = file.flush
            fileno = file.fileno

        return Half()


def count_steps(monkeypatch: pytest.MonkeyPatch, bundle: Bundle, folder: Path) -> int:
    with monkeypatch.context() as patch:
        steps = Steps(patch, at=0, stop=lambda: None)
        write_bundle(bundle, folder)
    return steps.taken


def test_a_kill_at_any_step_leaves_no_half_bundle(
    trained_lstm: NetworkForecaster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = packed(trained_lstm)
    total = count_steps(monkeypatch, bundle, tmp_path / "counted")
    assert total >= 3 + 3 * 2 + 2 * 2 + 2, "three files, their fsyncs, two folders and the rename"
    whole = 0
    for at in range(1, total + 1):
        target = tmp_path / f"killed_{at}"
        child = os.fork()
        if child == 0:
            try:
                Steps(monkeypatch, at, stop=lambda: os.kill(os.getpid(), signal.SIGKILL))
                write_bundle(bundle, target)
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status)
        if target.exists():
            assert read_bundle(target).manifest == bundle.manifest
            whole += 1
        else:
            write_bundle(bundle, target)
    assert 0 < whole < total


def test_a_full_disk_at_any_step_is_told_and_leaves_nothing_behind(
    trained_lstm: NetworkForecaster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = packed(trained_lstm)
    total = count_steps(monkeypatch, bundle, tmp_path / "counted")

    def disk_full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for at in range(1, total + 1):
        home = tmp_path / f"full_{at}"
        with monkeypatch.context() as patch:
            Steps(patch, at, disk_full)
            with pytest.raises(OSError, match="No space left"):
                write_bundle(bundle, home / "bundle")
        left = [entry.name for entry in home.iterdir()]
        assert left in ([], ["bundle"])
        if left:
            assert read_bundle(home / "bundle").manifest == bundle.manifest


def test_the_manifest_schema_has_not_changed_without_a_new_number() -> None:
    assert sorted(Manifest.model_fields) == [
        "checksum", "config", "data_fingerprint", "drift_reference", "files", "kind", "libraries", "parameters",
        "schema_version", "scorecard", "tickers", "trained_until",
    ]  # fmt: skip
    assert Manifest.model_fields["schema_version"].default == 1
