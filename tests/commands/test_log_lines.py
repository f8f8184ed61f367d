"""The log as a shipper reads it: JSON lines on stderr, and nothing of them on stdout."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def test_a_split_in_a_window_is_one_line_on_stderr_with_all_that_a_shipper_needs(
    trained: Run, tmp_path: Path
) -> None:
    closes = [20 * math.exp(0.02 * math.sin(7.3 * i * i)) / (1 if i < 45 else 2) for i in range(60)]
    window = tmp_path / "window.csv"
    window.write_text("\n".join(f"{close:.4f}" for close in closes))
    ended = subprocess.run(
        [sys.executable, "-m", "stockcast", "forecast", "--window", window, "--ticker", "XOM", "--json"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    shown = json.loads(ended.stdout)
    [event] = map(json.loads, ended.stderr.splitlines())
    assert (event["event"], event["level"]) == ("drift_detected", "warning")
    assert (event["universe"], event["ticker"], event["face"], event["cutoff"]) == ("default", "XOM", "cli", None)
    assert (event["severity"], event["layers"][0], event["layer"]) == ("red", "integrity", "integrity")
    assert event["measure"] in event["measures"]
    assert isinstance(event["value"], float)
    assert isinstance(event["threshold"], float)
    assert event["sentence"] in [finding["sentence"] for finding in shown["drift"]["findings"]]
    assert "split" in event["sentence"]
    assert event["journal_id"] == shown["journal_id"]
    assert event["run_id"] == shown["model"]["run_id"]
    assert (event["model"], event["model_version"]) == (shown["model"]["name"], shown["model"]["version"])
    assert len(event["fingerprint"]) == 64


def test_a_command_tells_warnings_alone_unless_more_is_asked_for(trained: Run, monkeypatch: Any) -> None:
    assert trained("forecast", "IBM").err == ""
    monkeypatch.setenv("STOCKCAST_LOG_LEVEL", "info")
    told = trained("forecast", "IBM")
    [event] = map(json.loads, told.err.splitlines())
    assert (event["event"], event["ticker"], event["cutoff"]) == ("forecast_issued", "IBM", "2013-03-01")
    assert event["severity"] in ("healthy", "info")
    assert event["from_store"] is True
    assert "forecast_issued" not in told.out
