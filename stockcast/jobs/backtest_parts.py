"""How a backtest is given away in parts, and how each part is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import JsonValue

from stockcast.backtest_desk import BacktestDesk
from stockcast.evaluation.diagnosis import Diagnosis
from stockcast.jobs.job import FORECASTS, OPPONENTS, Job
from stockcast.jobs.lease import Lease
from stockcast.jobs.part_table import Part
from stockcast.jobs.parts import Parts
from stockcast.jobs.work import Handler
from stockcast.workflows.job_requests import BacktestRequest, ForecastsRequest, OpponentsRequest
from stockcast.workflows.spread_backtest import read_fits


def backtest_in_parts(
    desk: BacktestDesk, universe: str, asked: BacktestRequest, parts: Parts, lease: Lease
) -> Diagnosis:
    """Gives all parts away and puts together what they have made."""
    whole = desk.spread(universe, asked)
    mine = [Part(FORECASTS, part.to_json()) for part in whole.forecasts()]
    beside = [Part(OPPONENTS, part.to_json()) for part in whole.opponents()]
    # What takes longest is begun first, so that nobody has much left to do when all others are done.
    given = parts.give_away(mine + beside if whole.learns else beside + mine)
    begun = next((ForecastsRequest.from_json(part.request) for part in given if part.kind == FORECASTS), None)
    if begun is not None and begun.model != whole.subject.name:  # an alias has moved since an earlier attempt
        whole = desk.spread(universe, asked, begun)
    done = parts.gather(f"Backtesting {asked.model}")
    lease.doing("Scoring what was forecast", 0.95)
    made = {kind: [parts.content(part) for part in done if part.kind == kind] for kind in (FORECASTS, OPPONENTS)}
    fits = [read_fits(part.result or {}) for part in done if part.kind == OPPONENTS]
    return whole.diagnosis(made[FORECASTS], made[OPPONENTS], fits)


def backtest_parts(desk: BacktestDesk, keep: Callable[[Job, bytes], None]) -> dict[str, Handler]:
    """A handler per kind of part."""

    def forecasts(job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        asked = ForecastsRequest.from_json(job.request)
        named = _named(asked.tickers)
        lease.doing(f"Forecasting {named}", 0.0)
        keep(job, desk.forecasts(job.universe, asked))
        return {}

    def opponents(job: Job, lease: Lease) -> Mapping[str, JsonValue]:
        asked = OpponentsRequest.from_json(job.request)
        named = _named(asked.tickers)
        lease.doing(f"Fitting opponents to {named}", 0.0)
        content, fits = desk.opponents(asked)
        keep(job, content)
        return fits

    return {FORECASTS: forecasts, OPPONENTS: opponents}


def _named(tickers: tuple[str, ...]) -> str:
    return ", ".join(tickers) if len(tickers) <= 3 else f"{len(tickers)} tickers"
