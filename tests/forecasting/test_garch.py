"""GARCH: fitted by arch, filtered by us, and both must mean the same variance."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date

import numpy as np
import pytest
from arch import arch_model
from arch.univariate import StudentsT
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stockcast.errors import TooShortHistory, TrainingFailed
from stockcast.forecasting import garch_fit
from stockcast.forecasting.context import LARGEST_CLOSE, LEAST_CLOSE, Context
from stockcast.forecasting.forecaster import TrainingPair
from stockcast.forecasting.garch import GarchEstimator, GarchForecaster, coming_variances, fit_garch
from stockcast.forecasting.garch_fit import LEAST_RETURNS, MOST_PERSISTENCE, bounded, fit_one
from stockcast.forecasting.observer import Epoch
from stockcast.forecasting.quantiles import LEVELS, MEDIAN
from stockcast.forecasting.returns import log_returns
from stockcast.prices.frame import PriceFrame

MakeFrame = Callable[..., PriceFrame]
OMEGA, ALPHA, BETA, DF = 3e-6, 0.07, 0.91, 5.5
KNOWN = GarchForecaster(("MSFT",), (OMEGA,), (ALPHA,), (BETA,), (DF,))

stationary = st.tuples(st.floats(0, 1), st.floats(0, 0.9995)).map(lambda pair: (pair[0] * pair[1], pair[1]))


class Listener:
    """Remembers what it was told; raises after `patience` tellings."""

    def __init__(self, patience: int = 1000) -> None:
        self.told: list[tuple[str, float]] = []
        self.patience = patience

    def doing(self, phase: str, progress: float) -> None:
        self.told.append((phase, progress))
        if len(self.told) > self.patience:
            raise KeyboardInterrupt

    def epoch(self, epoch: Epoch) -> None:
        raise AssertionError("a GARCH has no epochs")


def arch_variances(closes: np.ndarray) -> np.ndarray:
    """arch's own forecast of the coming five variances for the parameters of KNOWN. [5]"""
    model = arch_model(100 * log_returns(closes), mean="Zero", vol="GARCH", p=1, q=1, dist="t", rescale=False)
    fixed = model.fix([OMEGA * 1e4, ALPHA, BETA, DF])
    variances: np.ndarray = fixed.forecast(horizon=5).variance.to_numpy()[-1] / 1e4
    return variances


@pytest.mark.parametrize("closes", [60, 61, 75, 76, 77, 300, 1001])
def test_the_variances_are_those_that_arch_forecasts(make_frame: MakeFrame, closes: int) -> None:
    history = make_frame("MSFT", closes, seed=closes).close
    squares = log_returns(history)[None, :] ** 2
    one = [np.array([value]) for value in (OMEGA, ALPHA, BETA)]
    [found] = coming_variances(squares, np.array([0]), *one, 5)
    np.testing.assert_allclose(found, arch_variances(history), rtol=1e-9)


def test_the_quantiles_are_those_of_archs_variances_under_archs_student_t(make_frame: MakeFrame) -> None:
    history = make_frame("MSFT", 1400, seed=4).close
    # Of unlike lengths, so that the shorter ones start later in the same batch.
    contexts = [
        Context(history[row - count : row], "MSFT") for row, count in ((1400, 1001), (900, 60), (700, 400))
    ]
    unit = StudentsT().ppf(LEVELS, [DF])  # scaled to variance one
    for context, forecast in zip(contexts, KNOWN.forecast(contexts), strict=True):
        deviation = np.sqrt(np.cumsum(arch_variances(context.closes)))
        np.testing.assert_allclose(forecast.log_returns, np.outer(deviation, unit), rtol=1e-6, atol=1e-15)
        np.testing.assert_array_equal(forecast.median, np.full(5, context.last_close))


def test_the_fit_recovers_what_a_history_was_made_of(make_frame: MakeFrame) -> None:
    fits = [
        fit_one(log_returns(make_frame("AAPL", 6000, seed=seed, last=date(2023, 12, 29)).close))
        for seed in (1, 2, 3)
    ]
    found = np.mean([(fit.omega, fit.alpha, fit.beta, fit.df) for fit in fits if fit], axis=0)
    np.testing.assert_allclose(found, (4e-6, 0.08, 0.90, 6.0), rtol=0.2)


@given(parameters=stationary, seed=st.integers(0, 99), volatility=st.floats(1e-3, 0.1))
def test_coming_variances_approach_their_long_run_level(
    parameters: tuple[float, float], seed: int, volatility: float
) -> None:
    alpha, persistence = parameters
    squares = (np.random.default_rng(seed).standard_t(4, (3, 200)) * volatility) ** 2
    omega = np.full(3, 1e-4)
    variances = coming_variances(
        squares, np.array([0, 50, 199]), omega, np.full(3, alpha), np.full(3, persistence - alpha), 8
    )
    distance = variances - 1e-4 / (1 - persistence)
    np.testing.assert_allclose(distance[:, 1:], persistence * distance[:, :-1], rtol=1e-6, atol=1e-12)
    assert (variances > 0).all()


