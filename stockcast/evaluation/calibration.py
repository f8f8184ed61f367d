"""Whether the promised probabilities held: by level, inside the distribution, by horizon and by volatility.

The bands are those of independent forecasts. Tickers move together, so that with many tickers a share outside its
band is a hint and no proof.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import bdtrik

from stockcast.evaluation.answers import REACH_SHARES, Answers, Reach
from stockcast.evaluation.diagnosis import HorizonCoverage, LevelShare, PitHistogram, RegimeCoverage
from stockcast.evaluation.one_ahead import OneAhead
from stockcast.forecasting.distribution import Distribution
from stockcast.forecasting.quantiles import LEVELS
from stockcast.forecasting.returns import Floats

BINS = 20
REGIMES = ("calm", "usual", "turbulent")


def calibration_curve(mine: OneAhead, naive: OneAhead) -> tuple[LevelShare, ...]:
    """Share of returns at or below each quantile, with the band of a calibrated forecaster."""
    share, beside = ((each.returns[:, None] <= each.quantiles).mean(axis=0) for each in (mine, naive))
    return tuple(
        LevelShare(
            float(level), float(ours), float(theirs), *(edge / len(mine) for edge in band(level, len(mine)))
        )
        for level, ours, theirs in zip(LEVELS, share, beside, strict=True)
    )


def pit_histogram(mine: OneAhead) -> PitHistogram:
    """The PIT of every forecast in 20 bins, and what their shape says."""
    values = Distribution.of(mine.quantiles).probability(mine.returns)
    counts, _ = np.histogram(np.clip(values, 0, 1), bins=BINS, range=(0, 1))
    return PitHistogram(tuple(counts.tolist()), *band(1 / BINS, len(mine)), pit_sentence(values, len(mine)))


def horizon_coverage(mine: Answers, naive: Answers) -> tuple[HorizonCoverage, ...]:
    """How often the intervals held at every horizon that both know; sessions outside the backtest do not count."""
    own, other = (Reach.total([part.reach for part in each.parts]) for each in (mine, naive))
    found = []
    for at in range(min(len(own.known), len(other.known))):
        if not own.known[at] or not other.known[at]:
            continue
        shares = [
            float(each.held[at, column] / each.known[at])
            for column in range(len(REACH_SHARES))
            for each in (own, other)
        ]
        found.append(HorizonCoverage(at + 1, int(own.known[at]), *shares))
    return tuple(found)


def regime_coverage(volatility: Sequence[Floats], mine: OneAhead, naive: OneAhead) -> tuple[RegimeCoverage, ...]:
    """How often the intervals held in the calmest, middle and wildest third of each ticker's sessions.

    `volatility` at each cutoff, ticker by ticker.
    """
    third = np.concatenate([np.argsort(np.argsort(each, kind="stable")) * 3 // len(each) for each in volatility])
    pooled = np.concatenate(volatility)
    found = []
    for number, name in enumerate(REGIMES):
        held = third == number
        if not held.any():
            continue
        shares = [float(each.held(share)[held].mean()) for share in (0.8, 0.9) for each in (mine, naive)]
        found.append(RegimeCoverage(name, int(held.sum()), float(pooled[held].mean() * 100), *shares))
    return tuple(found)


def band(probability: float, count: int, confidence: float = 0.95) -> tuple[int, int]:
    """Where a binomial count lies with at least that probability."""
    tail = (1 - confidence) / 2
    low, high = (_quantile(level, count, probability) for level in (tail, 1 - tail))
    return low, high


def _quantile(level: float, count: int, probability: float) -> int:
    """Smallest k whose cumulative probability reaches the level."""
    found = float(bdtrik(level, count, probability))
    return max(0, int(np.ceil(found - 1e-9))) if np.isfinite(found) else 0


def pit_sentence(values: Floats, independent: float) -> str:
    """In plain words; two standard errors, of so many independent values, are the measure of "too"."""
    count = len(values)
    outside = float(np.mean((values < 0.05) | (values > 0.95)))
    above = float(np.mean(values > 0.5))
    doubt = 2 * np.sqrt(0.1 * 0.9 / independent)
    width = "too narrow" if outside > 0.1 + doubt else "too wide" if outside < 0.1 - doubt else "about right"
    tilt = 2 * np.sqrt(0.25 / independent)
    side = "too low" if above > 0.5 + tilt else "too high" if above < 0.5 - tilt else "in the middle"
    return (
        f"{outside * 100:.1f} % of {count:,} returns lay in the outer tenth of their distribution, where 10 % "
        f"belong: the spread was {width}. {above * 100:.1f} % lay above the median, where 50 % belong: it was "
        f"{side}."
    )
