"""Rules of the track record: they ring when something is wrong, and hardly ever when nothing is."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from live_records import calibrated_pit, live_record
from scipy.stats import binom

from stockcast.config import AlertsConfig
from stockcast.monitoring.performance_rules import Verdict, judge, judge_drift, look_level
from stockcast.monitoring.scored import Scored

CONFIG = AlertsConfig()
DAYS = CONFIG.sessions


def losses(advantage: float, days: int = DAYS, tickers: int = 3, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """CRPS of a forecaster and of naive that differ by `advantage`, with a deviation of 0.1 a session."""
    random = np.random.default_rng(seed)
    own = 1.0 + 0.1 * random.standard_normal((days, tickers))
    return own, own + advantage + 0.1 * random.standard_normal((days, 1))


def record(advantage: float = 0.05, days: int = DAYS, tickers: int = 3) -> Scored:
    own, naive = losses(advantage, days, tickers)
    return live_record(own, naive, calibrated_pit(np.random.default_rng(2), days, tickers))


def verdict(record: Scored, rule: str, ticker: str | None = None, config: AlertsConfig = CONFIG) -> Verdict:
    return next(each for each in judge(record, config) if (each.rule, each.ticker) == (rule, ticker))


def test_a_forecaster_that_is_worse_than_naive_rings_with_its_figures() -> None:
    found, (own, naive) = verdict(record(-0.08), "skill"), losses(-0.08)
    skill = 1 - own.mean() / naive.mean()
    assert found.outcome == "fires"
    window = "the last 60 sessions (2024-01-02 to 2024-03-01, 180 forecasts of 3 tickers)"
    assert f"skill over naive was {skill * 100:.1f} % over {window}: worse than naive" in found.sentence
    assert "an alert needs p < 0.0015" in found.sentence
    assert found.evidence["skill"] == pytest.approx(skill)
    assert (found.evidence["sessions"], found.evidence["forecasts"], found.evidence["tickers"]) == (60, 180, 3)


def test_a_better_forecaster_is_quiet_however_clear_it_is() -> None:
    found = verdict(record(+0.08), "skill")
    assert found.outcome == "quiet"
    assert "not worse than naive" in found.sentence


def test_between_ringing_and_quiet_an_alert_is_only_kept() -> None:
    advantages = np.linspace(-0.08, 0.02, 41)
    outcomes = [verdict(record(float(advantage)), "skill").outcome for advantage in advantages]
    assert outcomes == sorted(outcomes, key=["fires", "holds", "quiet"].index)
    assert set(outcomes) == {"fires", "holds", "quiet"}


def test_only_the_last_sessions_count() -> None:
    bad, good = losses(-0.08), losses(+0.08)
    own, naive = (np.concatenate(parts) for parts in zip(bad, good, strict=True))
    pit = calibrated_pit(np.random.default_rng(2), 2 * DAYS, 3)
    assert verdict(live_record(own, naive, pit), "skill").outcome == "quiet"
    assert verdict(live_record(own[:DAYS], naive[:DAYS], pit[:DAYS]), "skill").outcome == "fires"


@pytest.mark.parametrize("count", [0, 1, 59])
def test_too_few_sessions_are_counted_and_not_judged(count: int) -> None:
    found = judge(record(-0.5, days=count), CONFIG)
    assert [(each.rule, each.ticker, each.outcome) for each in found] == [
        ("skill", None, "unknown"),
        ("coverage", None, "unknown"),
    ]
    assert f"too few forecasts ({count} of 60 sessions)" in found[0].sentence


def test_a_ticker_is_judged_once_it_has_enough_forecasts_and_needs_more_to_ring() -> None:
    own, naive = losses(+0.05)
    pit = calibrated_pit(np.random.default_rng(2), DAYS, 3)
    own[:, 1] = naive[:, 1] + 0.1 + 0.1 * np.random.default_rng(3).standard_normal(DAYS)
    pit[0, 2] = np.nan
    found = judge(live_record(own, naive, pit, ["KO", "BAD", "NEW"]), CONFIG)
    assert [each.ticker for each in found] == [None, None, "BAD", "BAD", "KO", "KO"]
    [bad] = [each for each in found if each.outcome == "fires"]
    assert (bad.rule, bad.ticker) == ("skill", "BAD")
    assert bad.sentence.startswith("BAD's skill over naive was -")
    assert bad.evidence["needed"] == pytest.approx(look_level(CONFIG, 2))
    assert look_level(CONFIG, 2) < look_level(CONFIG, 1)


def test_a_universe_of_one_ticker_is_judged_once() -> None:
    assert [each.ticker for each in judge(record(tickers=1), CONFIG)] == [None, None]


def test_intervals_that_are_too_narrow_ring_and_so_do_those_that_are_too_wide() -> None:
    pit = calibrated_pit(np.random.default_rng(4), DAYS, 10)
    own, naive = losses(0.05, DAYS, 10)
    for pits, word in (
        (np.where(pit < 0.5, pit**3, 1 - (1 - pit) ** 3), "narrow"),
        (0.5 + (pit - 0.5) / 3, "wide"),
    ):
        found = verdict(live_record(own, naive, pits), "coverage")
        assert found.outcome == "fires"
        assert f"intervals are too {word}" in found.sentence
        assert "chance leaves" in found.sentence
    honest = verdict(live_record(own, naive, pit), "coverage")
    assert honest.outcome == "quiet"
    assert "as promised" in honest.sentence
    assert "independent ones" in honest.sentence


@pytest.mark.parametrize("held", range(0, DAYS + 1, 3))
def test_the_band_of_one_ticker_is_the_binomial_one(held: int) -> None:
    """Whatever lies outside of the 80 % interval lies outside of the 90 % interval, too."""
    pit = np.full((DAYS, 1), 0.5)
    pit[held:] = 0.999
    found = verdict(live_record(*losses(0.05, DAYS, 1), pit), "coverage")

    def outside(level: float) -> bool:
        tails = [min(binom.cdf(held, DAYS, share), binom.sf(held - 1, DAYS, share)) * 2 for share in (0.8, 0.9)]
        return min(tails) < level

    expected = "fires" if outside(look_level(CONFIG, 2)) else "holds" if outside(0.025) else "quiet"
    assert found.outcome == expected


def test_what_lies_on_the_edge_of_an_interval_is_inside() -> None:
    pit = np.tile([[0.1], [0.9], [0.05], [0.95]], (15, 1))
    evidence = verdict(live_record(*losses(0.05, DAYS, 1), pit), "coverage").evidence
    assert evidence["coverage_80"]["held"] == 0.5  # type: ignore[index, call-overload]
    assert evidence["coverage_90"]["held"] == 1.0  # type: ignore[index, call-overload]


def test_tickers_that_move_together_do_not_ring_as_the_binomial_band_of_all_forecasts_would() -> None:
    random, looks, tickers = np.random.default_rng(5), 200, 20
    ours = textbook = 0
    for _ in range(looks):
        pit = calibrated_pit(random, DAYS, tickers)
        found = verdict(live_record(*losses(0.05, DAYS, tickers), pit, ["T"] * tickers), "coverage")
        ours += found.outcome != "quiet"  # the band of a single look
        held = int((np.abs(pit - 0.5) <= 0.45).sum())
        textbook += 2 * min(binom.cdf(held, pit.size, 0.9), binom.sf(held - 1, pit.size, 0.9)) < 0.05
    assert ours / looks <= 0.08
    assert textbook / looks >= 0.25


def test_a_year_of_looks_rings_falsely_about_as_often_as_promised() -> None:
    """Forecaster and naive are equally good, intervals are honest; a look every fifth night of thirty years."""
    random, tickers, rang, naively = np.random.default_rng(6), 5, [], []
    for _ in range(30):
        own, naive = 1 + 0.1 * random.standard_t(4, (2, 250 + DAYS, tickers))
        pit = calibrated_pit(random, 250 + DAYS, tickers)
        whole = live_record(own, naive, pit, ["T"] * tickers)
        looks = [
            judge(whole.where(whole.sessions < whole.sessions[0] + DAYS + night), CONFIG)
            for night in range(0, 250, 5)
        ]
        rang.append(any(each.outcome == "fires" for look in looks for each in look))
        naively.append(any(each.outcome != "quiet" for look in looks for each in look))
    assert np.mean(rang) <= 0.2, "two rules of 5 % each"
    assert np.mean(naively) >= 0.5, "which single looks at 5 % would not be"


def test_a_row_without_a_naive_forecast_counts_for_coverage_alone() -> None:
    own, naive = losses(0.05)
    naive[0] = np.nan
    found = judge(live_record(own, naive, calibrated_pit(np.random.default_rng(2), DAYS, 3)), CONFIG)
    assert [each.outcome for each in found[:2]] == ["unknown", "quiet"]


@given(
    seed=st.integers(0, 1000),
    tickers=st.integers(1, 4),
    days=st.sampled_from([40, 60, 90]),
    constant=st.booleans(),
    places=st.sampled_from([None, 0.0, 0.5, 1.0]),
)
def test_no_record_breaks_a_rule_and_the_order_of_rows_does_not_matter(
    seed: int, tickers: int, days: int, constant: bool, places: float | None
) -> None:
    random = np.random.default_rng(seed)
    own = np.ones((days, tickers)) if constant else random.exponential(size=(days, tickers))
    naive = own if constant else random.exponential(size=(days, tickers))
    pit = random.uniform(size=(days, tickers)) if places is None else np.full((days, tickers), places)
    pit[random.uniform(size=pit.shape) < 0.1] = np.nan
    whole, config = live_record(own, naive, pit), AlertsConfig(sessions=40)
    verdicts = judge(whole, config)
    assert all(each.sentence.endswith(".") and "nan" not in each.sentence.lower() for each in verdicts)
    json.dumps([dict(each.evidence) for each in verdicts], allow_nan=False)
    rows = random.permutation(len(whole))
    mixed = judge(whole.where(rows), config)  # type: ignore[arg-type]
    assert [(each.rule, each.ticker, each.outcome) for each in mixed] == [
        (each.rule, each.ticker, each.outcome) for each in verdicts
    ]


def days_of(red: str) -> list[tuple[date, bool]]:
    """Cutoffs, oldest first: r is red, anything else is not."""
    return [(date(2024, 5, 1) + timedelta(days=number), sign == "r") for number, sign in enumerate(red)]


@pytest.mark.parametrize(
    ("red", "outcome"),
    [
        ("rrr", "fires"),
        ("..rrr", "fires"),
        ("r.r.r", "fires"),
        ("rrr..", "fires"),
        ("rrr...", "holds"),  # two of the last five
        ("rr...", "holds"),
        ("rrrrr.....", "quiet"),
        (".....", "quiet"),
        ("rr", "unknown"),
        ("", "unknown"),
    ],
)
def test_red_findings_ring_when_they_last_and_are_over_when_none_is_left(red: str, outcome: str) -> None:
    found = judge_drift("KO", days_of(red), CONFIG)
    assert (found.rule, found.ticker, found.outcome) == ("drift", "KO", outcome)
    assert "KO" in found.sentence


def test_the_drift_rule_is_set_by_the_configuration() -> None:
    config = AlertsConfig(drift_red=1, drift_sessions=2)
    assert judge_drift("KO", days_of("r."), config).outcome == "fires"
    assert judge_drift("KO", days_of("r.."), config).outcome == "quiet"
