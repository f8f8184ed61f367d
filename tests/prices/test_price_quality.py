from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from price_payloads import NOW, QUESTION, days_until, raw_bars

from stockcast.prices.cleaning import clean_bars
from stockcast.prices.frame import PriceFrame
from stockcast.prices.quality import assess_quality
from stockcast.prices.repairs import add_reports, repair
from stockcast.prices.source import PriceReport, Repair

DAYS = days_until("2024-05-15", 100)
CLOSES = 100 * np.exp(np.cumsum(np.random.default_rng(5).normal(0, 0.02, 100)))


def frame_of(closes: np.ndarray = CLOSES, leave_out: tuple[int, ...] = (), **columns: np.ndarray) -> PriceFrame:
    rows = raw_bars(DAYS, closes, **columns).drop(index=list(leave_out))
    return clean_bars(rows, QUESTION, source="test", now=NOW).frame


def test_a_good_history_is_called_good() -> None:
    quality = assess_quality(frame_of())
    assert not quality.suspicious
    assert quality.sentences == (
        "No session of the exchange is missing.",
        "No move looks like a missed split or a unit error.",
        "Open, high and low are known for 100.0 % of the sessions.",
    )


def test_missing_sessions_are_those_of_the_exchange() -> None:
    quality = assess_quality(frame_of(leave_out=(3, 50)))
    assert quality.missing_sessions == (date.fromisoformat(DAYS[3]), date.fromisoformat(DAYS[50]))
    assert f"2 sessions of the exchange missing: {DAYS[3]}, {DAYS[50]}." in quality.sentences
    assert quality.suspicious


@pytest.mark.parametrize(
    ("factor", "likeness"),
    [
        (0.5, "a split"),
        (3, "a split"),
        (10, "a split or unit error"),
        (0.01, "a unit error"),
        (1.7, "an extreme move"),
    ],
)
def test_a_jump_is_named_after_what_it_looks_like(factor: float, likeness: str) -> None:
    closes = CLOSES.copy()
    closes[40:] *= factor * closes[39] / closes[40]
    jumps = assess_quality(frame_of(closes)).jumps
    assert [(jump.session, jump.looks_like) for jump in jumps] == [(date.fromisoformat(DAYS[40]), likeness)]
    assert jumps[0].log_return == pytest.approx(np.log(factor))


def test_a_wild_stock_may_move_more_before_it_is_suspected() -> None:
    wild = 100 * np.exp(np.cumsum(np.where(np.arange(100) % 2, 0.09, -0.09)))
    wild[60:] *= 1.7  # 0.53 + 0.09 in logs, seven of its own sigmas
    assert assess_quality(frame_of(wild)).jumps == ()


def test_standstills_and_silent_sessions_are_counted() -> None:
    closes, volume = CLOSES.copy(), np.arange(100.0)
    closes[10:16] = 50.0
    volume[20] = 0
    quality = assess_quality(frame_of(closes, volume=volume))
    assert (quality.standstill, quality.standstill_until) == (6, date.fromisoformat(DAYS[15]))
    assert quality.zero_volume == (date.fromisoformat(DAYS[0]), date.fromisoformat(DAYS[20]))
    assert f"The close stood still for 6 sessions until {DAYS[15]}." in quality.sentences


def test_what_is_unknown_is_said() -> None:
    nothing = np.full(100, np.nan)
    quality = assess_quality(frame_of(open=nothing, high=nothing, low=nothing, volume=nothing))
    assert (quality.range_share, quality.volume_share) == (0, 0)
    assert "Only closes are known, no open, high and low." in quality.sentences
    assert "Volumes are not known." in quality.sentences


def test_a_volume_of_zero_throughout_is_not_known() -> None:
    quality = assess_quality(frame_of(volume=np.zeros(100)))
    assert (quality.volume_share, quality.zero_volume) == (0, ())


def test_one_session_is_a_history_too() -> None:
    quality = assess_quality(frame_of().rows(0, 1))
    assert (quality.jumps, quality.standstill, quality.missing_sessions) == ((), 1, ())


def test_reports_of_two_updates_add_up() -> None:
    partial = Repair("partial_answer", 9, "Yahoo's answer starts late.")
    first = PriceReport(100, (repair("phantom_session", 3, "a, b, c"), repair("unfinished_bar", 1), partial))
    second = PriceReport(5, (repair("phantom_session", 1, "d"), repair("missing_close", 1)))
    total = add_reports(first, second)
    assert total.rows_read == 105
    assert [done.sentence for done in total.repairs] == [
        "4 rows were left out, because nothing was traded then.",
        "1 row without a readable close was left out.",
    ]
