"""What the next training will do, in one row of figures."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from stockcast.config import Config
from stockcast.config_versions import ConfigVersion
from stockcast.ui.escaping import plain
from stockcast.ui.figure_card import figure_card
from stockcast.ui.format import count
from stockcast.ui.router import CONFIGURATION

_MOST_NAMES = 8


def _network(config: Config) -> list[tuple[str, str, str]]:
    network, training = config.network, config.training
    return [
        (
            "LSTM",
            f"{network.layers} × {network.hidden_size}",
            f"layers × units, {count(network.members, 'seed', 'seeds')}",
        ),
        ("Epochs", f"{training.max_epochs}", f"patience {training.patience}"),
    ]


def show_plan(current: ConfigVersion, tickers: Sequence[str]) -> None:
    """Universe, tickers, lookback, network and epochs of the configuration in force."""
    config = current.config
    figures = (
        ("Tickers", f"{len(tickers)}", f"universe {current.universe}"),
        (
            "Lookback",
            count(config.windows.lookback, "session", "sessions"),
            f"up to {config.windows.max_horizon} ahead",
        ),
        *(_network(config) if config.model.kind == "lstm" else [("Model", config.model.kind, "fitted in one go")]),
    )
    with st.grid(4, min_column_width=150, gap="medium"):
        for label, value, note in figures:
            figure_card(label, value, note)
    shown = ", ".join(map(plain, tickers[:_MOST_NAMES])) + (" …" if len(tickers) > _MOST_NAMES else "")
    version = f"version {current.version}" if current.version else "the defaults"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{shown}. Configuration: {version}.", width="content")
        st.page_link(CONFIGURATION, label="Change it", icon=":material/tune:")
