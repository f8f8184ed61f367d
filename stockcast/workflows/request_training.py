"""Request a training: what it shall do, with what would fail in a minute refused now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from stockcast.config_versions import ConfigVersions
from stockcast.prices.store import PriceStore
from stockcast.registry.tracking_server import model_name
from stockcast.workflows.choose_histories import require_histories
from stockcast.workflows.job_requests import TrainRequest


def request_training(
    configs: ConfigVersions,
    prices: PriceStore,
    universe: str,
    tickers: Sequence[str],
    until: date | None,
    overrides: Sequence[str],
) -> TrainRequest:
    """By the configuration in force, with overrides.

    Raises InvalidConfig, InvalidRequest, InvalidTicker, UnknownTicker or TooShortHistory.
    """
    model_name(universe)  # refuses what cannot name a universe
    current = configs.current(universe)
    config = current.config.with_overrides(overrides)
    require_histories(prices, config, tickers, until)
    return TrainRequest(config=config, config_version=current.version, tickers=tuple(tickers), until=until)