@given(data=st.data())
def test_whatever_a_known_ticker_shows_its_forecast_is_finite_sorted_and_positive(data: st.DataObject) -> None:
    wildest = GarchForecaster(
        ("CALM", "WILD"), (0.0, 1.0), (0.0, MOST_PERSISTENCE), (MOST_PERSISTENCE, 0.0), (2.1, 60.0)
    )
    extremes = st.sampled_from([LEAST_CLOSE, 0.01, 1.0, LARGEST_CLOSE])
    closes = data.draw(arrays(np.float64, 90, elements=extremes))
    for forecast in wildest.forecast([Context(closes, ticker) for ticker in ("CALM", "WILD", None)]):
        assert np.isfinite(forecast.prices).all()
        assert (forecast.prices > 0).all()
        assert (np.diff(forecast.prices, axis=1) > 0).all()
        assert (np.diff(forecast.log_returns[:, -1]) > 0).all()


@given(scale=st.floats(0.1, 5))
def test_a_ticker_never_met_takes_the_pools_shape_and_its_own_variance(
    make_frame: MakeFrame, scale: float
) -> None:
    closes = np.array(make_frame("MSFT", 500, seed=5).close)
    [known, unknown, nameless] = KNOWN.forecast([Context(closes, name) for name in ("MSFT", "IBM", None)])
    np.testing.assert_array_equal(unknown.log_returns, nameless.log_returns)
    assert not np.allclose(known.log_returns, unknown.log_returns, rtol=1e-3)
    # Twice the returns are twice the spread: no level is borrowed from other tickers.
    [scaled] = KNOWN.forecast([Context(closes**scale, "IBM")])
    np.testing.assert_allclose(scaled.log_returns, scale * unknown.log_returns, rtol=1e-9)


def test_the_pool_holds_the_medians_and_the_young_are_left_to_it(make_frame: MakeFrame) -> None:
    old = [make_frame(ticker, 900, seed=seed) for seed, ticker in enumerate(("AAPL", "IBM", "MSFT"))]
    young = make_frame("KO", LEAST_RETURNS, seed=8)  # one return too few
    still = make_frame("PG", closes=np.full(900, 20.0))
    forecaster = fit_garch([*old, young, still])
    assert forecaster.tickers == ("AAPL", "IBM", "MSFT")
    assert forecaster.pooled_alpha == np.median(forecaster.alphas)
    assert forecaster.pooled_beta == np.median(forecaster.betas)
    assert forecaster.pooled_df == np.median(forecaster.dfs)
    young_forecast, nameless = forecaster.forecast([Context(young.close, "KO"), Context(young.close)])
    np.testing.assert_array_equal(young_forecast.log_returns, nameless.log_returns)
    assert np.ptp(young_forecast.prices[0]) > 0


def test_one_return_more_is_enough(make_frame: MakeFrame) -> None:
    assert fit_garch([make_frame("KO", LEAST_RETURNS + 1, seed=8)]).tickers == ("KO",)


def test_histories_that_are_all_too_short_are_refused_with_the_longest(make_frame: MakeFrame) -> None:
    with pytest.raises(TooShortHistory, match=r"needs; the longest has 200\."):
        fit_garch([make_frame("KO", 100), make_frame("PG", 200)])


def test_prices_that_stand_still_cannot_be_fitted(make_frame: MakeFrame) -> None:
    with pytest.raises(TrainingFailed, match="any of 1 histories"):
        fit_garch([make_frame("PG", closes=np.full(400, 20.0))])


