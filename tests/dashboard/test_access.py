"""Who may look and who may act."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_reading import OpenPage

import stockcast.ui
from stockcast.settings import Settings
from stockcast.ui.access import Visitor, role_of
from stockcast.workspace import Workspace

UI = Path(stockcast.ui.__file__).parent
# What changes something, by the name under which the house knows it.
ACTIONS = {
    "acknowledge", "annotate", "cancel", "create", "delete_run", "ingest_file", "ingest_sample", "ingest_yahoo",
    "promote", "rename", "restore", "restore_run", "retry", "revoke", "rollback", "save", "submit_backtest",
    "submit_evaluation", "submit_fetch", "submit_training",
}  # fmt: skip
NO_ACTIONS = {"bars", "table"}  # tables of pandas, which have a rename of their own


@pytest.mark.parametrize(
    ("address", "role"),
    [
        ("ana@example.org", "operator"), ("ANA@Example.org", "operator"), ("bia@desk.example.org", "viewer"),
        ("eve@elsewhere.org", "nobody"), ("@desk.example.org", "nobody"), ("eve@evil-desk.example.org", "nobody"),
        ("", "nobody"),
    ],
)  # fmt: skip
def test_the_settings_name_operators_and_viewers(address: str, role: str) -> None:
    settings = Settings(operators="ana@example.org", viewers="@desk.example.org max@example.org")
    assert role_of(address, True, settings) == role
    assert role_of(address, False, settings) == "nobody", "an address that is not verified may be anybody's"


@given(st.emails())
def test_nobody_is_invited_unless_somebody_says_so(address: str) -> None:
    assert role_of(address, True, Settings(operators="", viewers="")) == "nobody"
    assert role_of(address, True, Settings(operators="", viewers="*")) == "viewer"
    assert role_of(address, True, Settings(operators="*", viewers="")) == "operator"


def test_every_action_of_the_pages_asks_for_the_role() -> None:
    unasked = []
    for file in [*UI.glob("*.py"), *(UI.parents[1] / "pages").glob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and _name(node.func) in ACTIONS:
                # A verb of its own is handed what it changes first.
                root = _root(node.func if isinstance(node.func, ast.Attribute) or not node.args else node.args[0])
                if root not in ("acting", *NO_ACTIONS):
                    unasked.append(f"{file.name}:{node.lineno} {ast.unparse(node)}")
    assert unasked == [], "an action goes through acting()"


def test_that_test_would_find_an_action_that_asks_nobody() -> None:
    call = ast.parse("workspace().desk.submit_training(name)").body[0].value  # type: ignore[attr-defined]
    assert _root(call.func) == "workspace"
    call = ast.parse("acting().desk.submit_training(name)").body[0].value  # type: ignore[attr-defined]
    assert _root(call.func) == "acting"


@pytest.mark.parametrize(
    "page", ["overview", "forecast", "backtest", "monitor", "data", "train", "runs", "configuration", "api"]
)
def test_a_viewer_sees_every_page(
    page: str, trained_sample: Workspace, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stockcast.ui.access.visitor", lambda: Visitor("bia@example.org", "viewer"))
    seen = open_page(page)
    assert not seen.exception
    assert "You may look" not in " ".join(each.value for each in [*seen.warning, *seen.error])


def test_a_viewer_who_presses_a_button_is_told_and_nothing_has_changed(
    trained_sample: Workspace, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stockcast.ui.access.visitor", lambda: Visitor("bia@example.org", "viewer"))
    page = open_page("train")
    before = len(trained_sample.jobs.recent())
    next(button for button in page.button if "etrain" in button.label or "rain" in button.label).click().run()
    assert any("bia@example.org" in each.value for each in page.warning)
    assert len(trained_sample.jobs.recent()) == before


def test_a_dashboard_that_others_can_reach_without_a_login_shows_nothing(
    sample: Workspace, open_page: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stockcast.ui.access._listens_to_this_machine_alone", lambda: False)
    page = open_page("overview")
    assert any("nobody has to log in" in each.value for each in page.warning)  # type: ignore[attr-defined]
    assert not page.title  # type: ignore[attr-defined]
    monkeypatch.setenv("STOCKCAST_DASHBOARD_GUARDED", "true")
    page = open_page("overview")
    assert [each.value for each in page.title] == ["What do we expect next?"]  # type: ignore[attr-defined]


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
