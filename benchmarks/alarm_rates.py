"""How often the rules of the track record ring falsely, and how soon they ring when something is wrong.

python -m benchmarks.alarm_rates [--years 200] [--sessions 60]

Universes are simulated: tickers move together, days are heavy-tailed, volatility comes and goes, and forecaster
and naive are equally wrong about it, each in its own way. After a first year of record the rules look every night
of a second one, as they do in the house. A false alarm is a year in which a rule rang at all though nothing had
changed; beside it stands the textbook: Diebold-Mariano without lags at p < 0.05 each night, and the binomial band
of all forecasts. Then the forecaster's scale goes wrong, and the sessions are counted until a rule rings. The
tables are Markdown, for docs/decisions/0026.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrik, beta, stdtr

from stockcast.config import AlertsConfig
from stockcast.evaluation.comparison import daily_means
from stockcast.evaluation.significance import diebold_mariano
from stockcast.monitoring.performance_rules import YEAR, judge
from stockcast.monitoring.scored import Scored

Floats = NDArray[np.float64]
DAY = np.datetime64("2020-01-01", "D")
FREEDOM = 4.0  # of the Student-t of returns; the tickers of a session share its shock


@dataclass(frozen=True)
class World:
    """What a universe is like. Both believe in the true scale times an error that is an AR(1) on the log scale."""

    tickers: int
    common: float = 0.4  # correlation of the returns of a session
    error: float = 0.1  # standard deviation of either's error
    lasting: float = 0.5  # its autocorrelation from session to session
    apart: bool = False  # whether each ticker is judged by itself, too
    wrong: float = 1.0  # what the forecaster's scale is multiplied by from the second year on


def record(world: World, seed: int) -> Scored:
    """Two years of a universe, D sessions of T tickers."""
    random, days, count = np.random.default_rng(seed), 2 * YEAR, world.tickers
    volatility = np.exp(_ar(random, days, 0.97, 0.4))
    shock = np.sqrt(FREEDOM / random.chisquare(FREEDOM, days))[:, None]
    common = np.sqrt(world.common) * random.standard_normal((days, 1))
    own = np.sqrt(1 - world.common) * random.standard_normal((days, count))
    returns = volatility[:, None] * shock * (common + own)  # [D, T]
    wrong = np.where(np.arange(days) < YEAR, 1.0, world.wrong)
    believed = (volatility * wrong * np.exp(_ar(random, days, world.lasting, world.error)))[:, None]
    beside = (volatility * np.exp(_ar(random, days, world.lasting, world.error)))[:, None]
    sessions, size = np.repeat(DAY + np.arange(days), count), days * count
    yes, nothing = np.ones(size, dtype=np.bool_), np.zeros((size, 0))
    return Scored(
        universe="simulated",
        horizon=1,
        journal_ids=np.arange(size),
        issued_at=np.zeros(size, dtype="datetime64[us]"),
        tickers=np.tile(np.array([f"T{number * world.apart:02d}" for number in range(count)]), days),
        versions=np.full(size, "1"),
        cutoffs=sessions - 1,
        sessions=sessions,
        from_store=yes,
        live=yes,
        returns=returns.ravel(),
        crps=_crps(returns, believed).ravel(),
        naive_crps=_crps(returns, beside).ravel(),
        pit=stdtr(FREEDOM, returns / believed).ravel(),
        quantiles=nothing,
        naive_quantiles=nothing,
    )


def _ar(random: np.random.Generator, days: int, lasting: float, deviation: float) -> Floats:
    steps, found = random.standard_normal(days), np.empty(days)
    found[0] = steps[0]
    for day in range(1, days):
        found[day] = lasting * found[day - 1] + np.sqrt(1 - lasting**2) * steps[day]
    return deviation * found


def _crps(returns: Floats, scale: Floats) -> Floats:
    """CRPS of a Student-t with FREEDOM degrees (Jordan, Krüger and Lerch, 2019)."""
    z, v = returns / scale, FREEDOM
    density = (1 + z * z / v) ** (-(v + 1) / 2) / (np.sqrt(v) * beta(0.5, v / 2))
    rest = 2 * np.sqrt(v) / (v - 1) * beta(0.5, v - 0.5) / beta(0.5, v / 2) ** 2
    return scale * (z * (2 * stdtr(v, z) - 1) + 2 * density * (v + z * z) / (v - 1) - rest)


@dataclass
class Rung:
    """First session of the second year on which each rule rang, counted from 1; 0: it never did."""

    skill: int = 0
    coverage: int = 0
    of_tickers: int = 0  # either rule, for any ticker
    textbook_skill: int = 0
    textbook_coverage: int = 0

    def ring(self, name: str, day: int) -> None:
        if not getattr(self, name):
            setattr(self, name, day)


def look_through(world: World, seed: int, config: AlertsConfig) -> Rung:
    """Every night of the second year."""
    whole, rung, count = record(world, seed), Rung(), world.tickers
    for day in range(1, YEAR + 1):
        stop = (YEAR + day) * count
        known = whole.where(_between(stop - YEAR * count, stop, len(whole)))
        for verdict in judge(known, config):
            if verdict.outcome == "fires":
                rung.ring(verdict.rule if verdict.ticker is None else "of_tickers", day)
        last = whole.where(_between(stop - config.sessions * count, stop, len(whole)))
        own, naive = daily_means(last.crps, last.sessions), daily_means(last.naive_crps, last.sessions)
        test = diebold_mariano(own, naive)
        if test.statistic < 0 and test.p_value < 0.05:
            rung.ring("textbook_skill", day)
        if any(_textbook_band(last.pit, share) for share in (0.8, 0.9)):
            rung.ring("textbook_coverage", day)
    return rung


def _between(start: int, stop: int, count: int) -> NDArray[np.bool_]:
    rows = np.arange(count)
    return (rows >= start) & (rows < stop)


def _textbook_band(pit: Floats, share: float) -> bool:
    """Whether the coverage lies outside of the 95 % band of so many independent forecasts."""
    count, held = len(pit), float(np.mean(np.abs(pit - 0.5) <= share / 2))
    low, high = bdtrik(0.025, count, share) / count, 1 - bdtrik(0.025, count, 1 - share) / count
    return not low <= held <= high


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=int, default=200)
    parser.add_argument("--sessions", type=int, default=60)
    asked = parser.parse_args()
    config = AlertsConfig(sessions=asked.sessions)
    print(f"Years with a false alarm, of {asked.years} each; {asked.sessions} sessions, level {config.level:g}\n")
    print("| universe | skill | skill, textbook | coverage | coverage, textbook |\n|---|---|---|---|---|")
    healthy = World(20)
    for words, world in (
        ("1 ticker", World(1)),
        ("5 tickers, correlation 0.4", World(5)),
        ("20 tickers, correlation 0.4", healthy),
        ("20 tickers, correlation 0.7", World(20, common=0.7)),
        ("20 tickers, independent", World(20, common=0.0)),
        ("20 tickers, errors last for weeks", World(20, lasting=0.9)),
    ):
        found = [look_through(world, seed, config) for seed in range(asked.years)]
        shares = [_share(found, name) for name in ("skill", "textbook_skill", "coverage", "textbook_coverage")]
        print(f"| {words} | " + " | ".join(shares) + " |", flush=True)
    found = [look_through(replace(healthy, apart=True), seed, config) for seed in range(asked.years // 4)]
    print(f"\nAny rule for any of 20 tickers, {asked.years // 4} years: {_share(found, 'of_tickers')}")
    print(f"\nSessions until a rule rings, median of {asked.years // 4}, and how often it does within a year\n")
    print("| the forecaster's scale, 20 tickers | skill | coverage |\n|---|---|---|")
    for wrong in (0.5, 0.7, 0.8, 1.25, 1.5, 2.0):
        found = [look_through(replace(healthy, wrong=wrong), seed, config) for seed in range(asked.years // 4)]
        print(
            f"| x {wrong:g} | {_soon([r.skill for r in found])} | {_soon([r.coverage for r in found])} |",
            flush=True,
        )


def _share(found: list[Rung], name: str) -> str:
    return f"{np.mean([bool(getattr(rung, name)) for rung in found]) * 100:.1f} %"


def _soon(days: list[int]) -> str:
    rang = [day for day in days if day]
    return f"{np.median(rang):.0f} ({len(rang) / len(days):.0%})" if rang else "never"


if __name__ == "__main__":
    main()
