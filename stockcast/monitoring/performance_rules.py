"""Performance drift: does the live record still hold what the champion was trusted for? Pure, over arrays.

A rule is asked every night over windows that overlap: p < 0.05 at each look would ring falsely in more than every
second year. `level` is therefore the chance for a whole year of looks; docs/decisions/0026 has the figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue
from scipy.special import bdtrik, stdtrit

from stockcast.config import AlertsConfig
from stockcast.evaluation.comparison import daily_means, skill
from stockcast.evaluation.significance import diebold_mariano, p_text
from stockcast.monitoring.live_coverage import independent_count
from stockcast.monitoring.scored import Bools, Scored

Rule = Literal["skill", "coverage", "drift"]

# `fires` opens an alert, `holds` only keeps one open, `quiet` closes it, and `unknown` changes nothing.
Outcome = Literal["fires", "holds", "quiet", "unknown"]

SHARES = (0.8, 0.9)  # what the intervals promise whose coverage is watched

# A year of nightly looks at overlapping windows rings as often as this many independent looks for each time that a
# window fits into the year: by simulation, for 40 to 250 sessions (benchmarks/alarm_rates.py).
LOOKS = 8
YEAR = 250  # sessions

# Losses of one session are like those of the sessions around it: covariances up to LAGS - 1 sessions are counted.
LAGS = 5

# Tickers of a session are inside or outside of their intervals together. How much is measured over up to YEAR
# sessions, and not taken for less than this: it was 0.10 to 0.26 on three panels of US shares.
LEAST_CORRELATION = 0.1


@dataclass(frozen=True)
class Verdict:
    """What a rule says of a universe, or of one of its tickers."""

    rule: Rule
    ticker: str | None  # None: the whole universe
    outcome: Outcome
    sentence: str  # for an analyst, with figures and counts
    evidence: Mapping[str, JsonValue]  # shares and skill are of one


def judge(record: Scored, config: AlertsConfig) -> list[Verdict]:
    """Skill and coverage of a universe and of each of its tickers with enough forecasts.

    `record` holds live outcomes one session ahead, each ticker and cutoff once. All tickers together have the same
    `level` as the universe: the more there are, the more it takes for one of them to ring.
    """
    verdicts = [_skill(record, None, 1, config), _coverage(record, None, 1, config)]
    # One ticker is its own universe.
    names = np.unique(record.tickers)
    parts = {str(name): record.where(record.tickers == name) for name in (names if len(names) > 1 else ())}
    enough = {name: part for name, part in parts.items() if len(part) >= config.sessions}
    for name, part in enough.items():
        verdicts += [_skill(part, name, len(enough), config), _coverage(part, name, len(enough), config)]
    return verdicts


def judge_drift(ticker: str, found: Sequence[tuple[date, bool]], config: AlertsConfig) -> Verdict:
    """Whether the input of a ticker was red on `drift_red` of its last `drift_sessions` cutoffs.

    `found` holds cutoff and whether a red finding stands there, oldest first, each cutoff once.
    """
    last = found[-config.drift_sessions :]
    red = [cutoff for cutoff, is_red in last if is_red]
    evidence: dict[str, JsonValue] = {
        "sessions": len(last),
        "red": len(red),
        "cutoffs": [cutoff.isoformat() for cutoff in red],
    }
    if len(red) >= config.drift_red:
        sentence = (
            f"{ticker}: red findings on {len(red)} of its last {len(last)} sessions, the last on {red[-1]}. "
            "Its prices look wrong, and so may its forecasts be."
        )
        return Verdict("drift", ticker, "fires", sentence, evidence)
    if len(last) < config.drift_red:
        return _too_few("drift", ticker, len(last), config.drift_red)
    sentence = f"{ticker}: red findings on {len(red)} of its last {len(last)} sessions."
    return Verdict("drift", ticker, "holds" if red else "quiet", sentence, evidence)


def look_level(config: AlertsConfig, family: int) -> float:
    """The level of one look that leaves `family` tests looked at through a year with `level` in all."""
    looks = LOOKS * max(YEAR / config.sessions, 1.0) * family
    return float(-np.expm1(np.log1p(-config.level) / looks))


def _skill(record: Scored, ticker: str | None, family: int, config: AlertsConfig) -> Verdict:
    record = record.where(np.isfinite(record.naive_crps))
    sessions = np.unique(record.sessions)
    if len(sessions) < config.sessions:
        return _too_few("skill", ticker, len(sessions), config.sessions)
    record = record.where(record.sessions >= sessions[-config.sessions])
    own, naive = daily_means(record.crps, record.sessions), daily_means(record.naive_crps, record.sessions)
    test, found = diebold_mariano(own, naive, LAGS), skill(own, naive)
    once, needed = test.p_value / 2, look_level(config, family)  # one-sided: only worse than naive is an alarm
    worse = test.statistic < 0
    outcome: Outcome = "quiet"
    if worse and once < config.level:
        outcome = "fires" if once < needed else "holds"
    meaning = {
        "fires": "worse than naive, and hardly by chance",
        "holds": "worse than naive, but that may be chance",
        "quiet": "no more than chance brings" if worse else "not worse than naive",
    }[outcome]
    sentence = (
        f"{_who(ticker)} skill over naive was {found * 100:+.1f} % over {_window(record)}: {meaning} "
        f"({p_text(once if worse else 1 - once)}; an alert needs p < {needed:.2g})."
    )
    evidence = _evidence(record) | {"skill": found, "p_value": once if worse else 1 - once, "needed": needed}
    return Verdict("skill", ticker, outcome, sentence, evidence)


def _coverage(record: Scored, ticker: str | None, family: int, config: AlertsConfig) -> Verdict:
    sessions = np.unique(record.sessions)
    if len(sessions) < config.sessions:
        return _too_few("coverage", ticker, len(sessions), config.sessions)
    lasting = record.where(record.sessions >= sessions[-max(config.sessions, YEAR) :][0])
    record = record.where(record.sessions >= sessions[-config.sessions])
    opens, keeps = look_level(config, len(SHARES) * family), config.level / len(SHARES)
    bands = [_Band.of(share, record, lasting, opens, keeps) for share in SHARES]
    worst = max(bands, key=lambda band: (band.outside, band.outside_narrow, abs(band.held - band.share)))
    outcome: Outcome = "fires" if worst.outside else "holds" if worst.outside_narrow else "quiet"
    meaning = {
        "fires": f"intervals are too {'narrow' if worst.held < worst.share else 'wide'}, and hardly by chance",
        "holds": f"a little too {'narrow' if worst.held < worst.share else 'wide'}, but that may be chance",
        "quiet": "as promised",
    }[outcome]
    told = ", ".join(
        f"{band.held * 100:.1f} % in the {band.share * 100:.0f} % interval "
        f"(chance leaves {band.lower * 100:.1f} to {band.upper * 100:.1f} %)"
        for band in (bands if outcome == "quiet" else [worst])
    )
    worth = "" if worst.worth > 0.99 * len(record) else f", worth {worst.worth:,.0f} independent ones"
    sentence = f"{_who(ticker)} outcomes were {told} over {_window(record, worth)}: {meaning}."
    evidence = _evidence(record) | {
        f"coverage_{band.share * 100:.0f}": {
            "held": band.held, "lower": band.lower, "upper": band.upper, "worth": band.worth
        }
        for band in bands
    }  # fmt: skip
    return Verdict("coverage", ticker, outcome, sentence, evidence)


@dataclass(frozen=True)
class _Band:
    """The share of outcomes inside the interval that promises `share`, and what chance leaves of that."""

    share: float
    held: float
    worth: float  # independent forecasts that would tell as much
    lower: float
    upper: float
    outside_narrow: bool  # outside of the band of a single look

    @property
    def outside(self) -> bool:
        """Whether it is outside of the band of a year of looks."""
        return not self.lower <= self.held <= self.upper

    @staticmethod
    def of(share: float, record: Scored, lasting: Scored, opens: float, keeps: float) -> _Band:
        """The binomial band at the effective number of forecasts (Korn and Graubard, 1998)."""
        inside = _inside(record, share)
        held, worth = float(inside.mean()), _worth(record, lasting, share)
        lower, upper = _binomial_band(share, worth, opens)
        narrow = _binomial_band(share, worth, keeps)
        return _Band(share, held, worth, lower, upper, not narrow[0] <= held <= narrow[1])


def _inside(record: Scored, share: float) -> Bools:
    # 0.1 and 0.9 are told by 60 levels and back: what lies on the edge is inside.
    return np.asarray(np.abs(record.pit - 0.5) <= share / 2 + 1e-9)


def _worth(record: Scored, lasting: Scored, share: float) -> float:
    """How many independent forecasts tell as much about coverage as those of `record` do.

    Forecasts of one session hit or miss together. How much so is estimated over `lasting`: 60 calm sessions would
    show too little of it.
    """
    _, counts = np.unique(record.sessions, return_counts=True)
    if counts.max() == 1:
        return float(len(record))
    _, there = np.unique(lasting.sessions, return_counts=True)
    effect = len(lasting) / independent_count(_inside(lasting, share), lasting.sessions, 1)
    correlation = max((effect - 1) / (_as_one(there) - 1), LEAST_CORRELATION)
    # The correlation is an estimate itself, from so many sessions.
    uncertain = (1.96 / float(stdtrit(len(there) - 1, 0.975))) ** 2
    return len(record) / (1 + correlation * (_as_one(counts) - 1)) * uncertain


def _as_one(counts: NDArray[np.intp]) -> float:
    """The design effect if all tickers of a session were one, from the forecasts of each session."""
    return float((counts**2).sum() / counts.sum())


def _binomial_band(share: float, count: float, level: float) -> tuple[float, float]:
    """Shares of `count` independent forecasts that chance leaves, but for `level` of the time.

    A count need not be whole. Where even none or all would be no surprise, that end is open.
    """
    below, above = bdtrik(level / 2, count, share), bdtrik(level / 2, count, 1 - share)
    return float(below / count), float(1 - above / count)


def _too_few(rule: Rule, ticker: str | None, count: int, needed: int) -> Verdict:
    sentence = f"{_who(ticker)} {rule} is not judged yet: too few forecasts ({count} of {needed} sessions)."
    return Verdict(rule, ticker, "unknown", sentence, {"sessions": count, "needed": needed})


def _who(ticker: str | None) -> str:
    return "The universe's" if ticker is None else f"{ticker}'s"


def _window(record: Scored, worth: str = "") -> str:
    days, tickers = np.unique(record.sessions), len(np.unique(record.tickers))
    counted = f"{len(record):,} forecasts" + (f" of {tickers:,} tickers" if tickers > 1 else "")
    return f"the last {len(days)} sessions ({days[0]} to {days[-1]}, {counted}{worth})"


def _evidence(record: Scored) -> dict[str, JsonValue]:
    days = np.unique(record.sessions)
    return {
        "sessions": len(days),
        "first": str(days[0]),
        "last": str(days[-1]),
        "forecasts": len(record),
        "tickers": len(np.unique(record.tickers)),
    }
