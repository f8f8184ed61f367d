"""How a backtest is given away in parts, and how each part is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import JsonValue

from stockcast.backtest_desk import BacktestDesk
from stockcast.jobs.job import FORECASTS, GARCH_FITS, Job
from stockcast.jobs.lease import Lease
from stockcast.jobs.part_table import Part
from stockcast.jobs.parts import Parts
from stockcast.jobs.work import Handler
from stockcast.workflows.backtest import Judged
from stockcast.workflows.job_requests import BacktestRequest, ForecastsRequest, GarchFitsRequest
from stockcast.workflows.spread_backtest import read_fits


def backtest_in_parts(
    desk: BacktestDesk, universe: str, asked: BacktestRequest, parts: Parts, lease: Lease
) -> Judged:
    """Gives away what is slow, does what is quick meanwhile, and puts all together."""
    whole = desk.spread(universe, asked)
    parts.give_away(
        [Part(FORECASTS, part.to_json()) for part in whole.forecasts()]
        + [Part(GARCH_FITS, part.to_json()) for part in whole.fits()]
    )
    opponents = whole.opponents()
    done = parts.gather(f"Backtesting {asked.model}")
    lease.doing("Scoring what was forecast", 0.95)
    said = [parts.content(part) for part in done if part.kind == FORECASTS]
    fits = [read_fits(part.result or {}) for part in done if part.kind == GARCH_FITS]
    return whole.judged(said, fits, opponents)


def backtest_parts(desk: BacktestDesk, keep: Callable[[Job, bytes], None]) -> dict[str, Handler]:
    """A handler per kind of part."""

    def forecasts(job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        asked = ForecastsRequest.from_json(job.request)
        lease.doing(f"Forecasting {_named(asked.tickers)}", 0.0)
        keep(job, desk.forecasts(job.universe, asked))
        return {}

    def garch_fits(job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        asked = GarchFitsRequest.from_json(job.request)
        lease.doing(f"Fitting GARCH to {_named(asked.tickers)}", 0.0)
        return desk.fits(asked)

    return {FORECASTS: forecasts, GARCH_FITS: garch_fits}


def _named(tickers: tuple[str, ...]) -> str:
    return ", ".join(tickers) if len(tickers) <= 3 else f"{len(tickers)} tickers"
