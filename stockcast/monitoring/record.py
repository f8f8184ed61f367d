"""What a track record says, as plain values: figures beside naive, their bands, and what does not count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pydantic import JsonValue, TypeAdapter

from stockcast.evaluation.diagnosis import PitHistogram
from stockcast.evaluation.significance import p_text
from stockcast.monitoring.live_coverage import LiveCoverage
from stockcast.monitoring.miss_cusum import MissCusum

SHARES = (0.8, 0.9, 0.95)
LATELY = 60  # sessions of which a record is told where only the last matter
# Fewer say little of a mean, and nothing of how tickers move together.
LEAST_SESSIONS = 20


@dataclass(frozen=True)
class LeftOut:
    """Scored forecasts that are no part of the record, each for the first reason that holds."""

    uploaded: int  # read an uploaded window, which may say anything
    after_the_fact: int  # issued when their session had closed
    repeated: int  # said again, by another page, command or program, what had been said
    revised: int  # said something else when something had been said

    @property
    def count(self) -> int:
        """All of them."""
        return self.uploaded + self.after_the_fact + self.repeated + self.revised

    @property
    def sentence(self) -> str:
        """For a person; empty when nothing was left out."""
        reasons = (
            (self.after_the_fact, "issued after their session had closed"),
            (self.uploaded, "of uploaded windows"),
            (self.repeated, "a repetition of what had been said"),
            (self.revised, "another word on what had been forecast before"),
        )
        told = [f"{count:,} {reason}" for count, reason in reasons if count]
        return f"Not counted: {', '.join(told)}." if told else ""


@dataclass(frozen=True)
class LiveScores:
    """Figures beside the naive ones: MAPE in percent, CRPS in percent of the price, skill 1 - CRPS / naive CRPS.

    `p_value` is the two-sided one of Diebold and Mariano on means per session.
    """

    count: int  # forecasts
    sessions: int
    first_session: date
    last_session: date
    mape: float
    naive_mape: float
    mape_ratio: float
    crps: float
    naive_crps: float
    skill: float
    dm_statistic: float
    p_value: float
    coverages: tuple[LiveCoverage, ...]  # of the 80, 90 and 95 % intervals

    @property
    def enough(self) -> bool:
        """Whether something can be told from it."""
        return self.sessions >= LEAST_SESSIONS

    def coverage(self, promised: float) -> LiveCoverage:
        """That of one of SHARES."""
        return next(each for each in self.coverages if each.promised == promised)


@dataclass(frozen=True)
class Promise:
    """What backtests promised of the versions that spoke, each weighted by how often it did."""

    count: int  # forecasts of the record by versions whose scorecard is known
    mape_ratio: float
    skill: float
    coverage_80: float
    coverage_90: float
    coverage_95: float


@dataclass(frozen=True)
class RecordPart:
    """One ticker or model version of the record."""

    name: str
    scores: LiveScores
    promise: Promise | None = None


@dataclass(frozen=True)
class SkillPoint:
    """The record as it stood after a session."""

    session: date
    count: int  # forecasts up to then
    skill: float
    advantage: float  # naive CRPS less ours, averaged per session and added up, in percent


@dataclass(frozen=True)
class TrackRecord:
    """A universe's forecasts that came true, `horizon` sessions ahead."""

    universe: str
    horizon: int
    ticker: str | None
    model_version: str | None
    left_out: LeftOut
    scores: LiveScores | None = None  # None while nothing counts yet
    promise: Promise | None = None  # None where no scorecard is known; scorecards are one session ahead
    pit: PitHistogram | None = None  # ten bins
    cusum: MissCusum | None = None  # None several sessions ahead, where misses overlap
    path: tuple[SkillPoint, ...] = ()  # one a session
    tickers: tuple[RecordPart, ...] = ()
    versions: tuple[RecordPart, ...] = ()

    @property
    def count(self) -> int:
        """Forecasts that count."""
        return self.scores.count if self.scores else 0

    @property
    def sentence(self) -> str:
        """What it comes to, for a person."""
        found = self.scores
        if found is None:
            return "No live forecast has come true yet."
        better = f"{abs(found.skill) * 100:.2f} % {'lower' if found.skill >= 0 else 'higher'} than naive"
        return (
            f"{found.count:,} live forecasts over {found.sessions:,} sessions: CRPS {better} "
            f"({p_text(found.p_value)}). {found.coverage(0.8).sentence}"
        )

    def to_json(self) -> dict[str, JsonValue]:
        """Plain data; dates as ISO text."""
        data: dict[str, JsonValue] = _RECORD.dump_python(self, mode="json")
        return data


_RECORD = TypeAdapter(TrackRecord)
