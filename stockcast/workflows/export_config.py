"""Exports a configuration as YAML that explains itself and is read back as it was."""

from __future__ import annotations

import yaml

from stockcast.config import Config
from stockcast.config_versions import ConfigVersion


def export_config(current: ConfigVersion) -> str:
    """Every field below its section, with its meaning beside it."""
    which = f"version {current.version}" if current.version else "the defaults"
    lines = [
        f"# stockcast: the configuration of the universe {current.universe}, {which}.",
        f"# Read it back with: stockcast config import FILE --universe {current.universe}",
    ]
    for section, fields in current.config.model_dump(mode="json").items():
        described = getattr(current.config, section)
        lines += ["", f"{section}:"]
        for name, value in fields.items():
            meaning = type(described).model_fields[name].description or ""
            lines.append(f"  {name}: {_written(value)}  # {meaning}")
    return "\n".join(lines) + "\n"


def file_name(current: ConfigVersion) -> str:
    """What the exported file is called."""
    return f"stockcast-{current.universe}-v{current.version}.yaml"


def _written(value: object) -> str:
    """On one line, as it stands inside a list."""
    whole = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=1_000_000, sort_keys=False)
    return str(whole).strip()[1:-1]


def fields() -> tuple[str, ...]:
    """Every field as section.field, in the order of the configuration."""
    return tuple(f"{section}.{name}" for section, each in Config().model_dump().items() for name in each)
