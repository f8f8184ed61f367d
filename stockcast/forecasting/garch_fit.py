"""The maximum-likelihood fit of a GARCH(1,1) Student-t by `arch`, one ticker at a time."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from stockcast.errors import TooShortHistory, TrainingFailed
from stockcast.forecasting.observer import Observer
from stockcast.forecasting.returns import Floats, log_returns
from stockcast.forecasting.student_t import LEAST_DF, MOST_DF
from stockcast.forecasting.volatility import FLOOR
from stockcast.prices.frame import PriceFrame

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

LEAST_RETURNS = 250  # of a year; with fewer, alpha and beta are anybody's guess
# alpha + beta. At one, the variance has no long-run level to return to; arch stops only there.
MOST_PERSISTENCE = 0.9995
# Processes take about three seconds to start, each with its own arch, and a fit takes a sixtieth of one.
WORTH_PROCESSES = 100
PERCENT = 100.0  # arch's optimiser is tuned to returns in percent
# scipy's own 1e-6 leaves alpha uncertain in its fourth digit, and so at the mercy of how many threads BLAS has.
TOLERANCE = 1e-10


@dataclass(frozen=True)
class Garch:
    """The four numbers of one ticker; `omega` is a variance of log returns, not of percent."""

    omega: float
    alpha: float
    beta: float
    df: float


def fit_each(histories: Sequence[PriceFrame], threads: int, observer: Observer) -> dict[str, Garch]:
    """The fit of each ticker that has one, in up to `threads` processes where there are enough to fit.

    Raises TooShortHistory when none has LEAST_RETURNS returns and TrainingFailed when every fit failed.
    """
    long_enough = [history for history in histories if len(history) > LEAST_RETURNS]
    if not long_enough:
        raise TooShortHistory(
            f"No history has the {LEAST_RETURNS + 1} sessions that a GARCH needs; the longest has "
            f"{max((len(history) for history in histories), default=0)}.",
            "Download or import a longer history, or start later.",
        )
    # arch holds Python's lock, so threads would gain nothing: more than one is that many processes.
    jobs = threads if len(long_enough) >= WORTH_PROCESSES else 1
    from joblib import Parallel, delayed  # only what learns needs it

    results = Parallel(n_jobs=jobs, return_as="generator")(
        delayed(fit_one)(log_returns(history.close)) for history in long_enough
    )
    fitted: dict[str, Garch] = {}
    try:
        for position, history in enumerate(long_enough):
            observer.doing(f"Fitting GARCH to {history.ticker}", position / len(long_enough))
            found = next(results)
            if found is not None:
                fitted[history.ticker] = found
    finally:
        # Whatever the observer raises ends the other fits. joblib warns of work not collected: that is meant.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results.close()
    if not fitted:
        raise TrainingFailed(
            f"No GARCH could be fitted to any of {len(long_enough)} histories.",
            "Look at the prices: a close that hardly ever moves has no volatility to model.",
        )
    return fitted


def fit_one(returns: Floats) -> Garch | None:
    """The fit to log returns [T], or None where there is none: a price that stands still, no convergence."""
    if np.std(returns) < FLOOR:
        return None
    # What arch and scipy warn of (steps out of bounds, no convergence) is judged below, by its outcome.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Imported here alone: it brings statsmodels and pandas and takes over a second, and nobody who
        # only forecasts has need of it.
        from arch import arch_model

        model = arch_model(returns * PERCENT, mean="Zero", vol="GARCH", p=1, q=1, dist="t", rescale=False)
        try:
            # The sums of several threads are rounded otherwise, and a fit that hardly converges then does not.
            with _blas().limit(limits=1):
                fit = model.fit(disp="off", show_warning=False, options={"ftol": TOLERANCE})
        except (ArithmeticError, ValueError, np.linalg.LinAlgError):
            return None
    omega, alpha, beta, df = (float(value) for value in np.asarray(fit.params))
    if fit.convergence_flag != 0 or not np.isfinite([omega, alpha, beta, df]).all():
        return None
    garch = bounded(omega / PERCENT**2, alpha, beta, df)
    # Where nearly all returns are zero, the likelihood grows without end as the variance vanishes.
    return garch if garch.omega > FLOOR**2 * (1 - garch.alpha - garch.beta) else None


@cache
def _blas() -> ThreadpoolController:
    """The libraries of linear algebra that are loaded."""
    from threadpoolctl import ThreadpoolController  # only what learns needs it

    return ThreadpoolController().select(user_api="blas")


def bounded(omega: float, alpha: float, beta: float, df: float) -> Garch:
    """The same numbers, where need be moved to where every variance is finite and positive."""
    alpha, beta = max(alpha, 0.0), max(beta, 0.0)  # SLSQP may end a rounding error below zero
    shrink = MOST_PERSISTENCE / max(alpha + beta, MOST_PERSISTENCE)
    return Garch(max(omega, 0.0), alpha * shrink, beta * shrink, min(max(df, LEAST_DF), MOST_DF))
