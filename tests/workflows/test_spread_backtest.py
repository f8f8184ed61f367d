"""A backtest that several processes do in parts says to the last digit what one process would have said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from stockcast.config import DEFAULT_UNIVERSE
from stockcast.errors import InvalidRequest
from stockcast.evaluation.refits import RefitPolicy
from stockcast.prices.frame import PriceFrame
from stockcast.prices.source import FetchedPrices, PriceReport
from stockcast.settings import Settings
from stockcast.workflows.backtest import Judged
from stockcast.workflows.job_requests import BacktestRequest, ForecastsRequest, GarchFitsRequest, shared_out
from stockcast.workflows.spread_backtest import joined, packed, read_fits
from stockcast.workspace import Workspace

MakeFrame = Callable[..., PriceFrame]
TICKERS = ("AAPL", "IBM", "KO", "MSFT", "YNG")
QUICK = ("training.max_epochs=1", "network.hidden_size=4", "network.members=1", "training.accelerator=cpu")
START, END = date(2019, 7, 1), date(2020, 3, 2)


@pytest.fixture(scope="module")
def workspace(make_frame: MakeFrame, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Four synthetic histories, and one that is too young for a GARCH of its own."""
    workspace = Workspace(Settings(home=tmp_path_factory.mktemp("spread") / "home", threads=1))
    for seed, ticker in enumerate(TICKERS):
        frame = make_frame(ticker, 700, seed=seed)
        frame = frame if ticker != "YNG" else frame.rows(len(frame) - 240, len(frame))
        workspace.prices.save(FetchedPrices(frame, PriceReport(len(frame))))
    return workspace


def in_parts(workspace: Workspace, asked: BacktestRequest) -> Judged:
    """As jobs do it: each part by its request alone, which has been plain data in between."""
    desk, universe = workspace.backtests, DEFAULT_UNIVERSE
    whole = desk.spread(universe, asked)
    said = [
        desk.forecasts(universe, ForecastsRequest.from_json(part.to_json() | {"part": number}))
        for number, part in enumerate(whole.forecasts(), 1)
    ]
    fits = [read_fits(desk.fits(GarchFitsRequest.from_json(part.to_json()))) for part in whole.fits()]
    return whole.judged(said, fits, whole.opponents())


@pytest.mark.parametrize(
    ("model", "refit"),
    [
        ("champion", "never"), ("champion", "yearly"), ("naive", "never"), ("garch", "quarterly"),
        ("linear", "quarterly"), ("ewma", "yearly"),
    ],
)  # fmt: skip
def test_the_parts_together_are_the_whole(workspace: Workspace, model: str, refit: RefitPolicy) -> None:
    asked = BacktestRequest(model=model, start=START, end=END, refit=refit)
    found = in_parts(workspace, asked)
    wanted = workspace.backtests.backtest(DEFAULT_UNIVERSE, (), model, START, END, refit=refit)
    assert found.backtest.fingerprint == wanted.backtest.fingerprint
    for part, same in zip(found.backtest.parts, wanted.backtest.parts, strict=True):
        assert np.array_equal(part.quantile_returns, same.quantile_returns)
    assert found.diagnosis.to_json() == wanted.diagnosis.to_json()


def test_a_network_that_reads_the_market_is_the_same_in_parts(workspace: Workspace) -> None:
    version = workspace.train(DEFAULT_UNIVERSE, until=date(2019, 6, 3), overrides=QUICK).model.version
    asked = BacktestRequest(model=version, start=START, end=END, tickers=TICKERS[:3])
    wanted = workspace.backtests.backtest(DEFAULT_UNIVERSE, TICKERS[:3], version, START, END)
    assert in_parts(workspace, asked).diagnosis.to_json() == wanted.diagnosis.to_json()


def test_prices_that_change_while_it_is_under_way_are_noticed(workspace: Workspace) -> None:
    made = workspace.backtests.backtest(DEFAULT_UNIVERSE, ("KO",), "ewma", START, END).backtest
    frame = workspace.prices.load("KO")
    again = joined([packed(made)], [frame], END)
    assert again.fingerprint == made.fingerprint
    with pytest.raises(InvalidRequest, match="prices of KO have changed"):
        joined([packed(made)], [replace(frame, close=frame.close * 1.01)], END)


def test_every_ticker_is_shared_out_once_and_to_no_more_than_32_parts() -> None:
    for count in (1, 5, 32, 33, 1000):
        tickers = [f"T{number}" for number in range(count)]
        shares = shared_out(tickers)
        assert sorted(ticker for share in shares for ticker in share) == sorted(tickers)
        assert len(shares) == min(32, count)
        assert max(map(len, shares)) - min(map(len, shares)) <= 1
