"""Diagnosis: everything that the Backtest page and the reports show of one backtest, as plain values.

Shares are of one, returns and CRPS in percent of the price. Everything is one session ahead unless a horizon is
named. Every average stands beside its count and the naive one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pydantic import JsonValue, TypeAdapter, ValidationError

from stockcast.errors import CorruptBundle
from stockcast.evaluation.scorecard import Scorecard

NAIVE = "naive"


@dataclass(frozen=True)
class Period:
    """A month or a quarter of a duel."""

    name: str  # "2012-05" or "2012 Q2"
    first_session: date
    last_session: date
    count: int  # forecasts
    skill: float
    advantage: float  # the opponent's CRPS less ours, averaged per session and added up over the sessions


@dataclass(frozen=True)
class TickerDuel:
    """One ticker of a duel."""

    ticker: str
    count: int
    skill: float
    p_value: float


@dataclass(frozen=True)
class Duel:
    """CRPS against one opponent on the same sessions; skill > 0 when the backtested model is better."""

    opponent: str
    skill: float
    dm_statistic: float
    p_value: float  # two-sided Diebold-Mariano, on means per session
    sessions: int
    count: int  # forecasts
    tickers: tuple[TickerDuel, ...]
    periods: tuple[Period, ...]

    @property
    def won(self) -> int:
        """Tickers on which the model's CRPS was lower."""
        return sum(ticker.skill > 0 for ticker in self.tickers)


@dataclass(frozen=True)
class LevelShare:
    """One point of the calibration curve: how often the return lay at or below the quantile of a level."""

    level: float
    share: float
    naive_share: float
    low: float  # where a calibrated forecaster's share lies with 95 % probability (binomial)
    high: float


@dataclass(frozen=True)
class HorizonCoverage:
    """How often the intervals held some sessions ahead."""

    horizon: int
    count: int
    coverage_80: float
    naive_coverage_80: float
    coverage_90: float
    naive_coverage_90: float
    coverage_95: float
    naive_coverage_95: float


@dataclass(frozen=True)
class PitHistogram:
    """Where inside its distribution each return came true; even when the forecasts are calibrated."""

    counts: tuple[int, ...]  # of equal bins from 0 to 1
    low: int  # where a calibrated forecaster's count lies with 95 % probability (binomial)
    high: int
    sentence: str


@dataclass(frozen=True)
class RegimeCoverage:
    """How often the intervals held in calm, usual and turbulent sessions, a third of each ticker's each."""

    name: str
    count: int
    volatility: float  # mean daily EWMA(0.94) volatility at the cutoff, in percent
    coverage_80: float
    naive_coverage_80: float
    coverage_90: float
    naive_coverage_90: float


@dataclass(frozen=True)
class WorstSession:
    """A session that the distribution foresaw least, in percent of the last close."""

    session: date
    ticker: str
    actual: float
    low_95: float
    high_95: float
    crps: float
    naive_crps: float


@dataclass(frozen=True)
class Diagnosis:
    """What a backtest says of a model, the sentence first."""

    label: str  # how the model is named to a person, for example "lstm v3"
    verdict: str
    scorecard: Scorecard
    duels: tuple[Duel, ...]  # naive first
    calibration: tuple[LevelShare, ...]
    pit: PitHistogram
    horizons: tuple[HorizonCoverage, ...]
    regimes: tuple[RegimeCoverage, ...]
    worst: tuple[WorstSession, ...]

    def duel(self, opponent: str) -> Duel | None:
        """The duel against an opponent, None when there was none."""
        return next((duel for duel in self.duels if duel.opponent == opponent), None)

    def to_json(self) -> dict[str, JsonValue]:
        """Plain data; dates as ISO text."""
        data: dict[str, JsonValue] = _DIAGNOSIS.dump_python(self, mode="json")
        return data

    @staticmethod
    def from_json(data: Mapping[str, JsonValue]) -> Diagnosis:
        """The inverse of `to_json`. Raises CorruptBundle for anything else, such as another version's."""
        try:
            return _DIAGNOSIS.validate_python(data)
        except ValidationError as problem:
            first = problem.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise CorruptBundle(
                f"The backtest cannot be read: {where}: {first['msg']}.", "Run the backtest again."
            ) from problem


_DIAGNOSIS = TypeAdapter(Diagnosis)
