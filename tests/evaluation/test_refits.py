"""Refitted backtests: the same question as a single backtest, answered from what was known at the time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stockcast.errors import InvalidRequest, TooShortHistory
from stockcast.evaluation.refits import RefitPolicy, blocks, garch_reference, refitted_backtest
from stockcast.evaluation.rolling import Backtest, rolling_backtest
from stockcast.forecasting.ewma import EwmaEstimator, EwmaForecaster
from stockcast.forecasting.forecaster import Forecaster, TrainingPair
from stockcast.forecasting.garch import fit_garch
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.observer import Epoch, Observer
from stockcast.prices.frame import PriceFrame

MakeFrame = Callable[..., PriceFrame]
START, END = date(2018, 5, 16), date(2019, 11, 14)
POLICIES: tuple[RefitPolicy, ...] = ("never", "yearly", "quarterly")


@dataclass
class Recorder:
    """An EWMA estimator that remembers what it learnt from and what it made of it."""

    inner: EwmaEstimator = field(default_factory=EwmaEstimator)
    pairs: list[list[TrainingPair]] = field(default_factory=list)
    made: list[EwmaForecaster] = field(default_factory=list)

    def fit(self, pairs: Sequence[TrainingPair], observer: Observer) -> Forecaster:
        observer.doing("Learning", 0.5)
        self.pairs.append(list(pairs))
        self.made.append(self.inner.fit(pairs))
        return self.made[-1]


class Listener:
    def __init__(self) -> None:
        self.told: list[tuple[str, float]] = []

    def doing(self, phase: str, progress: float) -> None:
        self.told.append((phase, progress))

    def epoch(self, epoch: Epoch) -> None:
        raise AssertionError


@pytest.fixture(scope="module")
def frames(make_frame: MakeFrame) -> list[PriceFrame]:
    """Two exchanges with unlike holidays, and a ticker that is listed in the middle of the backtest."""
    return [
        make_frame("AAPL", 1300, seed=1),
        make_frame("CMIG4.SA", 1200, seed=2),
        make_frame("KO", 250, seed=3),
    ]


def assert_same_question(found: Backtest, expected: Backtest) -> None:
    assert found.fingerprint == expected.fingerprint
    for ours, theirs in zip(found.parts, expected.parts, strict=True):
        assert (ours.ticker, ours.currency) == (theirs.ticker, theirs.currency)
        np.testing.assert_array_equal(ours.actuals, theirs.actuals)
        assert [ours.sessions(h) for h in (1, 5)] == [theirs.sessions(h) for h in (1, 5)]


def changed_after(frame: PriceFrame, make_frame: MakeFrame, day: date) -> PriceFrame:
    closes = np.array(frame.close)
    closes[len(frame.until(day)) :] *= 2.5
    return make_frame(frame.ticker, closes=closes)


@given(
    start=st.dates(date(2001, 1, 1), date(2004, 12, 31)),
    days=st.integers(0, 1200),
    refit=st.sampled_from(POLICIES),
)
def test_blocks_cover_the_range_once_and_begin_with_the_calendar(
    start: date, days: int, refit: RefitPolicy
) -> None:
    end = start + timedelta(days=days)
    found = blocks(start, end, refit)
    assert (found[0].start, found[-1].end) == (start, end)
    for block, following in pairwise(found):
        assert following.start - block.end == timedelta(days=1)
        assert (following.start.month in (1, 4, 7, 10), following.start.day) == (True, 1)
    for block in found:
        assert block.start <= block.end
        if refit != "never":
            assert block.start.year == block.end.year
        if refit == "quarterly":
            assert (block.start.month - 1) // 3 == (block.end.month - 1) // 3
    expected = {"never": 1, "yearly": end.year - start.year + 1}
    assert len(found) == expected.get(refit, len(found))


@pytest.mark.parametrize("refit", POLICIES)
def test_the_question_is_that_of_a_single_backtest(frames: list[PriceFrame], refit: RefitPolicy) -> None:
    recorder = Recorder()
    found = refitted_backtest(recorder, frames, START, END, refit)
    assert_same_question(found, rolling_backtest(NaiveForecaster(), frames, START, END))
    assert found.forecaster == "ewma"
    assert len(recorder.made) == len(blocks(START, END, refit))
    # A block's edge hides nothing: only what lies after the range is unknown.
    assert [np.isnan(part.actuals).sum() for part in found.parts] == [10, 10, 10]


@settings(max_examples=20)
@given(start=st.integers(0, 120), length=st.integers(4, 250))
def test_whatever_the_range_the_question_is_that_of_a_single_backtest(
    frames: list[PriceFrame], start: int, length: int
) -> None:
    begin = START + timedelta(days=start)
    end = begin + timedelta(days=length)  # four days later at the least: no range lies in a long weekend
    expected = rolling_backtest(NaiveForecaster(), frames, begin, end)
    assert_same_question(refitted_backtest(EwmaEstimator(), frames, begin, end, "quarterly"), expected)


def test_each_block_is_forecast_by_the_fit_before_it(frames: list[PriceFrame]) -> None:
    recorder = Recorder()
    found = refitted_backtest(recorder, frames, START, END, "yearly")
    first, second = recorder.made
    assert first.scales != second.scales
    [part, *_] = found.parts
    for forecaster, block in zip((first, second), blocks(START, END, "yearly"), strict=True):
        alone = rolling_backtest(forecaster, frames[:1], block.start, block.end).parts[0]
        for forecast in alone.forecasts:
            [same] = [made for made in part.forecasts if made.context.cutoff == forecast.context.cutoff]
            np.testing.assert_array_equal(same.log_returns, forecast.log_returns)


def test_a_fit_sees_train_embargo_validation_embargo_and_then_its_block(frames: list[PriceFrame]) -> None:
    recorder = Recorder()
    refitted_backtest(recorder, frames, START, END, "never", validation=0.2, embargo=7)
    [[apple, cemig]] = recorder.pairs  # KO is too young to be learnt from
    assert (apple.train.ticker, cemig.train.ticker) == ("AAPL", "CMIG4.SA")
    days = np.unique(np.concatenate([frame.sessions for frame in frames]))
    known = days[days < np.datetime64(START)][:-7]
    judged = int(len(known) * 0.2)
    for pair in (apple, cemig):
        first_cutoff = pair.history.sessions[pair.first_cutoff]
        assert known[-judged] <= first_cutoff <= known[-judged] + np.timedelta64(5, "D")
    train_end, validation_end = known[-judged - 8].astype(object), known[-1].astype(object)
    assert max(pair.train.last_session for pair in (apple, cemig)) == train_end
    assert max(pair.history.last_session for pair in (apple, cemig)) == validation_end


@pytest.mark.parametrize("opponent", ["refitted", "garch"])
def test_no_close_after_a_cutoff_changes_what_was_said_at_it(
    frames: list[PriceFrame], make_frame: MakeFrame, opponent: str
) -> None:
    def run(given: Sequence[PriceFrame]) -> Backtest:
        if opponent == "garch":
            return garch_reference(given, START, END)
        return refitted_backtest(EwmaEstimator(), given, START, END, "yearly")

    change = date(2019, 3, 20)  # inside the second block: neither it nor its fit may know
    before, after = run(frames[:2]), run([changed_after(frame, make_frame, change) for frame in frames[:2]])
    for ours, theirs in zip(before.parts, after.parts, strict=True):
        for one, other in zip(ours.forecasts, theirs.forecasts, strict=True):
            cutoff = one.context.cutoff
            assert cutoff is not None
            if cutoff <= change:
                np.testing.assert_array_equal(one.log_returns, other.log_returns)
    assert not np.array_equal(before.parts[0].quantile_returns, after.parts[0].quantile_returns)


@pytest.mark.parametrize("refit", ["never", "yearly"])
def test_the_garch_reference_answers_the_same_question(frames: list[PriceFrame], refit: RefitPolicy) -> None:
    found = garch_reference(frames, START, END, refit)
    assert_same_question(found, rolling_backtest(NaiveForecaster(), frames, START, END))
    assert found.forecaster == "garch"


def test_the_garch_reference_is_fitted_on_all_that_precedes_its_block(frames: list[PriceFrame]) -> None:
    apple = frames[:1]
    [part] = garch_reference(apple, START, END, "yearly").parts
    expected = []
    for block in blocks(START, END, "yearly"):
        forecaster = fit_garch([apple[0].until(block.start - timedelta(days=1))])
        expected.append(rolling_backtest(forecaster, apple, block.start, block.end).parts[0].quantile_returns)
    np.testing.assert_array_equal(part.quantile_returns, np.concatenate(expected))


def test_the_garch_reference_takes_a_horizon_and_a_lookback(frames: list[PriceFrame]) -> None:
    found = garch_reference(frames, START, END, "never", horizon=2, lookback=30)
    naive = NaiveForecaster(horizon=2, lookback=30)
    assert found.fingerprint == rolling_backtest(naive, frames, START, END).fingerprint
    assert found.parts[0].actuals.shape[1] == 2


def test_a_suspended_share_holds_the_fit_back_instead_of_leaking(make_frame: MakeFrame) -> None:
    apple, ibm = make_frame("AAPL", 1300, seed=1), make_frame("IBM", 1300, seed=2)
    bars = ibm.to_dataframe()
    gap = (bars.index > "2018-10-01") & (bars.index < "2019-02-01")
    suspended = PriceFrame.from_dataframe(bars[~gap], ticker="IBM", source="test", as_of=ibm.as_of)
    both = [apple, suspended]
    expected = rolling_backtest(NaiveForecaster(), both, START, END)
    recorder = Recorder()
    assert_same_question(refitted_backtest(recorder, both, START, END, "yearly"), expected)
    assert recorder.pairs[1][0].history.last_session == date(2018, 10, 1)
    assert_same_question(garch_reference(both, START, END), expected)


def test_blocks_before_a_history_begins_are_not_fitted_for(frames: list[PriceFrame]) -> None:
    young = [frames[2]]
    with pytest.raises(TooShortHistory, match=r"longest has \d+"):
        garch_reference(young, date(2010, 1, 1), END)
    with pytest.raises(InvalidRequest, match=r"No session from 2010-01-01 to 2010-12-31 .* KO"):
        garch_reference(young, date(2010, 1, 1), date(2010, 12, 31))


def test_too_little_before_a_block_is_refused(frames: list[PriceFrame]) -> None:
    first = frames[0].first_session
    with pytest.raises(TooShortHistory, match="sessions lie before"):
        refitted_backtest(EwmaEstimator(), frames, first + timedelta(days=5), END, "never")
    with pytest.raises(TooShortHistory, match="AAPL"):
        refitted_backtest(EwmaEstimator(), frames, first + timedelta(days=120), END, "never")
    with pytest.raises(TooShortHistory, match="sessions lie before"):
        refitted_backtest(EwmaEstimator(), frames, START, END, "never", validation=0.0)


def test_the_observer_hears_which_fit_it_is_and_how_far_the_whole_is(frames: list[PriceFrame]) -> None:
    listener = Listener()
    refitted_backtest(Recorder(), frames, START, END, "yearly", observer=listener)
    assert listener.told == [("Learning (fit 1 of 2)", 0.25), ("Learning (fit 2 of 2)", 0.75)]
