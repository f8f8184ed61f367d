"""How much of a network's location to believe. On price levels, very little is ever true."""

from __future__ import annotations

import numpy as np

from stockcast.forecasting.returns import Floats
from stockcast.prices.sessions import Sessions

SHARES = (0.25, 0.5, 0.75, 1.0)
# Standard deviation, across histories, of the relative gain in absolute error that a daily location truly has.
# The naive forecast is optimal to about 0.1 %; a gain of 1 % on one validation period is that period's luck.
PRIOR_GAIN = 0.001


def location_share(locations: Floats, targets: Floats, cutoffs: Sessions) -> float:
    """Share in [0, 1] of the location to keep, from one-session validation errors; 0 is exactly naive.

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
    return best * evidence * PRIOR_GAIN**2 / (PRIOR_GAIN**2 + variance)


def _daily_gains(locations: Floats, targets: Floats, cutoffs: Sessions) -> Floats:
    """Absolute error saved against naive, averaged per session. [N] -> [D]"""
    gains = np.abs(targets) - np.abs(targets - locations)
    _, day, count = np.unique(cutoffs, return_inverse=True, return_counts=True)
    return np.asarray(np.bincount(day, weights=gains) / count)
