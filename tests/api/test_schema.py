"""Schemathesis reads the OpenAPI document and asks what it allows and forbids: all as documented, no 5xx."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from api_serving import client_of, settings_of

from stockcast.api.champions import Champions
from stockcast.api.server_state import ServerState
from stockcast.registry.champion_notes import ChampionNotes
from stockcast.registry.versions import ModelVersion


def test_nothing_that_the_document_allows_or_forbids_is_a_5xx_or_answered_otherwise(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(self: Champions, universe: str) -> ModelVersion:  # MLflow has a test of its own
        found = ChampionNotes(settings_of(home).champion_notes).read("default")
        assert found is not None
        return found

    monkeypatch.setattr(Champions, "_ask", ask)
    monkeypatch.setattr("stockcast.jobs.local_runner.LocalRunner.wake", lambda self: None)
    with client_of(ServerState(settings_of(home))) as client:
        result = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")), "run", f"{client.base_url}/openapi.json",
                "--checks", "not_a_server_error,response_schema_conformance,content_type_conformance",
                "--phases", "examples,coverage,fuzzing", "--max-examples", "12", "--seed", "7",
                "--generation-database", "none", "--no-color",
            ],
            cwd=tmp_path, env={**os.environ, "COLUMNS": "120"}, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