@pytest.mark.parametrize("damage", ["jump", "alternating", "rare moves", "growing"])
def test_no_history_breaks_the_fit_or_lets_a_warning_out(make_frame: MakeFrame, damage: str) -> None:
    closes = np.array(make_frame("MSFT", 500, seed=3).close)
    if damage == "jump":
        closes[250:] *= 100
    elif damage == "alternating":
        closes = np.where(np.arange(500) % 2, LEAST_CLOSE, LARGEST_CLOSE)
    elif damage == "rare moves":
        closes = 20 * 1.3 ** (np.arange(500) // 100)
    else:  # every return larger than the last: no level that the variance returns to
        closes = np.exp(np.cumsum(np.where(np.arange(500) % 2, 1, -1) * 1e-3 * 1.008 ** np.arange(500)))
    fit = fit_one(log_returns(closes))
    assert (fit is None) == (damage == "rare moves")
    if fit is not None:
        assert 0 < fit.omega < np.inf
        assert fit.alpha + fit.beta <= MOST_PERSISTENCE + 1e-12
        assert (fit.alpha + fit.beta > 0.999) == (damage == "growing")
        assert 2.1 <= fit.df <= 60


@given(
    omega=st.floats(-1e-9, 1),
    alpha=st.floats(-1e-9, 2),
    beta=st.floats(-1e-9, 2),
    df=st.floats(2.01, 500),
)
def test_bounds_keep_a_fit_stationary_and_its_variance_finite(
    omega: float, alpha: float, beta: float, df: float
) -> None:
    garch = bounded(omega, alpha, beta, df)
    assert min(garch.omega, garch.alpha, garch.beta) >= 0
    assert garch.alpha + garch.beta <= MOST_PERSISTENCE + 1e-12
    assert 2.1 <= garch.df <= 60
    assert garch.alpha * max(beta, 0) == pytest.approx(garch.beta * max(alpha, 0), abs=1e-15)


def test_the_estimator_learns_from_the_training_parts_alone(make_frame: MakeFrame) -> None:
    frames = [make_frame("AAPL", 600, seed=1), make_frame("IBM", 600, seed=2, last=date(2019, 12, 20))]
    pairs = [TrainingPair(frame, 450, 455) for frame in frames]
    closes = np.array(frames[0].close)
    closes[450:] *= 3
    other = make_frame("AAPL", closes=closes)
    perturbed = [TrainingPair(other, 450, 455), pairs[1]]
    estimator = GarchEstimator(horizon=3, lookback=40)
    forecaster = estimator.fit(pairs)
    assert forecaster == estimator.fit(perturbed)
    assert (forecaster.horizon, forecaster.lookback) == (3, 40)
    assert forecaster.trained_until == pairs[0].train.last_session > pairs[1].train.last_session


def test_processes_find_what_one_process_finds(make_frame: MakeFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garch_fit, "WORTH_PROCESSES", 3)
    frames = [make_frame(ticker, 500, seed=seed) for seed, ticker in enumerate(("AAPL", "IBM", "MSFT"))]
    listener = Listener()
    together, alone = fit_garch(frames, threads=2, observer=listener), fit_garch(frames)
    assert together.tickers == alone.tickers
    for name in ("omegas", "alphas", "betas", "dfs"):  # to the tolerance of the fit: BLAS has fewer threads there
        np.testing.assert_allclose(getattr(together, name), getattr(alone, name), rtol=1e-4)
    assert [phase for phase, _ in listener.told] == [f"Fitting GARCH to {name}" for name in together.tickers]
    np.testing.assert_allclose([share for _, share in listener.told], [0, 1 / 3, 2 / 3])


@pytest.mark.parametrize("threads", [1, 2])
def test_what_the_observer_raises_stops_the_fits(
    make_frame: MakeFrame, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setattr(garch_fit, "WORTH_PROCESSES", 3)
    frames = [make_frame(ticker, 500, seed=seed) for seed, ticker in enumerate(("AAPL", "IBM", "MSFT", "KO"))]
    listener = Listener(patience=2)
    with pytest.raises(KeyboardInterrupt):
        fit_garch(frames, threads=threads, observer=listener)
    assert len(listener.told) == 3


def test_forecasting_does_not_load_arch() -> None:
    code = (
        "import sys, numpy\n"
        "from stockcast.forecasting.context import Context\n"
        "from stockcast.forecasting.garch import GarchForecaster\n"
        "GarchForecaster().forecast([Context(numpy.linspace(10.0, 20.0, 80))])\n"
        "assert not {'arch', 'statsmodels'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_median_is_zero_to_the_last_bit(make_frame: MakeFrame) -> None:
    [forecast] = KNOWN.forecast([Context(make_frame("MSFT", 80).close, "MSFT")])
    assert (forecast.log_returns[:, MEDIAN] == 0).all()


def test_a_fit_is_the_same_on_any_number_of_threads() -> None:
    """One of these does not converge, or does, by how the sums of its gradient are rounded."""
    script = (
        "import datetime\n"
        "from stockcast.forecasting.garch_fit import fit_one\n"
        "from stockcast.forecasting.returns import log_returns\n"
        "from stockcast.prices.sample import SamplePrices\n"
        "from stockcast.prices.source import shape_question\n"
        "asked = shape_question('AAPL')\n"
        "source = SamplePrices()\n"
        "frame = source.normalise(asked, source.fetch(asked), datetime.datetime.now(datetime.UTC)).frame\n"
        "ends = [datetime.date(year, month, 1) for year in range(2006, 2013) for month in (1, 4, 7, 10)]\n"
        "print([fit_one(log_returns(frame.until(end).close)) for end in ends])"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, "OMP_NUM_THREADS": threads}, text=True,
            capture_output=True, check=True,
        ).stdout
        for threads in ("1", "2")
    ]  # fmt: skip
    assert found[0] == found[1]
    assert "Garch(" in found[0]
