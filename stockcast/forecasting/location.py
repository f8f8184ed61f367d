"""How much of a mean return to believe: the common drift of all tickers, and the network's location around it.

On price levels very little is ever true. Both are shrunk by the evidence for them, so that a forecaster whose
evidence is nothing but noise says exactly what naive says: tomorrow = today.
"""

from __future__ import annotations

import numpy as np

from stockcast.forecasting.returns import Floats
from stockcast.prices.sessions import Sessions

SHARES = (0.25, 0.5, 0.75, 1.0)
# Standard deviation, across histories, of the relative gain in absolute error that a daily location truly has.
# The naive forecast is optimal to about 0.1 %; a gain of 1 % on one validation period is that period's luck.
PRIOR_GAIN = 0.001
# A mean is paid for by the tickers that do not share it: a third of it has five ninths of the gain, and a third of
# the risk for any one ticker.
TRUST = 1 / 3
TAIL = 5.0  # degrees of freedom of the weights that keep wild days from deciding a mean


def common_drift(targets: Floats, cutoffs: Sessions) -> float:
    """Mean one-session return of all tickers in units of their volatility, shrunk towards zero.

    targets [N] over the volatility, cutoff sessions [N]. The mean of a Student-t, one weighted step from zero,
    times the share of its square that stands out from its own variance; tickers move together, so the variance
    is that of the daily means.
    """
    weights = (TAIL + 1) / (TAIL + targets**2)
    _, day, count = np.unique(cutoffs, return_inverse=True, return_counts=True)
    if len(count) < 2:
        return 0.0
    daily = np.bincount(day, weights=weights * targets) / count
    weight = float(weights.mean())
    drift = float((weights * targets).mean()) / weight
    variance = float(daily.var(ddof=1)) / len(daily) / weight**2
    return TRUST * drift * max(0.0, 1 - variance / drift**2) if drift else 0.0


def location_share(locations: Floats, targets: Floats, cutoffs: Sessions) -> float:
    """Share in [0, TRUST] of the network's location to keep, from one-session validation errors; 0 keeps nothing.

    locations, targets and cutoff sessions [N]. The best share on validation is shrunk towards zero by the
    evidence for it (normal prior on the gain, standard error over sessions, as tickers move together).
    """
    scale = float(np.abs(targets).mean())
    if scale == 0:
        return 0.0
    gains = {share: _daily_gains(share * locations, targets, cutoffs) / scale for share in SHARES}
    best = max(SHARES, key=lambda share: gains[share].mean())
    gain = gains[best]
    if gain.mean() <= 0 or len(gain) < 2:
        return 0.0
    variance = float(gain.var(ddof=1)) / len(gain)
    # The prior tames large gains that one period happened to have; tiny ones must stand out from their own noise.
    evidence = max(0.0, 1 - variance / float(gain.mean()) ** 2)
    return TRUST * best * evidence * PRIOR_GAIN**2 / (PRIOR_GAIN**2 + variance)


def _daily_gains(locations: Floats, targets: Floats, cutoffs: Sessions) -> Floats:
    """Absolute error saved, averaged per session. [N] -> [D]"""
    gains = np.abs(targets) - np.abs(targets - locations)
    _, day, count = np.unique(cutoffs, return_inverse=True, return_counts=True)
    return np.asarray(np.bincount(day, weights=gains) / count)
