"""What each kind of job was asked to do, in the form that the job table keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Self

from pydantic import BaseModel, ConfigDict, JsonValue

from stockcast.config import Config
from stockcast.evaluation.refits import RefitPolicy
from stockcast.workflows.tune_space import Range

# Models that need no training run of the universe, by the name under which a backtest knows them.
BASELINES = ("naive", "ewma", "garch", "linear")
# How often a backtest lets the model learn anew from what was known by then.
REFITS: tuple[RefitPolicy, ...] = ("never", "yearly", "quarterly")

FEWEST_TRIALS, MOST_TRIALS, USUAL_TRIALS = 2, 200, 20  # of one search

MOST_PARTS = 32  # of one kind in a job: enough for many workers, and each still worth the asking


class JobRequest(BaseModel):
    """Plain data, checked when it is read back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_json(self) -> dict[str, JsonValue]:
        """Plain data for the job table."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, data: Mapping[str, JsonValue]) -> Self:
        """The inverse of `to_json`."""
        return cls.model_validate(data)


class TrainRequest(JobRequest):
    """Which tickers (none: those of the universe), up to which session, with which configuration.

    The configuration is that of the moment of asking: a later edit changes the next training, not this one.
    """

    config: Config
    config_version: int
    tickers: tuple[str, ...] = ()
    until: date | None = None
    refresh: bool = False  # download what is new first


class FetchRequest(JobRequest):
    """Which tickers to download from Yahoo, and which sessions of them (none: all that is new)."""

    tickers: tuple[str, ...]
    start: date | None = None
    end: date | None = None


class BacktestRequest(JobRequest):
    """Which model to backtest on which tickers (none: those of the universe) and sessions."""

    model: str
    start: date
    end: date
    tickers: tuple[str, ...] = ()
    refit: RefitPolicy = "never"


class EvaluateRequest(JobRequest):
    """Which model to score on the sessions that came after it was judged."""

    model: str
    tickers: tuple[str, ...] = ()


class TuneRequest(JobRequest):
    """How many trials of which settings, on which tickers (none: those of the universe) up to which session.

    The configuration is that of the moment of asking, and what a version with the best settings is based on.
    """

    config: Config
    config_version: int
    trials: int
    space: tuple[Range, ...]
    seed: int
    tickers: tuple[str, ...] = ()
    until: date


class PartRequest(JobRequest):
    """A part of another job."""

    part: int = 0  # its number, from 1


class ForecastsRequest(PartRequest):
    """Which model forecasts which tickers on which sessions; `anew`: after it has learnt once before them.

    The model is a version, or a baseline of a configuration: an alias or a configuration in force may mean
    something else when another process asks. What came true is known up to `until`.
    """

    model: str
    config: Config | None  # of a baseline
    tickers: tuple[str, ...]
    start: date
    end: date
    until: date
    anew: bool = False


class OpponentsRequest(PartRequest):
    """Naive, EWMA and GARCH on some tickers of a backtest, GARCH fitted up to these cutoffs before each block.

    `garch_judged` where it is GARCH that is backtested.
    """

    tickers: tuple[str, ...]
    start: date
    end: date
    refit: RefitPolicy
    cutoffs: dict[date, date]
    horizon: int
    lookback: int
    garch_judged: bool = False


class TrialRequest(PartRequest):
    """One trial of a search; the first is of the settings in force. What it tries the study proposes."""


class DownloadsRequest(PartRequest):
    """Some of the tickers of a FetchRequest."""

    tickers: tuple[str, ...]
    start: date | None = None
    end: date | None = None


def shared_out(tickers: Sequence[str], least: int) -> list[tuple[str, ...]]:
    """The tickers of each part: `least` where there are as many, in up to MOST_PARTS parts.

    They are even but that the first two have half of the last two: whoever is done first waits for a small part.
    """
    count = max(1, min(MOST_PARTS, len(tickers) // least))
    shares = [list(tickers[number::count]) for number in range(count)]
    if count >= 4:
        for early, late in ((0, -2), (1, -1)):
            half = len(shares[late]) // 2
            shares[early] += shares[late][:half]
            shares[late] = shares[late][half:]
    return [tuple(share) for share in shares]
