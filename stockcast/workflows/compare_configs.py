"""Compares configurations: what differs, field by field, in words that people read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stockcast.config import LADDER, Config
from stockcast.registry.bundles import Bundles
from stockcast.registry.versions import ModelVersion

NETWORK = ("network", "training")  # what only the LSTM has


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


def compare_configs(before: Config, after: Config) -> list[Change]:
    """Every field that differs, in the order of the configuration."""
    old, new = flat(before), flat(after)
    return [Change(name, shown(old[name]), shown(new[name])) for name in new if old[name] != new[name]]


@dataclass(frozen=True)
class Since:
    """The next training's configuration beside that with which a version was made."""

    version: ModelVersion
    changes: tuple[Change, ...]
    has_network: bool  # a baseline has none, so that nothing is said of the network's fields


def since_version(bundles: Bundles, version: ModelVersion, following: Config) -> Since:
    """What changed since a version was trained. Raises CorruptBundle or RegistryUnavailable."""
    made_with = Config.model_validate(bundles.load(version).manifest.config)
    if version.kind in LADDER:  # the bundle of a baseline keeps the configuration of its universe
        made_with = made_with.with_overrides([f"model.kind={version.kind}"])
    changes = compare_configs(made_with, following)
    has_network = version.kind == "lstm"
    if not has_network:
        changes = [change for change in changes if change.field.split(".")[0] not in NETWORK]
    return Since(version, tuple(changes), has_network)


def merged(base: Config, mine: Config, theirs: Config) -> tuple[Mapping[str, Mapping[str, object]], list[str]]:
    """My changes of `base` on top of what others saved meanwhile, as plain data, and the fields that both changed.

    Where both changed a field, mine stands.
    """
    original, edited, saved = flat(base), flat(mine), flat(theirs)
    ours = [name for name in original if edited[name] != original[name]]
    both = [name for name in ours if saved[name] != original[name] and saved[name] != edited[name]]
    data: dict[str, dict[str, object]] = theirs.model_dump(mode="json")
    for name in ours:
        section, field = name.split(".")
        data[section][field] = edited[name]
    return data, both


def flat(config: Config) -> dict[str, object]:
    """Plain values by section.field, in the order of the configuration."""
    return {
        f"{section}.{name}": value
        for section, fields in config.model_dump(mode="json").items()
        for name, value in fields.items()
    }


def shown(value: object) -> str:
    """A value as people read it."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "all stored"
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"
