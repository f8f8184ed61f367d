"""Whether the promised probabilities held: by level, inside the distribution, by horizon and by volatility.

The bands are those of independent forecasts. Tickers move together, so that with many tickers a share outside its
band is a hint and no proof.
"""

from __future__ import annotations

import numpy as np
from scipy.special import bdtrik

from stockcast.evaluation.diagnosis import HorizonCoverage, LevelShare, PitHistogram, RegimeCoverage
from stockcast.evaluation.metrics import coverage
from stockcast.evaluation.one_ahead import OneAhead
from stockcast.evaluation.rolling import Backtest
from stockcast.forecasting.context import stack_returns
from stockcast.forecasting.distribution import Distribution
from stockcast.forecasting.quantiles import LEVELS, level_position
from stockcast.forecasting.returns import Floats
from stockcast.forecasting.volatility import ewma_volatility

BINS = 20
REGIMES = ("calm", "usual", "turbulent")
_MEMORY = 60  # closes that the volatility at a cutoff looks at; older ones weigh next to nothing


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


def horizon_coverage(mine: Backtest, naive: Backtest) -> tuple[HorizonCoverage, ...]:
    """How often the intervals held at every horizon that both know; sessions outside the backtest do not count."""
    horizons = min(part.actuals.shape[1] for each in (mine, naive) for part in each.parts)
    found = []
    for horizon in range(1, horizons + 1):
        own, other = _ahead(mine, horizon), _ahead(naive, horizon)
        if not len(own[1]) or not len(other[1]):
            continue
        shares = [_held(*each, share) for share in (0.8, 0.9, 0.95) for each in (own, other)]
        found.append(HorizonCoverage(horizon, len(own[1]), *shares))
    return tuple(found)


def regime_coverage(backtest: Backtest, mine: OneAhead, naive: OneAhead) -> tuple[RegimeCoverage, ...]:
    """How often the intervals held in the calmest, middle and wildest third of each ticker's sessions."""
    volatility = [_volatility(backtest, number) for number in range(len(backtest.parts))]
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


def _ahead(backtest: Backtest, horizon: int) -> tuple[Floats, Floats]:
    """Quantiles and returns of one horizon where the actual is known. ([N, Q], [N])"""
    quantiles = np.concatenate([part.quantile_returns[:, horizon - 1] for part in backtest.parts])
    returns = np.concatenate([part.actual_returns[:, horizon - 1] for part in backtest.parts])
    known = ~np.isnan(returns)
    return quantiles[known], returns[known]


def _held(quantiles: Floats, returns: Floats, share: float) -> float:
    tail = level_position((1 - share) / 2)
    return coverage(quantiles[:, tail], quantiles[:, -1 - tail], returns)


def _volatility(backtest: Backtest, number: int) -> Floats:
    """EWMA volatility at each cutoff of one ticker, the same whatever else the forecaster reads. [N]"""
    contexts = [forecast.context for forecast in backtest.parts[number].forecasts]
    shortest = min(len(context.closes) for context in contexts)
    return np.asarray(ewma_volatility(stack_returns(contexts, min(_MEMORY, shortest)))[:, -1])
