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
    "access_keys.create", "access_keys.revoke", "alerts.acknowledge", "configs.restore", "configs.save",
    "desk.adopt", "desk.submit_tuning",
    "delete_run", "desk.retry", "desk.submit_backtest", "desk.submit_evaluation", "desk.submit_fetch",
    "desk.submit_training", "ingest_file", "ingest_sample", "ingest_yahoo", "jobs.cancel", "promote",
    "restore_run", "rollback", "runs.annotate", "universe_desk.create", "universe_desk.rename",
}  # fmt: skip


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
                if root != "acting":
                    unasked.append(f"{file.name}:{node.lineno} {ast.unparse(node)}")
    assert unasked == [], "an action goes through acting()"


@pytest.mark.parametrize(
    ("call", "name", "root"),
    [
        ("workspace().desk.submit_training(name)", "desk.submit_training", "workspace"),
        ("acting().desk.submit_training(name)", "desk.submit_training", "acting"),
        ("ws.promote(universe)", "promote", "ws"),
        ("delete_run(ws.runs, run_id)", "delete_run", "delete_run"),
        ("frame.to_dataframe().rename(columns=names)", "rename", "frame"),
    ],
)
def test_that_test_tells_an_action_and_whom_it_asks(call: str, name: str, root: str) -> None:
    node = ast.parse(call, mode="eval").body
    assert isinstance(node, ast.Call)
    assert (_name(node.func), _root(node.func)) == (name, root)


def test_every_action_that_is_named_is_one_of_the_house(sample: Workspace) -> None:
    for name in ACTIONS - {"delete_run", "restore_run"}:
        found: object = sample
        for part in name.split("."):
            found = getattr(found, part)
        assert callable(found)


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
    page.button(key="retrain").click().run()
    assert [each.value.split(" ")[0].replace("\\", "") for each in page.warning] == ["bia@example.org"]
    assert len(trained_sample.jobs.recent()) == before


def test_a_dashboard_that_others_can_reach_without_a_login_shows_nothing(
    sample: Workspace, open_page: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stockcast.ui.access._listens_to_this_machine_alone", lambda: False)
    page = open_page("overview")
    [told] = page.error  # type: ignore[attr-defined]
    assert "STOCKCAST_DASHBOARD_GUARDED=true" in told.value
    assert [each.value for each in page.title] == ["stockcast"]  # type: ignore[attr-defined]
    monkeypatch.setenv("STOCKCAST_DASHBOARD_GUARDED", "true")
    page = open_page("overview")
    assert [each.value for each in page.title] == ["What do we expect next?"]  # type: ignore[attr-defined]


def _name(node: ast.expr) -> str:
    """The action that a call names: `desk.submit_training`, or `promote` of the Workspace itself."""
    if isinstance(node, ast.Name):
        return node.id
    if not isinstance(node, ast.Attribute):
        return ""
    return f"{node.value.attr}.{node.attr}" if isinstance(node.value, ast.Attribute) else node.attr


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
