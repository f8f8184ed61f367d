"""Forecasts every ticker of a universe: one that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stockcast.errors import StockcastError
from stockcast.workflows.forecast import Answer


@dataclass(frozen=True, eq=False)
class UniverseForecast:
    """What was issued, each journaled by now, and why the rest was not."""

    answers: tuple[Answer, ...]
    failed: Mapping[str, str]  # ticker to a sentence with its hint


def forecast_universe(tickers: Sequence[str], forecast: Callable[[str], Answer]) -> UniverseForecast:
    """Lets `forecast` speak about each ticker in turn. Raises the last failure when all of them failed."""
    answers: list[Answer] = []
    failed: dict[str, str] = {}
    last: StockcastError | None = None
    for ticker in tickers:
        try:
            answers.append(forecast(ticker))
        except StockcastError as problem:
            last = problem
            failed[ticker] = str(problem)
    if last is not None and not answers:
        raise last
    return UniverseForecast(tuple(answers), failed)
