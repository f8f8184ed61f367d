"""What the next training will do, in one row of figures."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from stockcast.config import Config
from stockcast.config_versions import ConfigVersion
from stockcast.ui.escaping import plain
from stockcast.ui.figure_card import figure_card
from stockcast.ui.format import count
from stockcast.ui.language import _
from stockcast.ui.router import CONFIGURATION

_MOST_NAMES = 8


def _network(config: Config) -> list[tuple[str, str, str]]:
    network, training = config.network, config.training
    return [
        (
            "LSTM",
            f"{network.layers} × {network.hidden_size}",
            _("layers × units, {seeds}").format(seeds=count(network.members, "seed", "seeds")),
        ),
        (_("Epochs"), f"{training.max_epochs}", _("patience {patience}").format(patience=training.patience)),
    ]


def show_plan(current: ConfigVersion, tickers: Sequence[str]) -> None:
    """Universe, tickers, lookback, network and epochs of the configuration in force."""
    config = current.config
    figures = (
        (_("Tickers"), f"{len(tickers)}", _("universe {universe}").format(universe=current.universe)),
        (
            _("Lookback"),
            count(config.windows.lookback, "session", "sessions"),
            _("up to {max_horizon} ahead").format(max_horizon=config.windows.max_horizon),
        ),
        *(
            _network(config)
            if config.model.kind == "lstm"
            else [(_("Model"), config.model.kind, _("fitted in one go"))]
        ),
    )
    with st.grid(4, min_column_width=150, gap="medium"):
        for label, value, note in figures:
            figure_card(label, value, note)
    shown = ", ".join(map(plain, tickers[:_MOST_NAMES])) + (" …" if len(tickers) > _MOST_NAMES else "")
    said = (
        _("{tickers}. Configuration: version {version}.")
        if current.version
        else _("{tickers}. Default configuration.")
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(said.format(tickers=shown, version=current.version), width="content")
        st.page_link(CONFIGURATION, label=_("Change it"), icon=":material/tune:")
