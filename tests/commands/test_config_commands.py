"""`stockcast config` and `stockcast universes`: files, versions, and lists of tickers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def show(stockcast: Run, *line: object) -> dict[str, dict[str, object]]:
    config: dict[str, dict[str, object]] = json.loads(stockcast("config", "show", *line, "--json").out)["config"]
    return config


def test_what_is_exported_is_imported_into_another_universe(stockcast: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    assert stockcast("config", "set", "windows.lookback=90", "schedule.cron=30 22 * * 1-5").code == 0
    assert stockcast("config", "export", "--out", file).code == 0
    assert stockcast("config", "export").out == file.read_text()
    assert stockcast("universes", "create", "banks").code == 0
    imported = stockcast("config", "import", file, "--universe", "banks", "--note", "like default", "--json")
    answer = json.loads(imported.out)
    assert (answer["universe"], answer["version"]) == ("banks", 2)
    assert answer["changes"] == [
        {"field": "windows.lookback", "before": "60", "after": "90"},
        {"field": "schedule.cron", "before": "none", "after": "30 22 * * 1-5"},
    ]
    assert show(stockcast, "--universe", "banks") == show(stockcast)
    newest, _created = json.loads(stockcast("config", "history", "--universe", "banks", "--json").out)
    assert newest["note"] == "like default"
    assert newest["author"].endswith("command line") or newest["author"].endswith("(command line)")


def test_a_preview_saves_nothing(stockcast: Run, tmp_path: Path) -> None:
    file = tmp_path / "part.yaml"
    file.write_text("windows:\n  lookback: 90\n")
    previewed = stockcast("config", "import", file, "--preview")
    assert previewed.code == 0
    assert "windows.lookback" in previewed.out
    assert json.loads(stockcast("config", "import", file, "--preview", "--json").out)["version"] == 0
    assert json.loads(stockcast("config", "history", "--json").out) == []
    assert stockcast("config", "import", file).out.endswith("Configuration of default is at version 1.\n")


def test_a_file_with_bad_fields_is_refused_with_every_line(stockcast: Run, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("windows:\n  lookback: 5\nnetwork:\n  layers: 9\n")
    refused = stockcast("config", "import", file)
    assert refused.code == 2
    assert "line 2, windows.lookback: " in refused.err
    assert "line 4, network.layers: " in refused.err
    assert json.loads(stockcast("config", "history", "--json").out) == []


def test_versions_are_compared_and_restored(stockcast: Run) -> None:
    for layers in (2, 3):
        stockcast("config", "set", f"network.layers={layers}")
    assert json.loads(stockcast("config", "diff", 0, 1, "--json").out)["changes"] == [
        {"field": "network.layers", "before": "1", "after": "2"}
    ]
    assert json.loads(stockcast("config", "diff", 1, "--json").out)["changes"][0]["after"] == "3"
    assert "version 3" in stockcast("config", "restore", 1).out
    assert show(stockcast)["network"]["layers"] == 2
    assert stockcast("config", "diff", 1, 3).out == "Nothing differs.\n"


def test_a_universe_is_created_listed_and_renamed(stockcast: Run) -> None:
    stockcast("config", "set", "network.layers=2", "schedule.cron=0 0 * * *")
    made = json.loads(
        stockcast(
            "universes", "create", "banks", "--tickers", "itub4.sa, BBDC4.SA,JPM", "--like", "default", "--json"
        ).out
    )
    assert made["tickers"] == ["ITUB4.SA", "BBDC4.SA", "JPM"]
    assert made["exchanges"] == ["BVMF", "XNYS"]
    assert (made["cron"], made["timezone"], len(made["next"])) == ("0 0 * * *", "UTC", 3)
    assert show(stockcast, "--universe", "banks")["network"]["layers"] == 2
    assert "money" in stockcast("universes", "rename", "banks", "money").out
    listed = json.loads(stockcast("universes", "list", "--json").out)
    assert [each["universe"] for each in listed] == ["default", "money"]
    assert "ITUB4.SA" in stockcast("universes", "list").out


def test_a_mistyped_universe_is_refused_before_anything_is_made(trained: Run) -> None:
    assert trained("universes", "create", "banks", "--tickers", "IBM").code == 0
    refused = trained("train", "--universe", "bancs", "--ticker", "IBM", "--foreground")
    assert (refused.code, "Did you mean banks?" in refused.err) == (2, True)
    assert trained("forecast", "IBM", "--universe", "bancs").code == 2
    assert json.loads(trained("models", "list", "--universe", "bancs", "--json").out) == []
    assert [each["universe"] for each in json.loads(trained("universes", "list", "--json").out)] == [
        "banks",
        "default",
    ]
