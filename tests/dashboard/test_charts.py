"""Charts are pure: a domain object in, a figure out."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.jobs.job import JobEvent
from stockcast.prices.frame import PriceFrame
from stockcast.prices.window import PriceWindow
from stockcast.ui import chart_style
from stockcast.ui.candlestick_chart import candlestick_chart
from stockcast.ui.chart_style import CHALLENGER, CHAMPION, FALLING, HISTORY, NAIVE, RISING
from stockcast.ui.fan_chart import fan_chart
from stockcast.ui.format import money
from stockcast.ui.loss_chart import Behind, Losses, loss_chart, losses_of
from stockcast.ui.price_view import AROUND, RANGES, bars_around, bars_of_range
from stockcast.ui.weekly_bars import MOST_BARS, drawable_bars
from stockcast.workflows.forecast import Answer

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bars(make_frame: Callable[..., PriceFrame]) -> PriceFrame:
    """A history with ranges and volumes that hold every close."""
    frame = make_frame(count=2000, seed=3)
    spread = np.random.default_rng(3).uniform(0.001, 0.02, len(frame))
    table = frame.to_dataframe().assign(
        open=frame.close * (1 - spread / 2),
        high=frame.close * (1 + spread),
        low=frame.close * (1 - spread),
        volume=1000.0,
    )
    return PriceFrame.from_dataframe(table, ticker="AAPL", source="test", as_of=frame.as_of)


def test_every_session_takes_the_same_room_and_weekends_take_none(bars: PriceFrame) -> None:
    recent = bars.rows(len(bars) - 30, len(bars))
    figure = candlestick_chart(recent)
    axis = figure.layout.xaxis
    assert axis.type == "category"
    assert list(axis.categoryarray) == [str(day) for day in recent.sessions]
    assert list(figure.data[0].close) == recent.close.tolist()
    assert figure.data[0].type == "candlestick"
    assert figure.data[1].type == "bar"
    assert set(axis.tickvals) <= set(axis.categoryarray)


def test_a_long_history_is_drawn_as_weeks_that_lose_no_extreme(bars: PriceFrame) -> None:
    weekly, is_weekly = drawable_bars(bars)
    assert is_weekly
    assert len(weekly) <= MOST_BARS < len(bars)
    assert weekly["high"].max() == bars.high.max()
    assert weekly["low"].min() == bars.low.min()
    assert weekly["volume"].sum() == bars.volume.sum()
    assert weekly["close"].iloc[-1] == bars.close[-1]
    assert weekly.index[-1].date() == bars.last_session
    assert weekly.index.is_monotonic_increasing
    assert candlestick_chart(bars).layout.title.text.startswith("Weekly")


@given(first=st.integers(0, 1100), count=st.integers(1, 900))
def test_bars_hold_the_close_whatever_part_is_drawn(bars: PriceFrame, first: int, count: int) -> None:
    drawn, _ = drawable_bars(bars.rows(first, first + count))
    assert ((drawn["low"] <= drawn["close"]) & (drawn["close"] <= drawn["high"])).all()
    assert 1 <= len(drawn) <= MOST_BARS


def test_closes_alone_are_drawn_as_a_line_without_volume(make_frame: Callable[..., PriceFrame]) -> None:
    figure = candlestick_chart(make_frame(count=100))
    assert [trace.type for trace in figure.data] == ["scatter"]


def test_the_log_scale_is_that_of_prices_not_of_volume(bars: PriceFrame) -> None:
    figure = candlestick_chart(bars, log_scale=True)
    assert (figure.layout.yaxis.type, figure.layout.yaxis2.type) == ("log", None)


def test_a_range_ends_at_the_last_session(bars: PriceFrame) -> None:
    lengths = [len(bars_of_range(bars, months)) for months in RANGES.values()]
    assert lengths == sorted(lengths)
    assert 18 <= lengths[0] <= 23
    assert lengths[-1] == len(bars)
    assert all(bars_of_range(bars, months).last_session == bars.last_session for months in RANGES.values())


def test_a_month_begins_after_the_same_day_of_the_month_before(bars: PriceFrame) -> None:
    stop = int(np.searchsorted(bars.sessions, np.datetime64("2019-11-15"))) + 1
    month = bars_of_range(bars.rows(0, stop), 1)
    assert month.last_session == date(2019, 11, 15)
    assert np.datetime64("2019-10-15") in bars.sessions
    assert month.first_session == date(2019, 10, 16)


def test_the_bars_around_a_place_are_as_many_on_each_side_also_where_it_is_a_gap(bars: PriceFrame) -> None:
    first, last = bars.sessions[500].item(), bars.sessions[503].item()
    assert bars_around(bars, first, last).sessions.tolist() == bars.sessions[500 - AROUND : 504 + AROUND].tolist()
    without = bars.rows(0, 500)
    assert bars_around(without, first, last).sessions.tolist() == bars.sessions[500 - AROUND : 500].tolist()
    assert bars_around(bars, bars.first_session, bars.first_session).first_session == bars.first_session


def test_the_fan_opens_from_the_last_close_and_its_intervals_are_nested(aapl_answer: Answer) -> None:
    figure = fan_chart(aapl_answer)
    high95, low95, high80, low80, history, median, naive, words = figure.data
    assert {trace.y[0] for trace in (high95, low95, high80, low80, naive)} == {aapl_answer.window.closes[-1]}
    for inner_low, inner_high, low, high in zip(low80.y[1:], high80.y[1:], low95.y[1:], high95.y[1:], strict=True):
        assert low < inner_low < inner_high < high
    assert list(median.y) == aapl_answer.forecast.median.tolist()
    assert list(naive.y[1:]) == aapl_answer.naive.median.tolist()
    assert len(history.x) == 60
    assert list(median.x) == ["2013-03-04", "2013-03-05", "2013-03-06", "2013-03-07", "2013-03-08"]
    assert list(figure.layout.xaxis.categoryarray) == [*history.x, *median.x]
    assert figure.layout.yaxis.title.text == "Close (USD)"
    assert list(words.x) == list(figure.layout.xaxis.categoryarray)  # every session is told its own values
    assert {trace.hoverinfo for trace in figure.data[:-1]} == {"skip"}
    assert words.customdata[59] == money(aapl_answer.window.closes[-1], "USD").join(("Close ", ""))
    assert money(aapl_answer.forecast.median[0], "USD") in words.customdata[60]


def test_a_window_without_dates_is_drawn_over_distances(aapl_answer: Answer) -> None:
    context = replace(aapl_answer.forecast.context, ticker=None, currency=None, cutoff=None, sessions=None)
    undated = replace(
        aapl_answer,
        forecast=replace(aapl_answer.forecast, context=context),
        window=PriceWindow(aapl_answer.window.closes),
    )
    figure = fan_chart(undated)
    assert list(figure.data[4].x)[-2:] == ["-1", "0"]
    assert list(figure.data[5].x) == ["+1", "+2", "+3", "+4", "+5"]
    assert figure.layout.yaxis.title.text == "Close"


def test_the_loss_chart_marks_the_epoch_whose_weights_are_kept(aapl_answer: Answer) -> None:
    reported = [(1, 2.0, 2.1), (2, 1.8, 1.9), (3, 1.7, 1.95)]
    events = [
        JobEvent(number, pd.Timestamp("2024-01-02", tz="UTC"), "epoch",
                 {"number": number, "of": 40, "train_loss": train, "validation_loss": validation})
        for number, train, validation in reported
    ]  # fmt: skip
    losses = losses_of(events)
    assert losses.best == (2, 1.9)
    figure = loss_chart(losses, last_epoch=40)
    assert list(figure.data[2].x) == [2]
    assert figure.data[2].name == "Best: epoch 2"
    assert tuple(figure.layout.xaxis.range) == (0.5, 40.5)  # the axis does not jump while epochs come in


def test_the_champions_curve_lies_behind_and_the_axis_may_be_logarithmic() -> None:
    losses = Losses([(1, 2.0), (2, 1.8)], [(1, 2.1), (2, 1.9)])
    figure = loss_chart(losses, 5, behind=Behind("Champion lstm v2", [(1, 2.0), (9, 1.7)]), logarithmic=True)
    assert (figure.data[0].name, list(figure.data[0].x)) == ("Champion lstm v2", [1]), "not beyond the axis"
    assert figure.layout.yaxis.type == "log"
    assert [curve.line.color for curve in figure.data[:3]] == [CHAMPION, HISTORY, CHALLENGER]
    assert loss_chart(losses, speaks=True).data[1].line.color == CHAMPION
    below_zero = Losses([(1, -0.1)], [(1, 0.2)])
    assert not below_zero.positive
    assert loss_chart(below_zero, logarithmic=True).layout.yaxis.type == "linear"


def test_an_epoch_without_a_finite_loss_leaves_a_gap() -> None:
    at = pd.Timestamp("2024-01-02", tz="UTC")
    events = [
        JobEvent(1, at, "epoch", {"number": 1, "train_loss": 2.0, "validation_loss": None}),
        JobEvent(2, at, "note", {"sentence": "Something else"}),
        JobEvent(3, at, "epoch", {"number": 2, "train_loss": 1.9, "validation_loss": 1.8}),
    ]
    assert losses_of(events) == Losses([(1, 2.0), (2, 1.9)], [(2, 1.8)])


def test_a_long_training_is_drawn_with_few_points() -> None:
    curve = [(epoch, 2.0) for epoch in range(1, 1001)]
    assert len(loss_chart(Losses(curve, curve)).data[0].x) <= 600


def test_a_training_without_epochs_has_no_best_one() -> None:
    assert Losses([], []).best is None
    assert len(loss_chart(Losses([], [])).data) == 2


ROLES = {"champion": CHAMPION, "challenger": CHALLENGER, "naive": NAIVE, "history": HISTORY}
# Machado, Oliveira and Fernandes (2009), severity 1.0: linear RGB as people with these deficiencies see it.
DEFICIENCIES = {
    "none": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def linear(colour: str) -> np.ndarray:
    values = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(np.clip(to_xyz @ np.clip(rgb, 0, 1), 1e-6, None) / np.array([0.9505, 1.0, 1.089]))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_roles_and_candles_stay_apart_for_every_eye(deficiency: str) -> None:
    seen = DEFICIENCIES[deficiency]
    pairs = [(one, other) for one in ROLES.values() for other in ROLES.values() if one < other]
    for one, other in [*pairs, (RISING, FALLING)]:
        assert np.linalg.norm(lab(seen @ linear(one)) - lab(seen @ linear(other))) > 20, (one, other)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_colour_stands_out_on_the_page(theme: str) -> None:
    themes = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
    page = linear(themes[theme]["backgroundColor"]) @ [0.2126, 0.7152, 0.0722]
    for colour in (*ROLES.values(), RISING, FALLING):
        light = linear(colour) @ [0.2126, 0.7152, 0.0722]
        assert (max(light, page) + 0.05) / (min(light, page) + 0.05) >= 3, colour


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_badges_have_the_colours_of_the_charts(theme: str) -> None:
    palette = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"][theme]
    assert palette[f"{chart_style.CHAMPION_BADGE}Color"] == CHAMPION
    assert palette[f"{chart_style.CHALLENGER_BADGE}Color"] == CHALLENGER
    assert palette[f"{chart_style.NAIVE_BADGE}Color"] == NAIVE
    assert palette["chartCategoricalColors"][:3] == [CHAMPION, CHALLENGER, NAIVE]
