"""Keys from the terminal: made with their secret, listed without, revoked for good."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Run = Callable[..., Any]


def test_keys_are_made_listed_and_revoked(stockcast: Run) -> None:
    first = stockcast("keys", "create", "nightly report")
    assert first.code == 0
    assert "is not shown again" in first.out
    assert "from now on the API asks every program for a key" in first.out
    made = json.loads(stockcast("keys", "create", "ops", "--scope", "admin", "--json").out)
    assert (made["id"], made["scope"], made["begins_with"]) == (2, "admin", made["secret"][:6])
    listed = stockcast("keys", "list", "--json").out
    assert made["secret"] not in listed
    assert first.out.split()[0] not in listed
    assert [(key["label"], key["revoked_at"]) for key in json.loads(listed)] == [
        ("ops", None),
        ("nightly report", None),
    ]
    assert json.loads(stockcast("keys", "revoke", 2, "--json").out)["revoked_at"]
    assert "Key 1 (nightly report) was revoked" in stockcast("keys", "revoke", 1).out
    assert all(key["revoked_at"] for key in json.loads(stockcast("keys", "list", "--json").out))
    assert "ops" in stockcast("keys", "list").out


def test_what_cannot_be_meant_is_refused(stockcast: Run) -> None:
    assert stockcast("keys", "create", " ").code == 2
    missing = stockcast("keys", "revoke", 7)
    assert (missing.code, "There is no key 7" in missing.err) == (2, True)
    assert stockcast("keys", "create", "x", "--scope", "root").code == 2
