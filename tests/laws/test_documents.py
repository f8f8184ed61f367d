"""The documents keep step with the code: what exists is written down, what is written down exists."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from typer.main import get_command

from stockcast import __version__
from stockcast.cli.application import application
from stockcast.config import Config
from stockcast.monitoring.prometheus import FAMILIES
from stockcast.settings import Settings

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "reference.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def commands() -> list[tuple[str, list[str]]]:
    """Every command with its options."""
    found = []

    def walk(command: object, path: list[str]) -> None:
        for name, child in getattr(command, "commands", {}).items():
            walk(child, [*path, name])
        if not hasattr(command, "commands"):
            options = [
                option
                for parameter in command.params  # type: ignore[attr-defined]
                for option in parameter.opts
                if option.startswith("--") and option != "--help"
            ]
            found.append((" ".join(path), options))

    walk(get_command(application), ["stockcast"])
    return found


@pytest.mark.parametrize(
    ("command", "options"), commands(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_and_option_is_in_the_reference(command: str, options: list[str]) -> None:
    line = next((line for line in REFERENCE.splitlines() if f"`{command}" in line), None)
    assert line is not None, f"docs/reference.md does not name `{command}`"
    missing = [option for option in options if option not in line]
    assert missing == [], f"docs/reference.md does not name {missing} of `{command}`"


@pytest.mark.parametrize("field", list(Settings.model_fields))
def test_every_setting_is_in_the_reference(field: str) -> None:
    assert f"`STOCKCAST_{field.upper()}`" in REFERENCE


@pytest.mark.parametrize(
    "name",
    [f"{section}.{field}" for section, fields in Config().model_dump().items() for field in fields],
)
def test_every_configuration_field_is_in_the_reference_with_its_default(name: str) -> None:
    section, field = name.split(".")
    default = Config().model_dump(mode="json")[section][field]
    shown = "empty" if default in ([], "") else f"{default:g}" if isinstance(default, float) else str(default)
    assert f"| `{name}` | {shown} |" in REFERENCE


def test_every_metric_is_in_the_operations_guide_and_no_other() -> None:
    assert set(re.findall(r"^\| `(stockcast_\w+)` \|", OPERATIONS, re.MULTILINE)) == set(FAMILIES)


def test_every_event_of_the_log_is_in_the_operations_guide_and_no_other() -> None:
    told = {
        event
        for file in (ROOT / "stockcast").rglob("*.py")
        for event in re.findall(
            r"\b_?(?:log|tell)\.(?:debug|info|warning|error|exception)\(\s*\"(\w+)\"", file.read_text()
        )
    }
    assert len(told) > 10
    assert set(re.findall(r"^\| `(\w+)` \| (?:info|warning|error)", OPERATIONS, re.MULTILINE)) == told


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text()):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_readme_leads_to_a_forecast_within_its_first_15_lines() -> None:
    head = "\n".join((ROOT / "README.md").read_text().splitlines()[:15])
    assert "git clone" in head
    assert "make run" in head
    assert "docs/images/" in head


@pytest.mark.parametrize("page", sorted(path.stem for path in (ROOT / "pages").glob("*.py")))
def test_the_guide_shows_every_page_light_and_dark(page: str) -> None:
    guide = (ROOT / "docs" / "guide.md").read_text()
    for name in (f"{page}.png", f"{page}-dark.png"):
        assert f'"images/{name}"' in guide
        assert (ROOT / "docs" / "images" / name).is_file()


def test_the_change_log_knows_this_version() -> None:
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__


def test_every_requirement_is_pinned_exactly_and_installed_as_pinned() -> None:
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            assert [pin.operator for pin in requirement.specifier] == ["=="], line
            pinned = next(iter(requirement.specifier)).version
            assert Version(version(requirement.name)).public == Version(pinned).public, line


@pytest.mark.parametrize(
    ("name", "floor"),
    [
        ("mlflow", "3.11"),
        ("streamlit", "1.54"),
        ("starlette", "1.3.1"),
        ("python-multipart", "0.0.27"),
        ("torch", "2.10"),
        ("pytorch-lightning", "2.6.4"),
    ],
)
def test_no_package_is_older_than_its_last_known_hole(name: str, floor: str) -> None:
    assert Version(version(name)) >= Version(floor)
