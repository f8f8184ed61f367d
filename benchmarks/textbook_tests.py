"""Drift tests as textbooks and tools have them, with their usual thresholds, to stand beside stockcast's.

Each compares the values of a window with those of the same ticker's training part, as one sample with another.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import ks_2samp, wasserstein_distance

from stockcast.prices.frame import Floats

_LEVEL = 0.05
_MOST_PSI = 0.2  # population stability index: "significant shift"
_MOST_DISTANCE = 0.1  # Wasserstein distance in standard deviations of the training values
_BINS = 10


def ks(values: Floats, training: Floats) -> bool:
    """Kolmogorov and Smirnov, p < 0.05."""
    return bool(ks_2samp(values, training).pvalue < _LEVEL)


def psi(values: Floats, training: Floats) -> bool:
    """Population stability index above 0.2, over tenths of the training values."""
    edges = np.quantile(training, np.linspace(0, 1, _BINS + 1)[1:-1])
    shares = [np.bincount(np.searchsorted(edges, sample), minlength=_BINS) for sample in (values, training)]
    one, other = (np.maximum(counts / counts.sum(), 1e-4) for counts in shares)
    return bool(((one - other) * np.log(one / other)).sum() > _MOST_PSI)


def wasserstein(values: Floats, training: Floats) -> bool:
    """Wasserstein's distance above a tenth of the training standard deviation."""
    return bool(wasserstein_distance(values, training) > _MOST_DISTANCE * training.std())


TESTS: dict[str, Callable[[Floats, Floats], bool]] = {"KS": ks, "PSI": psi, "Wasserstein": wasserstein}
