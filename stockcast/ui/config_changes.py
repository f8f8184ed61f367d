"""What differs between two configurations, or between a run's parameters and the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stockcast.config import Config


@dataclass(frozen=True)
class Change:
    """One field that differs; values as people read them."""

    field: str  # section.field
    before: str
    after: str

    @property
    def sentence(self) -> str:
        """The change in one line."""
        return f"{self.field}: {self.before} → {self.after}"


def config_changes(before: Config, after: Config) -> list[Change]:
    """Every field that differs, in the order of the configuration."""
    old, new = _flat(before), _flat(after)
    return [Change(name, _shown(old[name]), _shown(new[name])) for name in new if old[name] != new[name]]


def parameter_changes(parameters: Mapping[str, str]) -> list[Change]:
    """A run's parameters that differ from the defaults; those that are no configuration are left out."""
    defaults = {name: str(value) for name, value in _flat(Config()).items()}
    return [
        Change(name, default, parameters[name])
        for name, default in defaults.items()
        if name in parameters and parameters[name] != default
    ]


def _flat(config: Config) -> dict[str, object]:
    return {
        f"{section}.{name}": value
        for section, fields in config.model_dump(mode="json").items()
        for name, value in fields.items()
    }


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "all stored"
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"
