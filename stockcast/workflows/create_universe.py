"""Creates a universe: its name, its tickers, and a first version of its configuration."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from stockcast.config import Config
from stockcast.config_versions import ConfigVersion, ConfigVersions
from stockcast.errors import ConfigMoved, InvalidRequest
from stockcast.registry.tracking_server import model_name
from stockcast.workflows.import_config import tidy_tickers


def create_universe(
    configs: ConfigVersions,
    known: Sequence[str],
    name: str,
    tickers: Sequence[str],
    now: datetime,
    *,
    based_on: Config | None = None,
    author: str = "",
) -> ConfigVersion:
    """Saves version 1: the defaults, or `based_on`, with these tickers (none: every stored one).

    Raises InvalidRequest for a name that cannot be one or is taken, or InvalidTicker.
    """
    name = name.strip()
    model_name(name)  # refuses what cannot name a universe
    alike = next((each for each in known if each.casefold() == name.casefold()), None)
    if alike is not None:
        raise InvalidRequest(f"There is a universe {alike} already.", "Choose another name.")
    base = based_on or Config()
    universe = base.universe.model_copy(update={"tickers": tidy_tickers(tuple(tickers))})
    config = base.model_copy(update={"universe": universe})
    try:
        return configs.save(name, config, "Created", now, author=author, expected=0)
    except ConfigMoved as problem:
        raise InvalidRequest(f"There is a universe {name} already.", "Choose another name.") from problem
