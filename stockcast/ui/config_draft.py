"""What a visitor has entered and not saved yet: kept in their session, so that another page does not lose it.

A draft knows on which version it is based. When somebody else saves one meanwhile, the draft stays as it is and is
put on top of that by hand, never silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import streamlit as st

from stockcast.config import Config
from stockcast.config_versions import ConfigVersion
from stockcast.workflows.compare_configs import Change, compare_configs
from stockcast.workflows.import_config import Imported, check_config

Values = Mapping[str, Mapping[str, object]]  # section, field: plain data


@dataclass(frozen=True)
class Draft:
    """Entered values on top of a version. The widgets of another `round` are new ones, with these values."""

    base: ConfigVersion
    values: Values = field(default_factory=dict)
    round: int = 0

    @property
    def key(self) -> str:
        """What the keys of its widgets begin with."""
        return f"config_{self.base.universe}_{self.base.version}_{self.round}"

    @property
    def touched(self) -> bool:
        """Whether anything differs from the version it is based on."""
        return self.values != plain_values(self.base.config)

    def checked(self) -> Imported:
        """The configuration that it is, or everything that keeps it from being one."""
        return check_config(self.values)

    def changes(self, config: Config) -> list[Change]:
        """What it changes of its version."""
        return compare_configs(self.base.config, config)


def plain_values(config: Config) -> Values:
    """A configuration as the widgets hold it."""
    data: dict[str, dict[str, object]] = config.model_dump(mode="json")
    return data


def draft_of(current: ConfigVersion) -> Draft:
    """The visitor's draft for a universe; a fresh one where nothing was entered that is not saved."""
    kept = st.session_state.get(_place(current.universe))
    if isinstance(kept, Draft) and (kept.base == current or kept.touched):
        return kept
    fresh = Draft(current, plain_values(current.config))
    keep(fresh)
    return fresh


def keep(draft: Draft) -> None:
    """Remembers a draft."""
    st.session_state[_place(draft.base.universe)] = draft


def fill(draft: Draft, values: Values, base: ConfigVersion | None = None) -> None:
    """Puts other values into the form, based on the same version or on another one; a callback of buttons."""
    keep(replace(draft, values=values, base=base or draft.base, round=draft.round + 1))


def entered(current: ConfigVersion) -> Draft:
    """The draft with what its widgets hold now; for callbacks, which run before the page has looked."""
    draft = draft_of(current)
    values = {
        section: {
            name: st.session_state.get(f"{draft.key}_{section}_{name}", value) for name, value in each.items()
        }
        for section, each in draft.values.items()
    }
    return replace(draft, values=values)


def discard(current: ConfigVersion) -> None:
    """Fills the form with what is in force; a callback of buttons."""
    fill(draft_of(current), plain_values(current.config), current)


def drop(universe: str) -> None:
    """Forgets what was entered."""
    st.session_state.pop(_place(universe), None)


def _place(universe: str) -> str:
    return f"config_draft_{universe}"
