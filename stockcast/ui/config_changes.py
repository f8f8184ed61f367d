"""What differs between two configurations, or between a run's parameters and the defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from stockcast.config import Config
from stockcast.ui.config_words import label_of, value_words
from stockcast.ui.escaping import plain
from stockcast.ui.language import _
from stockcast.workflows.compare_configs import Change, compare_configs, flat


def config_changes(before: Config, after: Config) -> list[Change]:
    """Every field that differs, in the order of the configuration."""
    return compare_configs(before, after)


def parameter_changes(parameters: Mapping[str, str]) -> list[Change]:
    """A run's parameters that differ from the defaults; those that are no configuration are left out."""
    defaults = {name: str(value) for name, value in flat(Config()).items()}
    return [
        Change(name, default, parameters[name])
        for name, default in defaults.items()
        if name in parameters and parameters[name] != default
    ]


def show_changes(changes: Sequence[Change], *, before: str, after: str) -> None:
    """The changes as a table: the field, and its value on either side under the names of both sides."""
    table = pd.DataFrame(
        {
            _("Field"): [label_of(change.field) for change in changes],
            plain(before): [plain(value_words(change.before)) for change in changes],
            plain(after): [plain(value_words(change.after)) for change in changes],
            _("In YAML and commands"): [f"`{change.field}`" for change in changes],
        }
    )
    st.table(
        table,
        hide_index=True,
        border="horizontal",
        alt=_("Fields that differ: {fields}").format(fields=", ".join(change.field for change in changes)),
    )
