"""A backtest that several processes do in parts says to the last digit what one process would have said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from stockcast.config import DEFAULT_UNIVERSE
from stockcast.errors import InvalidRequest
from stockcast.evaluation.answers import packed, unpacked
from stockcast.evaluation.diagnosis import Diagnosis
from stockcast.evaluation.refits import RefitPolicy
from stockcast.forecasting.quantiles import LEVELS
from stockcast.prices.frame import PriceFrame
from stockcast.prices.source import FetchedPrices, PriceReport
from stockcast.settings import Settings
from stockcast.workflows.job_requests import BacktestRequest, ForecastsRequest, OpponentsRequest, shared_out
from stockcast.workflows.spread_backtest import opponents_part, read_fits
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


def in_parts(workspace: Workspace, asked: BacktestRequest) -> Diagnosis:
    """As jobs do it: each part by its request alone, which has been plain data in between."""
    desk, universe = workspace.backtests, DEFAULT_UNIVERSE
    whole = desk.spread(universe, asked)
    said = [
        desk.forecasts(universe, ForecastsRequest.from_json(part.to_json() | {"part": number}))
        for number, part in enumerate(whole.forecasts(), 1)
    ]
    beside = [desk.opponents(OpponentsRequest.from_json(part.to_json())) for part in whole.opponents()]
    return whole.diagnosis(said, [content for content, _ in beside], [read_fits(fits) for _, fits in beside])


@pytest.mark.parametrize(
    ("model", "refit"),
    [
        ("champion", "never"), ("champion", "yearly"), ("naive", "never"), ("garch", "quarterly"),
        ("linear", "quarterly"), ("ewma", "yearly"),
    ],
)  # fmt: skip
def test_the_parts_together_are_the_whole(workspace: Workspace, model: str, refit: RefitPolicy) -> None:
    asked = BacktestRequest(model=model, start=START, end=END, refit=refit)
    wanted = workspace.backtests.backtest(DEFAULT_UNIVERSE, (), model, START, END, refit=refit)
    assert in_parts(workspace, asked).to_json() == wanted.diagnosis.to_json()


def test_a_network_that_reads_the_market_is_the_same_in_parts(workspace: Workspace) -> None:
    version = workspace.train(DEFAULT_UNIVERSE, until=date(2019, 6, 3), overrides=QUICK).model.version
    asked = BacktestRequest(model=version, start=START, end=END, tickers=TICKERS[:3])
    wanted = workspace.backtests.backtest(DEFAULT_UNIVERSE, TICKERS[:3], version, START, END)
    assert in_parts(workspace, asked).to_json() == wanted.diagnosis.to_json()


def test_parts_ask_for_the_version_and_the_configuration_that_were_meant(workspace: Workspace) -> None:
    desk, before = workspace.backtests, workspace.champion(DEFAULT_UNIVERSE)
    wanted = desk.backtest(DEFAULT_UNIVERSE, ("KO", "IBM"), "champion", START, END).diagnosis.to_json()
    whole = desk.spread(
        DEFAULT_UNIVERSE, BacktestRequest(model="champion", start=START, end=END, tickers=("KO", "IBM"))
    )
    naive = workspace.train(DEFAULT_UNIVERSE, until=date(2019, 6, 3), overrides=["model.kind=naive"]).model.version
    workspace.promote(DEFAULT_UNIVERSE, naive, "in the middle of it")
    [part], beside = whole.forecasts(), [desk.opponents(each) for each in whole.opponents()]
    assert part.model == before.version
    said = [desk.forecasts(DEFAULT_UNIVERSE, part)]
    contents, fits = [content for content, _ in beside], [read_fits(each) for _, each in beside]
    assert whole.diagnosis(said, contents, fits).to_json() == wanted
    again = desk.spread(DEFAULT_UNIVERSE, BacktestRequest(model="champion", start=START, end=END), part)
    assert again.subject.label == before.label, "also for the process that takes the job over"
    workspace.rollback(DEFAULT_UNIVERSE)

    asked = BacktestRequest(model="ewma", start=START, end=END, tickers=("KO", "IBM"))
    [part] = desk.spread(DEFAULT_UNIVERSE, asked).forecasts()
    said = [desk.forecasts(DEFAULT_UNIVERSE, part)]
    changed = workspace.config(DEFAULT_UNIVERSE).with_overrides(["windows.lookback=90"])
    workspace.configs.save(DEFAULT_UNIVERSE, changed, "in the middle of it", workspace.clock())
    assert desk.forecasts(DEFAULT_UNIVERSE, part) == said[0]


def test_prices_that_change_while_it_is_under_way_are_noticed(workspace: Workspace) -> None:
    asked = BacktestRequest(model="ewma", start=START, end=END, tickers=("KO",))
    whole = workspace.backtests.spread(DEFAULT_UNIVERSE, asked)
    [mine], [others] = whole.forecasts(), whole.opponents()
    said = workspace.backtests.forecasts(DEFAULT_UNIVERSE, mine)
    frame = workspace.prices.load("KO")
    answers, fits = opponents_part(others, [replace(frame, close=frame.close * 1.01)])
    with pytest.raises(InvalidRequest, match="prices of KO have changed"):
        whole.diagnosis([said], [packed(answers)], [read_fits(fits)])


def test_opponents_travel_without_the_quantiles_that_nobody_asks_for(workspace: Workspace) -> None:
    for model, levels in (("ewma", [len(LEVELS), 0, 0]), ("garch", [len(LEVELS), 0, len(LEVELS)])):
        asked = BacktestRequest(model=model, start=START, end=END, tickers=("KO",))
        [part] = workspace.backtests.spread(DEFAULT_UNIVERSE, asked).opponents()
        made = unpacked(workspace.backtests.opponents(part)[0])
        assert [each.forecaster for each in made] == ["naive", "ewma", "garch"]
        assert [each.ahead.quantiles.shape[1] for each in made] == levels
        assert len({each.fingerprint for each in made}) == 1


def test_a_range_without_a_session_is_refused_before_anything_is_given_away(workspace: Workspace) -> None:
    asked = BacktestRequest(model="champion", start=date(2010, 1, 4), end=date(2010, 2, 4))
    with pytest.raises(InvalidRequest, match="No session from 2010-01-04"):
        workspace.backtests.spread(DEFAULT_UNIVERSE, asked).opponents()


def test_every_ticker_is_shared_out_once_and_to_no_more_than_32_parts() -> None:
    for count in (1, 5, 32, 33, 64, 1000):
        tickers = [f"T{number}" for number in range(count)]
        shares = shared_out(tickers, 1)
        assert sorted(ticker for share in shares for ticker in share) == sorted(tickers)
        assert len(shares) == min(32, count)


def test_the_parts_that_are_begun_last_are_small() -> None:
    sizes = [len(share) for share in shared_out([f"T{number}" for number in range(20)], 2)]
    assert sizes == [3, 3, 2, 2, 2, 2, 2, 2, 1, 1]
    assert [len(share) for share in shared_out(["A", "B", "C", "D", "E"], 2)] == [3, 2], "two share evenly"
