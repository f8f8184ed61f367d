"""Searches for better settings from the terminal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from home_workers import kill_workers

Run = Callable[..., Any]
QUICK = (
    "training.max_epochs=2", "training.patience=1", "network.hidden_size=4", "network.members=1",
    "training.accelerator=cpu",
)  # fmt: skip
SEARCH = ("tune", "--trials", "2", "--ticker", "IBM", "--space", "network.hidden_size")


@pytest.fixture
def sample(stockcast: Run) -> Iterator[Run]:
    """Commands over a home with the bundled sample and a quick network; what still works for it is killed."""
    assert stockcast("prices", "sample").code == 0
    assert stockcast("config", "set", *QUICK).code == 0
    yield stockcast
    kill_workers(os.environ["STOCKCAST_HOME"])


def version(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("config", "show", "--json").out)
    return found


def test_a_search_is_followed_and_read_again_and_its_settings_adopted(sample: Run) -> None:
    said = sample(*SEARCH, "--json")
    assert said.code == 0, said.err
    answer = json.loads(said.out)
    assert (answer["state"], answer["of"], answer["at_work"]) == ("succeeded", 2, [])
    present, tried = answer["trials"]
    assert present["parameters"] == {"network.hidden_size": 4}, "the first is of the settings in force"
    assert answer["best"] == min(answer["trials"], key=lambda each: (each["value"], each["number"]))["number"]
    assert json.loads(sample("tune", "show", answer["job"], "--json").out) == answer
    table = sample("tune", "show", answer["job"]).out
    assert "in force" in table
    assert "2 of 2 trials of default" in table
    adopted = sample("tune", "adopt", answer["job"], "--trial", "1")
    assert "Configuration of default is at version 2." in adopted.out
    assert version(sample)["config"]["network"]["hidden_size"] == tried["parameters"]["network.hidden_size"]
    sample("config", "set", "training.batch_size=16")
    refused = sample("tune", "adopt", answer["job"], "--trial", "1")
    assert refused.code != 0
    assert "Version 3 of the configuration of default was saved meanwhile" in refused.err


def test_a_search_may_be_left_to_itself_and_is_refused_when_it_makes_no_sense(sample: Run) -> None:
    queued = json.loads(sample(*SEARCH, "--background", "--json").out)
    assert (queued["kind"], queued["state"]) == ("tune", "queued")
    assert sample("jobs", "cancel", queued["id"]).code == 0
    assert "No trial has come to its end yet." in sample("tune", "show", queued["id"]).out
    for words, reason in (
        (("--trials", "1"), "A search has 2 to 200 trials, not 1."),
        (("--space", "training.seed"), "'training.seed' is no setting that a search may change."),
        (("--universe", "nowhere"), "nowhere"),
    ):
        refused = sample("tune", *words)
        assert refused.code != 0
        assert reason in refused.err
    assert version(sample)["version"] == 1
