"""Request a search for better settings, with what would fail in a minute refused now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from stockcast.config_versions import ConfigVersions
from stockcast.errors import InvalidRequest
from stockcast.prices.store import PriceStore
from stockcast.workflows.choose_histories import choose_histories
from stockcast.workflows.job_requests import FEWEST_TRIALS, MOST_TRIALS, TuneRequest
from stockcast.workflows.tune_space import space_of, widest


def request_tuning(
    configs: ConfigVersions,
    prices: PriceStore,
    universe: str,
    tickers: Sequence[str],
    until: date | None,
    trials: int,
    space: Sequence[str],
    seed: int,
) -> TuneRequest:
    """By the configuration in force, and on the sessions there are by now, whatever comes in while it runs.

    Raises InvalidRequest, InvalidTicker, UnknownTicker or TooShortHistory.
    """
    current = configs.current(universe)
    if current.config.model.kind != "lstm":
        raise InvalidRequest(
            f"The universe {universe} trains {current.config.model.kind}, which has no settings to search for.",
            "Only an LSTM has: stockcast config set model.kind=lstm",
        )
    if not FEWEST_TRIALS <= trials <= MOST_TRIALS:
        raise InvalidRequest(
            f"A search has {FEWEST_TRIALS} to {MOST_TRIALS} trials, not {trials}.",
            "Twenty are a good start for four settings.",
        )
    ranges = space_of(current.config, space)
    chosen = choose_histories(prices, widest(current.config, ranges), tickers, until)
    return TuneRequest(
        config=current.config,
        config_version=current.version,
        tickers=tuple(tickers),
        until=max(frame.last_session for frame in chosen.frames),
        trials=trials,
        space=ranges,
        seed=seed,
    )
