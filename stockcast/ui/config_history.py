"""Every saved configuration with what it changed."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from stockcast.config import Config
from stockcast.config_versions import ConfigVersion
from stockcast.ui.config_changes import config_changes


def history_table(history: Sequence[ConfigVersion]) -> pd.DataFrame:
    """One row a version, newest first; changes against the version before, the first against the defaults."""
    before = [version.config for version in history[1:]] + [Config()]
    return pd.DataFrame(
        [
            {
                "Version": version.version,
                "In force": at == 0,
                "Saved": version.created_at,
                "Note": version.note,
                "Changed": "; ".join(change.sentence for change in config_changes(earlier, version.config)),
            }
            for at, (version, earlier) in enumerate(zip(history, before, strict=True))
        ]
    )


def show_history(history: Sequence[ConfigVersion]) -> None:
    """The table, or a word about the defaults."""
    if not history:
        st.caption("Nothing was ever changed: the defaults are in force.")
        return
    st.dataframe(
        history_table(history),
        hide_index=True,
        key="config_history",
        column_config={
            "In force": st.column_config.CheckboxColumn(),
            "Saved": st.column_config.DatetimeColumn("Saved (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC"),
            "Changed": st.column_config.TextColumn(width="large"),
        },
        alt="Saved configurations, newest first",
    )
