"""The fields of the configuration as its schema describes them: one description, read by the form."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from stockcast.config import Config
from stockcast.ui.config_words import choice_words, label_of, meaning_of
from stockcast.ui.escaping import plain
from stockcast.ui.format import figures
from stockcast.ui.language import _

Kind = Literal["whole", "number", "choice", "tickers", "text"]


@dataclass(frozen=True)
class ConfigField:
    """One field that a person may edit. Bounds are inclusive for the form; the schema itself decides."""

    section: str
    name: str
    kind: Kind
    description: str
    least: float = -math.inf
    most: float = math.inf
    choices: tuple[str, ...] = ()
    step: float = 1.0
    default: Any = None

    @property
    def whole(self) -> str:
        """section.field"""
        return f"{self.section}.{self.name}"

    @property
    def label(self) -> str:
        """The name as a person reads it."""
        return label_of(self.whole)

    @property
    def help(self) -> str:
        """What it means, in which bounds, and its default."""
        meaning = plain(meaning_of(self.whole))
        if self.kind in ("whole", "number"):
            return _("{meaning} From {least} to {most}; the default is {default}.").format(
                meaning=meaning, least=_figure(self.least), most=_figure(self.most), default=_figure(self.default)
            )
        if self.kind == "choice":
            return _("{meaning} The default is {default}.").format(
                meaning=meaning, default=choice_words(str(self.default))
            )
        return meaning


@lru_cache(maxsize=1)
def config_fields() -> tuple[ConfigField, ...]:
    """Every field, in the order of the configuration."""
    schema = Config.model_json_schema()
    sections = {
        section: schema["$defs"][reference["$ref"].rsplit("/", 1)[1]]
        for section, reference in schema["properties"].items()
    }
    return tuple(
        _field(section, name, described)
        for section, definition in sections.items()
        for name, described in definition["properties"].items()
    )


def _field(section: str, name: str, described: Mapping[str, Any]) -> ConfigField:
    description = described["description"]
    if described.get("type") == "array":
        return ConfigField(section, name, "tickers", description)
    if "enum" in described:
        return ConfigField(
            section, name, "choice", description, choices=tuple(described["enum"]), default=described["default"]
        )
    if described["type"] == "string":
        return ConfigField(section, name, "text", description, most=float(described["maxLength"]))
    least = float(described.get("minimum", described.get("exclusiveMinimum")))
    most = float(described.get("maximum", described.get("exclusiveMaximum")))
    if described["type"] == "integer":
        return ConfigField(section, name, "whole", description, least, most, default=described["default"])
    step = _step(least, most, described["default"])
    return ConfigField(section, name, "number", description, least, most, step=step, default=described["default"])


def _step(least: float, most: float, default: float) -> float:
    """A power of ten that moves a value noticeably, never past the range in a few clicks."""
    sizes = [(most - least) / 50, *([default] if default else [])]
    return float(10 ** min(math.floor(math.log10(size)) for size in sizes))


def _figure(value: object) -> str:
    return figures(f"{value:,}" if isinstance(value, int) else f"{float(str(value)):,g}")
