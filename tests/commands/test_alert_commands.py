"""Alerts from the terminal: what stands, a look, a word on it, and whether messages would arrive."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from webhook import webhook

from stockcast.database import Database
from stockcast.monitoring.alerts import Alerts
from stockcast.monitoring.performance_rules import Verdict

Run = Callable[..., Any]
NOON = datetime(2024, 5, 15, 12, tzinfo=UTC)
SENTENCE = "KO's skill over naive was -8.7 %."


@pytest.fixture
def alerts(tmp_path: Path) -> Alerts:
    """Two alerts of the home that the commands use, one of them closed."""
    kept = Alerts(Database(f"sqlite:///{tmp_path / 'home' / 'stockcast.db'}"))
    for outcome in ("fires", "quiet"):
        kept.settle("banks", [Verdict("coverage", None, outcome, "Too wide.", {})], NOON)
    kept.settle("default", [Verdict("skill", "KO", "fires", SENTENCE, {"skill": -0.087})], NOON)
    return kept


@pytest.mark.usefixtures("alerts")
def test_what_stands_is_listed_and_the_rest_on_demand(stockcast: Run) -> None:
    [standing] = json.loads(stockcast("alerts", "list", "--json").out)
    assert (standing["id"], standing["rule"], standing["ticker"], standing["state"]) == (2, "skill", "KO", "open")
    assert (standing["sentence"], standing["evidence"]) == (SENTENCE, {"skill": -0.087})
    assert standing["opened_at"] == "2024-05-15T12:00:00+00:00"

    def listed(*options: str) -> list[int]:
        return [alert["id"] for alert in json.loads(stockcast("alerts", "list", "--json", *options).out)]

    assert listed("--state", "all") == [2, 1]
    assert listed("--state", "closed") == [1]
    assert listed("--state", "all", "--limit", "1") == [2]
    assert listed("--state", "all", "--universe", "banks") == [1]
    assert listed("--state", "acknowledged") == []
    told = stockcast("alerts", "list").out
    assert told == f"2 [open] skill of KO in default, since 2024-05-15\n  {SENTENCE}\n"
    assert stockcast("alerts", "list", "--universe", "nobody").out == "No alerts.\n"


def test_an_alert_is_acknowledged_with_a_note(stockcast: Run, alerts: Alerts) -> None:
    said = stockcast("alerts", "acknowledge", 2, "--note", "Earnings week.")
    assert (said.code, said.out) == (
        0,
        "Alert 2, skill of KO in default, is acknowledged. Note: Earnings week.\n",
    )
    assert alerts.get(2).state == "acknowledged"
    refused = stockcast("alerts", "acknowledge", 1, "--note", "Too late.")
    assert refused.code == 2
    assert "closed already" in refused.err
    assert stockcast("alerts", "acknowledge", 99, "--note", "?").code == 2


def test_a_look_tells_what_could_not_be_judged(stockcast: Run) -> None:
    told = stockcast("alerts", "check")
    assert told.code == 0
    assert "default: 0 outcomes scored, 0 of 2 rules with enough forecasts" in told.out
    assert "too few forecasts (0 of 60 sessions)" in told.out
    [look] = json.loads(stockcast("alerts", "check", "--universe", "default", "--json").out)
    assert [verdict["outcome"] for verdict in look["verdicts"]] == ["unknown", "unknown"]
    assert {"opened", "closed", "standing", "training", "told", "problems"} <= look.keys()


def test_a_test_message_arrives_or_is_told_to_have_failed(stockcast: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = stockcast("alerts", "test")
    assert nobody.code == 2
    assert "STOCKCAST_NOTIFY_URLS" in nobody.err
    with webhook() as hook:
        monkeypatch.setenv("STOCKCAST_NOTIFY_URLS", f"{hook.address()} {hook.address('500/')}")
        sent = stockcast("alerts", "test", "--json")
        assert sent.code == 3
        assert json.loads(sent.out)["taken"] == 1
        assert [message["title"] for message in hook.messages] == ["stockcast: a test"]
        assert "hunter2" not in sent.out + sent.err
