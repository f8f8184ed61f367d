"""Shared material: seeded histories with clustered volatility, a market, the bundled sample, trained LSTMs."""

from __future__ import annotations

import importlib.resources
import os
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy
from hypothesis import settings

from stockcast.config import Config
from stockcast.database import Database
from stockcast.evaluation.split import Split, split_dates, training_pairs
from stockcast.forecasting.forecaster import TrainingPair
from stockcast.forecasting.network_forecaster import NetworkForecaster
from stockcast.forecasting.observer import UNWATCHED, Observer
from stockcast.prices.frame import PriceFrame
from stockcast.prices.sessions import all_sessions
from stockcast.prices.tickers import exchange_of

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("STOCKCAST_WORKER_LINGER", "0")  # no test leaves a warm worker behind
# The suite runs on several processes already, and networks this small only wait for one another on two threads.
os.environ.setdefault("STOCKCAST_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
# The same examples at every run: a red test stays red until somebody mends it.
settings.register_profile("stockcast", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("stockcast")

AS_OF = datetime(2024, 1, 2, 22, tzinfo=UTC)
MakeFrame = Callable[..., PriceFrame]
TrainLstm = Callable[..., NetworkForecaster]


def garch_closes(count: int, seed: int) -> np.ndarray:
    """Closes whose volatility clusters and whose tails are heavy, as those of a stock. [T]"""
    random = np.random.default_rng(seed)
    shocks = random.standard_t(6, count) / np.sqrt(1.5)
    returns, variance = np.empty(count), 2e-4
    for step in range(count):
        returns[step] = np.sqrt(variance) * shocks[step]
        variance = 4e-6 + 0.08 * returns[step] ** 2 + 0.90 * variance
    return 50.0 * np.exp(np.cumsum(returns))


def frame_of(closes: np.ndarray, ticker: str = "AAPL", last: date = date(2019, 12, 30)) -> PriceFrame:
    """A history of closes alone, whose last close belongs to the session `last` or the one before it."""
    days = all_sessions(exchange_of(ticker).code)
    stop = int(np.searchsorted(days, np.datetime64(last, "D"), side="right"))
    index = pd.DatetimeIndex(days[stop - len(closes) : stop].astype("datetime64[ns]"), name="session")
    return PriceFrame.from_dataframe(
        pd.DataFrame({"close": closes}, index=index), ticker=ticker, source="test", as_of=AS_OF
    )


def bars_of(closes: np.ndarray, seed: int, ticker: str = "AAPL", last: date = date(2019, 12, 30)) -> PriceFrame:
    """A history whose sessions gap, swing around their close as much as it has moved lately, and trade."""
    random = np.random.default_rng(1_000_000 + seed)
    returns = np.diff(np.log(closes), prepend=np.log(closes[0]))
    swing = np.sqrt(np.convolve(returns**2, np.full(10, 0.1))[: len(closes)]) + 1e-4
    opens = closes * np.exp(-returns + 0.3 * swing * random.standard_normal(len(closes)))
    above, below = 0.5 * swing * np.abs(random.standard_normal((2, len(closes))))
    frame = frame_of(closes, ticker, last)
    bars = frame.to_dataframe().assign(
        open=opens,
        high=np.maximum(opens, closes) * np.exp(above),
        low=np.minimum(opens, closes) * np.exp(-below),
        volume=np.round(np.exp(14 + 0.3 * random.standard_normal(len(closes)) + 10 * np.abs(returns))),
    )
    return PriceFrame.from_dataframe(bars, ticker=ticker, source="test", as_of=AS_OF)


@pytest.fixture(scope="session")
def make_frame() -> MakeFrame:
    """Makes a seeded history: make_frame(ticker="AAPL", count=700, seed=1, closes=None, last=...)."""

    def make(
        ticker: str = "AAPL",
        count: int = 700,
        seed: int = 1,
        closes: np.ndarray | None = None,
        last: date = date(2019, 12, 30),
    ) -> PriceFrame:
        return frame_of(garch_closes(count, seed) if closes is None else closes, ticker, last)

    return make


@pytest.fixture(scope="session")
def make_bars() -> MakeFrame:
    """Makes a seeded history of whole bars: make_bars(ticker="AAPL", count=700, seed=1, closes=None, last=...)."""

    def make(
        ticker: str = "AAPL",
        count: int = 700,
        seed: int = 1,
        closes: np.ndarray | None = None,
        last: date = date(2019, 12, 30),
    ) -> PriceFrame:
        return bars_of(garch_closes(count, seed) if closes is None else closes, seed, ticker, last)

    return make


@pytest.fixture(scope="session")
def market_frames(make_bars: MakeFrame) -> tuple[PriceFrame, ...]:
    """Whole bars of six tickers of New York, enough for a market."""
    names = ("AAPL", "IBM", "KO", "MSFT", "PEP", "XOM")
    return tuple(make_bars(name, 620, seed=20 + number) for number, name in enumerate(names))


@pytest.fixture(scope="session")
def sample_frames() -> tuple[PriceFrame, ...]:
    """Adjusted closes of AAPL, IBM and MSFT, 2000 to 2013, as bokeh-sampledata ships them."""
    with importlib.resources.as_file(
        importlib.resources.files("bokeh_sampledata") / "_data" / "stocks.csv.gz"
    ) as path:
        rows = pd.read_csv(path)
    frames = []
    for ticker in ("AAPL", "IBM", "MSFT"):
        part = rows[rows["Ticker"] == ticker]
        bars = pd.DataFrame({"close": part["Adj Close"].to_numpy()}, index=pd.to_datetime(part["Date"]))
        frames.append(PriceFrame.from_dataframe(bars, ticker=ticker, source="sample", as_of=AS_OF))
    return tuple(frames)


@pytest.fixture(scope="session")
def small_config() -> Config:
    """A network that trains in a second."""
    return Config().with_overrides(
        ["training.max_epochs=2", "network.hidden_size=8", "training.batch_size=16", "training.accelerator=cpu"]
    )


@pytest.fixture(scope="session")
def small_split(make_frame: MakeFrame, small_config: Config) -> tuple[Split, list[TrainingPair]]:
    """Two synthetic histories, cut."""
    frames = [make_frame("AAPL", 700, seed=1), make_frame("IBM", 700, seed=2)]
    split = split_dates(frames, small_config)
    pairs, left_out = training_pairs(frames, split, small_config)
    assert not left_out
    return split, pairs


@pytest.fixture(scope="session")
def market_split(market_frames: tuple[PriceFrame, ...], small_config: Config) -> tuple[Split, list[TrainingPair]]:
    """The market, cut."""
    split = split_dates(market_frames, small_config)
    pairs, left_out = training_pairs(market_frames, split, small_config)
    assert not left_out
    return split, pairs


@pytest.fixture(scope="session")
def train_lstm(tmp_path_factory: pytest.TempPathFactory) -> TrainLstm:
    """Trains a network: train_lstm(config, pairs, observer=..., checkpoint=...)."""
    from stockcast.forecasting.lstm.estimator import LstmEstimator

    def train(
        config: Config,
        pairs: list[TrainingPair],
        observer: Observer = UNWATCHED,
        checkpoint: Path | None = None,
    ) -> NetworkForecaster:
        scratch = tmp_path_factory.mktemp("scratch")
        forecaster = LstmEstimator(config, scratch, threads=1, checkpoint=checkpoint).fit(pairs, observer)
        assert not list(scratch.iterdir()), "training left files in the scratch folder"
        return forecaster

    return train


@pytest.fixture(scope="session")
def trained_lstm(
    train_lstm: TrainLstm, small_config: Config, small_split: tuple[Split, list[TrainingPair]]
) -> NetworkForecaster:
    """An LSTM after two epochs on the synthetic histories."""
    return train_lstm(small_config, small_split[1])


@pytest.fixture(scope="session")
def market_lstm(
    train_lstm: TrainLstm, small_config: Config, market_split: tuple[Split, list[TrainingPair]]
) -> NetworkForecaster:
    """An LSTM after two epochs on the market, which reads bars and market beside closes."""
    return train_lstm(small_config, market_split[1])


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """A fresh schema on a real PostgreSQL; where no server answers a test is skipped, but in CI it fails."""
    base = os.environ.get("STOCKCAST_TEST_POSTGRES", "postgresql+psycopg://root@127.0.0.1:5432/test")
    engine = sqlalchemy.create_engine(base, connect_args={"connect_timeout": 3})
    schema = f"stockcast_{uuid.uuid4().hex[:12]}"
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    except sqlalchemy.exc.OperationalError as problem:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI needs PostgreSQL: {problem}")
        pytest.skip("no PostgreSQL answers; STOCKCAST_TEST_POSTGRES names one")
    try:
        yield f"{base}{'&' if '?' in base else '?'}options=-csearch_path%3D{schema}"
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
            connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {schema}_tuning CASCADE")  # of searches
        engine.dispose()


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """A fresh SQLite database with all tables."""
    return Database(f"sqlite:///{tmp_path / 'stockcast.db'}")
