"""GARCH(1,1) Student-t: volatility that calms down towards its long-run level. The textbook opponent.

    r[t] = sqrt(v[t]) * z[t],    z ~ t(df) scaled to variance one,    v[t+1] = omega + alpha r[t]² + beta v[t]

Bollerslev (1987), "A conditionally heteroskedastic time series model for speculative prices and rates of
return". The `arch` package fits the four numbers of each ticker; forecasting needs only them and numpy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from stockcast.forecasting import student_t
from stockcast.forecasting.context import Context
from stockcast.forecasting.forecaster import ForecasterState, Group, TrainingPair
from stockcast.forecasting.garch_fit import Garch, bounded, fit_each
from stockcast.forecasting.observer import UNWATCHED, Observer
from stockcast.forecasting.quantiles import QuantileForecast
from stockcast.forecasting.returns import Floats, log_returns
from stockcast.forecasting.volatility import DECAY, FLOOR
from stockcast.prices.frame import PriceFrame

LOOKBACK = 60
HISTORY = 1001  # four years: the variance before them weighs less than a thousandth even at 0.99 persistence
# The filter starts as arch's does: from the decaying mean of the first squared returns.
START_RETURNS = 75


@dataclass(frozen=True)
class GarchForecaster:
    """Median = last close; spread = the expected variances of the coming sessions, summed, under a Student-t.

    `omegas` (variances of log returns), `alphas`, `betas` and `dfs` hold one number for each of `tickers`.
    Any other ticker, and a window without one, takes the pooled numbers; its omega is then such that the
    long-run variance is the context's own (variance targeting, Engle and Mezrich 1996).
    """

    tickers: tuple[str, ...] = ()
    omegas: tuple[float, ...] = ()
    alphas: tuple[float, ...] = ()
    betas: tuple[float, ...] = ()
    dfs: tuple[float, ...] = ()
    # Usual numbers of daily stock returns, for a forecaster that nobody has fitted.
    pooled_alpha: float = 0.08
    pooled_beta: float = 0.90
    pooled_df: float = 5.0
    horizon: int = 5
    lookback: int = LOOKBACK
    history: int = HISTORY
    trained_until: date | None = None
    kind: str = "garch"
    groups: tuple[Group, ...] = ()
    adaptation: float = 0.0

    def forecast(self, contexts: Sequence[Context]) -> list[QuantileForecast]:
        """One forecast per context. Raises InvalidWindow when a context is too short."""
        if not contexts:
            return []
        squares, begins = self._squared_returns(contexts)  # [N, T], [N]
        omega, alpha, beta, df = self._parameters(contexts, squares, begins)  # [N] each
        variances = coming_variances(squares, begins, omega, alpha, beta, self.horizon)  # [N, H]
        scale = np.sqrt(np.cumsum(variances, axis=1) * ((df - 2) / df)[:, None])  # the t's variance is df/(df-2)
        # Few different dfs, and the quantiles of a t are dear: each is computed once.
        different, position = np.unique(df, return_inverse=True)
        unit = student_t.quantiles(np.zeros_like(different), np.ones_like(different), different)  # [U, Q]
        values = scale[:, :, None] * unit[position][:, None, :]  # [N, H, Q]
        return [QuantileForecast(context, self.kind, row) for context, row in zip(contexts, values, strict=True)]

    def state(self) -> ForecasterState:
        """What a bundle has to store of it."""
        return ForecasterState(
            self.kind,
            {
                "tickers": list(self.tickers),
                "omegas": list(self.omegas),
                "alphas": list(self.alphas),
                "betas": list(self.betas),
                "dfs": list(self.dfs),
                "pooled_alpha": self.pooled_alpha,
                "pooled_beta": self.pooled_beta,
                "pooled_df": self.pooled_df,
                "horizon": self.horizon,
                "lookback": self.lookback,
                "history": self.history,
            },
        )

    @cached_property
    def _fitted(self) -> dict[str, tuple[float, float, float, float]]:
        rows = zip(self.omegas, self.alphas, self.betas, self.dfs, strict=True)
        return dict(zip(self.tickers, rows, strict=True))

    def _squared_returns(self, contexts: Sequence[Context]) -> tuple[Floats, np.ndarray]:
        """Squared log returns, the newest at the right, and where each context's begin. ([N, T], [N])"""
        for context in contexts:
            context.require(self.lookback)
        counts = np.array([min(len(context.closes), self.history) - 1 for context in contexts])
        squares = np.zeros((len(contexts), counts.max()))
        for row, (context, count) in enumerate(zip(contexts, counts, strict=True)):
            squares[row, -count:] = log_returns(context.closes[-count - 1 :]) ** 2
        return squares, counts.max() - counts

    def _parameters(
        self, contexts: Sequence[Context], squares: Floats, begins: np.ndarray
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """omega, alpha, beta, df of each context. [N] each"""
        # What lies left of a context's first return is zero, so that it adds nothing to the sum.
        own_variance = np.maximum(squares.sum(axis=1) / (squares.shape[1] - begins), FLOOR**2)
        targeted = (1 - self.pooled_alpha - self.pooled_beta) * own_variance
        rows = [
            self._fitted.get(context.ticker or "", (omega, self.pooled_alpha, self.pooled_beta, self.pooled_df))
            for context, omega in zip(contexts, targeted, strict=True)
        ]
        omega, alpha, beta, df = np.array(rows, dtype=np.float64).T
        return omega, alpha, beta, df


def coming_variances(
    squares: Floats, begins: np.ndarray, omega: Floats, alpha: Floats, beta: Floats, horizon: int
) -> Floats:
    """Expected variances of the coming sessions. [N, T] -> [N, H]

    `squares` are squared returns, the newest at the right; those of row n begin at column `begins[n]`.
    """
    steps = squares.shape[1]
    weights = DECAY ** np.arange(START_RETURNS)
    variance = np.empty(len(squares))
    for row, begin in enumerate(begins):
        first = squares[row, begin : begin + START_RETURNS]
        start = (first * weights[: len(first)]).sum() / weights[: len(first)].sum()
        variance[row] = omega[row] + (alpha[row] + beta[row]) * start
    shocks = omega[:, None] + alpha[:, None] * squares  # [N, T]
    youngest = int(begins.max())
    for step in range(steps):
        following = shocks[:, step] + beta * variance
        variance = following if step >= youngest else np.where(step >= begins, following, variance)
    # Where the price stands still, and its ticker's omega is nothing, there is no distribution to speak of.
    variance = np.maximum(variance, FLOOR**2)
    coming = [variance]
    while len(coming) < horizon:
        coming.append(omega + (alpha + beta) * coming[-1])
    return np.stack(coming, axis=1)


@dataclass(frozen=True)
class GarchEstimator:
    """Fits a GARCH to each ticker on its training part alone."""

    horizon: int = 5
    lookback: int = LOOKBACK
    threads: int = 1

    def fit(self, pairs: Sequence[TrainingPair], observer: Observer = UNWATCHED) -> GarchForecaster:
        """Learns from the training parts. Raises as `fit_garch` does."""
        return fit_garch(
            [pair.train for pair in pairs],
            horizon=self.horizon,
            lookback=self.lookback,
            threads=self.threads,
            observer=observer,
        )


def fit_garch(
    histories: Sequence[PriceFrame],
    *,
    horizon: int = 5,
    lookback: int = LOOKBACK,
    threads: int = 1,
    observer: Observer = UNWATCHED,
) -> GarchForecaster:
    """A GARCH for each history; those too short to be fitted, or that cannot be, are left to the pool.

    The pool is the median of what was fitted. Raises TooShortHistory when no history is long enough and
    TrainingFailed when every fit failed.
    """
    return garch_of(fit_each(histories, threads, observer), histories, horizon=horizon, lookback=lookback)


def garch_of(
    fitted: Mapping[str, Garch], histories: Sequence[PriceFrame], *, horizon: int, lookback: int
) -> GarchForecaster:
    """The forecaster of what was fitted, at least one ticker, to some of these histories."""
    rows = tuple(fitted.values())
    # Medians of alpha and of beta may come from two tickers and add up to more than either's: hence the bounds.
    alpha, beta, df = (float(np.median([getattr(row, name) for row in rows])) for name in ("alpha", "beta", "df"))
    pooled = bounded(0.0, alpha, beta, df)
    return GarchForecaster(
        tickers=tuple(fitted),
        omegas=tuple(row.omega for row in rows),
        alphas=tuple(row.alpha for row in rows),
        betas=tuple(row.beta for row in rows),
        dfs=tuple(row.df for row in rows),
        pooled_alpha=pooled.alpha,
        pooled_beta=pooled.beta,
        pooled_df=pooled.df,
        horizon=horizon,
        lookback=lookback,
        trained_until=max(history.last_session for history in histories if len(history)),
    )
