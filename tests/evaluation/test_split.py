"""The split: one set of dates for all tickers, in order, with an embargo that nothing crosses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.config import Config
from stockcast.errors import TooShortHistory
from stockcast.evaluation.split import least_sessions, split_dates, training_pairs
from stockcast.prices.frame import PriceFrame
from stockcast.prices.sessions import all_sessions

MakeFrame = Callable[..., PriceFrame]
DAYS = all_sessions("XNYS")


@st.composite
def configs(draw: st.DrawFn) -> Config:
    horizon = draw(st.integers(1, 5))
    train = draw(st.floats(0.4, 0.89))
    validation = draw(st.floats(0.05, min(0.3, 0.95 - train)))
    return Config.model_validate(
        {
            "windows": {"lookback": draw(st.integers(20, 80)), "max_horizon": horizon},
            "split": {"train": train, "validation": validation, "embargo": draw(st.integers(horizon, 20))},
        }
    )


def row(day: date) -> int:
    return int(np.searchsorted(DAYS, np.datetime64(day, "D")))


@given(config=configs(), extra=st.integers(0, 300))
def test_parts_are_disjoint_ordered_and_apart_by_the_embargo(
    make_frame: MakeFrame, config: Config, extra: int
) -> None:
    count = least_sessions(config) + extra
    frame = make_frame(count=2600, seed=1).rows(0, count)
    split = split_dates([frame], config)
    [pair], left_out = training_pairs([frame], split, config)
    assert not left_out
    embargo, horizon, lookback = config.split.embargo, config.windows.max_horizon, config.windows.lookback
    assert row(split.validation_start) - row(split.train_end) == embargo + 1
    assert row(split.test_start) - row(split.validation_end) == embargo + 1
    assert frame.first_session < split.train_end < split.validation_start < split.validation_end
    assert split.validation_end < split.test_start <= split.test_end == frame.last_session
    # What fitting sees ends where it should, and the first validation cutoff has its lookback behind it.
    assert pair.train.last_session == split.train_end
    assert pair.history.last_session == split.validation_end
    assert pair.history.sessions[pair.first_cutoff] == np.datetime64(split.validation_start, "D")
    assert pair.first_cutoff == len(pair.train) + embargo >= lookback - 1
    assert len(pair.train) >= lookback + horizon
    assert len(pair.history) > pair.first_cutoff + horizon
    # The shares are those that were asked for, to the session.
    assert row(split.train_end) - row(frame.first_session) + 1 == pytest.approx(count * config.split.train, abs=1)
    assert row(split.test_end) - row(split.test_start) + 1 >= 20


@given(config=configs())
def test_one_session_less_than_the_least_is_refused_with_the_number(make_frame: MakeFrame, config: Config) -> None:
    least = least_sessions(config)
    frame = make_frame(count=2600, seed=1).rows(0, least - 1)
    with pytest.raises(TooShortHistory, match=f"AAPL with {least - 1} sessions.*at least {least} are needed"):
        split_dates([frame], config)


@given(cuts=st.lists(st.integers(0, 900), min_size=2, max_size=4))
def test_all_tickers_are_cut_on_the_same_dates(make_frame: MakeFrame, cuts: list[int]) -> None:
    names = ("AAPL", "IBM", "MSFT", "KO")
    frames = [make_frame(names[number], 1200, seed=number).rows(cut, 1200) for number, cut in enumerate(cuts)]
    config = Config()
    union = 1200 - min(cuts)
    if union < least_sessions(config):
        return
    split = split_dates(frames, config)
    try:
        pairs, left_out = training_pairs(frames, split, config)
    except TooShortHistory:
        return
    assert {pair.train.ticker for pair in pairs} | set(left_out) == {frame.ticker for frame in frames}
    for pair in pairs:
        assert pair.train.last_session == split.train_end
        assert pair.history.last_session == split.validation_end
        assert pair.history.sessions[pair.first_cutoff] == np.datetime64(split.validation_start, "D")


def test_the_default_split_of_a_thousand_sessions(make_frame: MakeFrame) -> None:
    frame = make_frame(count=1000)
    days = frame.sessions.astype(object)
    split = split_dates([frame], Config())
    assert split.train_end == days[699]
    assert split.validation_start == days[705]
    assert split.validation_end == days[849]
    assert split.test_start == days[855]
    assert split.test_end == days[999]


def test_a_ticker_listed_last_month_is_left_out_in_words(make_frame: MakeFrame) -> None:
    old, young = make_frame("AAPL", 1000), make_frame("NEW", 1000, seed=2).rows(980, 1000)
    split = split_dates([old, young], Config())
    pairs, left_out = training_pairs([old, young], split, Config())
    assert [pair.train.ticker for pair in pairs] == ["AAPL"]
    assert list(left_out) == ["NEW"]
    assert left_out["NEW"] == f"NEW has 0 sessions up to {split.train_end}, too few to learn from"


def test_a_ticker_delisted_long_ago_is_left_out_in_true_words(make_frame: MakeFrame) -> None:
    alive, gone = make_frame("AAPL", 1000), make_frame("GONE", 1000, seed=2).rows(0, 600)
    split = split_dates([alive, gone], Config())
    _, left_out = training_pairs([alive, gone], split, Config())
    assert "too few to learn from" not in left_out["GONE"]
    assert f"has 0 sessions from {split.validation_start} to {split.validation_end}" in left_out["GONE"]


def test_a_young_ticker_never_makes_the_chunks_of_the_others_short(make_frame: MakeFrame) -> None:
    config = Config()
    old = make_frame("AAPL", 1000)
    split = split_dates([old], config)
    for young in (old.rows(start, 1000) for start in range(500, 700, 10)):
        pairs, _ = training_pairs([old, young], split, config)
        shortest = min(len(pair.train) for pair in pairs)
        assert shortest >= 2 * config.windows.lookback


def test_no_ticker_with_enough_sessions_is_an_error_that_names_them(make_frame: MakeFrame) -> None:
    halves = [make_frame("AAPL", 1000).rows(0, 400), make_frame("IBM", 1000).rows(760, 1000)]
    config = Config()
    split = split_dates(halves, config)
    with pytest.raises(
        TooShortHistory, match=r"nothing to learn from: AAPL has 0 sessions from .*; IBM has \d+ sessions up to"
    ):
        training_pairs(halves, split, config)


@pytest.mark.parametrize(("moves_every", "learnt"), [(1, True), (3, False), (20, False), (1000, False)])
def test_a_share_that_hardly_ever_trades_is_left_out_in_words(
    make_frame: MakeFrame, moves_every: int, learnt: bool
) -> None:
    lively = make_frame("AAPL", 1000)
    still = make_frame("STILL", closes=lively.close[np.arange(1000) // moves_every * moves_every])
    split = split_dates([lively, still], Config())
    pairs, left_out = training_pairs([lively, still], split, Config())
    assert [pair.ticker for pair in pairs] == (["AAPL", "STILL"] if learnt else ["AAPL"])
    assert list(left_out) == ([] if learnt else ["STILL"])
    if not learnt:
        assert left_out["STILL"].startswith("STILL closed unchanged on ")
