"""The model bundle: a folder that holds all that a forecaster is, and proof that it is whole.

    manifest.json          what it is, what it learnt from, how it scored, sha256 of each file and of itself
    model.onnx             networks only: the graph that is served
    weights.safetensors    networks only: the weights to train on from

Plain JSON, ONNX and safetensors: reading a bundle executes nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from stockcast.errors import CorruptBundle
from stockcast.forecasting.forecaster import Forecaster

MANIFEST_FILE = "manifest.json"
LIBRARIES = ("stockcast", "numpy", "onnxruntime")
LARGEST_FILE = 256 * 1024 * 1024  # bytes; ours are below one MiB
_FILE_NAME = re.compile(r"[a-z0-9_]+\.[a-z0-9]+")  # no folder, no blank, nothing that leads elsewhere


class FileEntry(BaseModel):
    """One file of the bundle."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    size: int


class Manifest(BaseModel):
    """What manifest.json holds. `checksum` is the sha256 of all the rest."""

    # An infinite figure must come back as it was, or the manifest would not match its own checksum.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    schema_version: Literal[1] = 1
    kind: str
    parameters: dict[str, JsonValue]
    trained_until: date | None
    tickers: tuple[str, ...]
    config: dict[str, JsonValue]
    data_fingerprint: str
    drift_reference: dict[str, JsonValue] | None
    scorecard: dict[str, JsonValue] | None
    libraries: dict[str, str]
    files: dict[str, FileEntry]
    checksum: str = ""


@dataclass(frozen=True, eq=False)
class Bundle:
    """A verified bundle in memory."""

    manifest: Manifest
    files: Mapping[str, bytes]


def pack(
    forecaster: Forecaster,
    *,
    tickers: tuple[str, ...],
    config: dict[str, JsonValue],
    data_fingerprint: str,
    drift_reference: dict[str, JsonValue] | None,
    scorecard: dict[str, JsonValue] | None,
) -> Bundle:
    """A bundle of a forecaster and of what is known about it."""
    state = forecaster.state()
    unsigned = Manifest(
        kind=state.kind,
        parameters=dict(state.parameters),
        trained_until=forecaster.trained_until,
        tickers=tickers,
        config=config,
        data_fingerprint=data_fingerprint,
        drift_reference=drift_reference,
        scorecard=scorecard,
        libraries={name: version(name) for name in LIBRARIES},
        files={
            name: FileEntry(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
            for name, content in state.files.items()
        },
    )
    return Bundle(unsigned.model_copy(update={"checksum": _checksum(unsigned)}), dict(state.files))


def write_bundle(bundle: Bundle, folder: Path) -> None:
    """Writes a bundle whole or not at all: to a temporary name, fsynced, renamed, read again and verified."""
    temporary = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.tmp")
    temporary.mkdir(parents=True)
    try:
        contents = {MANIFEST_FILE: bundle.manifest.model_dump_json(indent=2).encode(), **bundle.files}
        for name, content in contents.items():
            with open(temporary / name, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        _sync_folder(temporary)
        os.replace(temporary, folder)
        _sync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    read_bundle(folder)


def read_bundle(folder: Path) -> Bundle:
    """Reads and verifies a bundle. Raises CorruptBundle when anything is missing, changed or not known."""
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST_FILE).read_bytes())
    except OSError as problem:
        raise _corrupt(f"{MANIFEST_FILE} cannot be read ({problem.strerror})") from problem
    except ValidationError as problem:
        first = problem.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or MANIFEST_FILE
        raise _corrupt(f"{MANIFEST_FILE} is not valid ({field}: {first['msg']})") from problem
    if manifest.checksum != _checksum(manifest):
        raise _corrupt(f"{MANIFEST_FILE} was changed after it was written")
    return Bundle(manifest, {name: _read_file(folder, name, entry) for name, entry in manifest.files.items()})


def _read_file(folder: Path, name: str, entry: FileEntry) -> bytes:
    if not _FILE_NAME.fullmatch(name) or entry.size > LARGEST_FILE:
        raise _corrupt(f"{MANIFEST_FILE} names a file that no bundle of ours has")
    try:
        content = (folder / name).read_bytes()
    except OSError as problem:
        raise _corrupt(f"{name} cannot be read ({problem.strerror})") from problem
    if len(content) != entry.size or hashlib.sha256(content).hexdigest() != entry.sha256:
        raise _corrupt(f"{name} does not match its hash")
    return content


def _corrupt(what: str) -> CorruptBundle:
    return CorruptBundle(
        f"The model bundle is damaged: {what}.", "Roll back to an earlier version or train again."
    )


def _checksum(manifest: Manifest) -> str:
    data = manifest.model_dump(mode="json", exclude={"checksum"})
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
