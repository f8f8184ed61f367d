"""Live records for tests: forecasts one session ahead with what came true of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stockcast.monitoring.scored import Scored

FIRST = np.datetime64("2024-01-02", "D")


def live_record(
    crps: np.ndarray, naive_crps: np.ndarray, pit: np.ndarray, tickers: Sequence[str] | None = None
) -> Scored:
    """D sessions of T tickers, each argument [D, T]; NaN in `pit` where a ticker was not forecast."""
    days, count = pit.shape
    there = np.isfinite(pit).ravel()
    names = tickers or [f"T{number:02d}" for number in range(count)]
    sessions = np.repeat(FIRST + np.arange(days), count)[there]
    size = len(sessions)
    return Scored(
        universe="default",
        horizon=1,
        journal_ids=np.arange(size),
        issued_at=sessions.astype("datetime64[us]"),
        tickers=np.tile(np.array(names), days)[there],
        versions=np.full(size, "1"),
        cutoffs=sessions - 1,
        sessions=sessions,
        from_store=np.ones(size, dtype=np.bool_),
        live=np.ones(size, dtype=np.bool_),
        returns=np.zeros(size),
        crps=crps.ravel()[there],
        naive_crps=naive_crps.ravel()[there],
        pit=pit.ravel()[there],
        quantiles=np.zeros((size, 0)),
        naive_quantiles=np.zeros((size, 0)),
    )


def calibrated_pit(random: np.random.Generator, days: int, tickers: int, common: float = 0.4) -> np.ndarray:
    """Uniform PITs of tickers whose returns of a session share heavy-tailed shocks. [days, tickers]"""
    from scipy.special import stdtr

    shock = np.sqrt(4.0 / random.chisquare(4.0, (days, 1)))
    together = np.sqrt(common) * random.standard_normal((days, 1))
    own = np.sqrt(1 - common) * random.standard_normal((days, tickers))
    return np.asarray(stdtr(4.0, shock * (together + own)))
