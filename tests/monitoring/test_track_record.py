"""The track record: only what nobody can polish counts, and what it says is what a backtest would say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr
from scipy.stats import binom

from stockcast.config import Config
from stockcast.database import Database
from stockcast.evaluation.metrics import crps
from stockcast.evaluation.rolling import rolling_backtest
from stockcast.evaluation.scorecard import Scorecard, score
from stockcast.forecasting.conformal import CENTRAL
from stockcast.forecasting.ewma import EwmaForecaster
from stockcast.forecasting.forecaster import Forecaster
from stockcast.forecasting.naive import NaiveForecaster
from stockcast.forecasting.quantiles import LEVELS
from stockcast.forecasting.recalibrated import RecalibratedForecaster
from stockcast.monitoring.adaptations import Adaptations
from stockcast.monitoring.journal import Journal
from stockcast.monitoring.live_coverage import LiveCoverage, live_coverage
from stockcast.monitoring.miss_cusum import MissCusum, miss_cusum
from stockcast.monitoring.outcomes import Outcomes
from stockcast.monitoring.scored import Scored
from stockcast.monitoring.track_record import first_words, track_record
from stockcast.prices.frame import PriceFrame
from stockcast.prices.sessions import closing_times, sessions_between
from stockcast.registry.versions import ModelVersion
from stockcast.workflows.forecast import Speaker, forecast_ticker

DAYS = sessions_between("XNYS", date(2010, 1, 4), date(2024, 6, 28))
EVEN = LEVELS - 0.5  # quantiles of a return that lies anywhere between -0.5 and 0.5 alike


def scored_of(returns: np.ndarray, tickers: Sequence[str] = ("AAPL",), **changes: object) -> Scored:
    """Forecasts of an even distribution, and what came: a return of each ticker and session. [S, K]"""
    sessions, count = returns.shape
    flat = returns.ravel()
    quantiles = np.tile(EVEN, (len(flat), 1))
    days = np.repeat(DAYS[:sessions], count)
    made = Scored(
        universe="us",
        horizon=1,
        journal_ids=np.arange(1, len(flat) + 1),
        issued_at=days.astype("datetime64[us]"),
        tickers=np.tile(np.array(tickers, dtype=np.str_), sessions),
        versions=np.full(len(flat), "3"),
        cutoffs=days,
        sessions=np.repeat(DAYS[1 : sessions + 1], count),
        from_store=np.ones(len(flat), dtype=np.bool_),
        live=np.ones(len(flat), dtype=np.bool_),
        returns=flat,
        crps=crps(quantiles, flat) * 100,
        naive_crps=crps(1.2 * quantiles, flat) * 100,
        pit=np.clip(flat + 0.5, 0, 1),
        quantiles=quantiles,
        naive_quantiles=1.2 * quantiles,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def even(sessions: int, tickers: int = 1, together: float = 0.0, seed: int = 0) -> np.ndarray:
    """Returns that the forecasts of `scored_of` hold, correlated between tickers. [S, K]"""
    random = np.random.default_rng(seed)
    common, own = random.standard_normal((sessions, 1)), random.standard_normal((sessions, tickers))
    return ndtr(np.sqrt(together) * common + np.sqrt(1 - together) * own) - 0.5


# What counts


def test_each_forecast_counts_or_is_left_out_for_one_reason() -> None:
    # One cutoff said five times, and another that was said once the session had closed.
    scored = scored_of(np.full((6, 1), 0.1))
    other = scored.quantiles.copy()
    other[4] *= 1.1
    scored = replace(
        scored,
        cutoffs=DAYS[[0, 0, 0, 0, 0, 1]],
        from_store=np.array([False, True, True, True, True, True]),
        live=np.array([True, True, True, False, True, False]),
        quantiles=other,
    )
    counts, reasons = first_words(scored)
    assert counts.tolist() == [False, True, False, False, False, False]
    assert {name: np.flatnonzero(found).tolist() for name, found in reasons.items()} == {
        "uploaded": [0],
        "after_the_fact": [3, 5],
        "repeated": [2],
        "revised": [4],
    }
    record = track_record(scored)
    assert (record.count, record.left_out.count) == (1, 5)
    assert record.left_out.sentence == (
        "Not counted: 2 issued after their session had closed, 1 of uploaded windows, "
        "1 a repetition of what had been said, 1 another word on what had been forecast before."
    )


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["AAPL", "MSFT"]), st.integers(0, 3), st.booleans(), st.booleans(), st.integers(1, 2)
        ),
        min_size=1,
        max_size=30,
    )
)
def test_all_are_told_and_the_first_live_word_on_a_cutoff_is_the_one_that_counts(
    said: list[tuple[str, int, bool, bool, int]],
) -> None:
    tickers, cutoffs, stored, live, scales = (np.array(column) for column in zip(*said, strict=True))
    scored = replace(
        scored_of(np.zeros((len(said), 1))),
        tickers=tickers,
        cutoffs=DAYS[cutoffs],
        from_store=stored,
        live=live,
        quantiles=scales[:, None] * EVEN,
    )
    counts, reasons = first_words(scored)
    assert (counts.astype(int) + sum(reason.astype(int) for reason in reasons.values()) == 1).all()
    first: dict[tuple[str, int], int] = {}
    for row, (ticker, cutoff, store, alive, _) in enumerate(said):
        if store and alive:
            first.setdefault((ticker, cutoff), row)
    assert np.flatnonzero(counts).tolist() == sorted(first.values())
    record = track_record(scored)
    assert record.count + record.left_out.count == len(said)


def test_a_later_word_of_a_better_version_replaces_nothing() -> None:
    scored = scored_of(np.zeros((2, 1)))
    scored = replace(
        scored,
        cutoffs=DAYS[[0, 0]],
        versions=np.array(["3", "4"]),
        quantiles=scored.quantiles * [[1.0], [0.01]],
        crps=np.array([2.0, 0.1]),
    )
    record = track_record(scored)
    assert record.scores is not None
    assert record.scores.crps == 2.0
    assert [part.name for part in record.versions] == ["3"]
    alone = track_record(scored, model_version="4")
    assert (alone.count, alone.left_out.revised) == (0, 1)


def test_a_record_of_nothing_says_so() -> None:
    record = track_record(scored_of(np.zeros((1, 1)), live=np.array([False])))
    assert (record.scores, record.pit, record.cusum, record.path) == (None, None, None, ())
    assert record.sentence == "No live forecast has come true yet."
    assert track_record(scored_of(np.empty((0, 1)))).left_out.sentence == ""


def test_parts_are_chosen_by_ticker_version_dates_and_number_of_sessions() -> None:
    scored = scored_of(even(30, 2), ("AAPL", "MSFT"), versions=np.repeat(["3", "4"], 30))
    assert track_record(scored, ticker="MSFT").count == 30
    assert track_record(scored, model_version="4").count == 30
    assert track_record(scored, ticker="MSFT", model_version="4").count == 15
    since, until = DAYS[10].item(), DAYS[12].item()
    record = track_record(scored, since=since, until=until)
    assert record.scores is not None
    assert (record.count, record.scores.first_session, record.scores.last_session) == (6, since, until)
    last = track_record(scored, until=until, last=2).scores
    assert last is not None
    assert (last.count, last.sessions, last.first_session) == (4, 2, DAYS[11].item())
    assert [(part.name, part.scores.count) for part in track_record(scored).tickers] == [
        ("AAPL", 30),
        ("MSFT", 30),
    ]


# What it says


def test_figures_stand_beside_their_counts_and_the_path_ends_where_they_do() -> None:
    record = track_record(scored_of(even(40, 3, 0.3), ("AAPL", "IBM", "MSFT")))
    scores, path = record.scores, record.path
    assert scores is not None
    assert (scores.count, scores.sessions, len(path), path[-1].count) == (120, 40, 40, 120)
    assert path[-1].skill == pytest.approx(scores.skill, abs=1e-12)
    assert path[-1].session == scores.last_session
    assert path[-1].advantage == pytest.approx(40 * (scores.naive_crps - scores.crps))
    assert record.pit is not None
    assert (len(record.pit.counts), sum(record.pit.counts)) == (10, 120)
    assert "120 live forecasts over 40 sessions" in record.sentence
    assert scores.coverage(0.8).sentence in record.sentence
    plain = json.loads(json.dumps(record.to_json(), allow_nan=False))
    assert plain["scores"]["coverages"][0]["promised"] == 0.8
    assert plain["path"][0]["session"] == str(DAYS[1])


def test_the_band_of_one_ticker_is_the_binomial_one() -> None:
    for count, confidence in ((15, 0.95), (60, 0.95), (250, 0.8)):
        scores = track_record(scored_of(even(count)), confidence=confidence).scores
        assert scores is not None
        for each in scores.coverages:
            low, high = binom.interval(confidence, count, each.promised)
            assert (each.independent, each.low, each.high) == (count, low / count, high / count)
            assert each.share == each.held / each.count


def coverage_of(returns: np.ndarray) -> LiveCoverage:
    """That of the 80 % interval, of the returns of each ticker and session. [S, K]"""
    held = np.abs(returns.ravel()) <= 0.4
    return live_coverage(0.8, held, held, np.repeat(DAYS[: len(returns)], returns.shape[1]), 1, 0.95)


def test_tickers_that_move_together_do_not_make_the_band_cry_wolf() -> None:
    found = [coverage_of(even(60, 40, together=0.4, seed=seed)) for seed in range(200)]
    outside = sum(not each.inside for each in found)
    independent = [binom.interval(0.95, each.count, 0.8) for each in found]
    naively = sum(not low <= each.held <= high for each, (low, high) in zip(found, independent, strict=True))
    assert outside <= 20, "5 % of 200 are 10"
    assert naively >= 60, "as independent forecasts they would have rung in every third record"


def test_before_it_is_known_how_far_tickers_move_together_they_count_as_one() -> None:
    few = coverage_of(even(19, 40, seed=1))
    assert (few.count, few.independent) == (760, 19)
    assert coverage_of(even(20, 40, seed=1)).independent > 200


def test_intervals_that_are_too_narrow_fall_out_of_the_band() -> None:
    found = [coverage_of(1.3 * even(120, 40, together=0.4, seed=seed)) for seed in range(40)]
    assert sum(not each.inside for each in found) >= 36


def test_overlapping_forecasts_count_for_less() -> None:
    # Five sessions ahead: each return is shared with its neighbours.
    shocks = even(300, 1, seed=3).ravel()
    overlapping = np.convolve(shocks, np.ones(5) / 5, mode="valid")[:, None] * 2.2
    scored = scored_of(overlapping)
    near, far = (track_record(replace(scored, horizon=horizon)).scores for horizon in (1, 5))
    assert near is not None
    assert far is not None
    assert far.coverage(0.8).independent < 0.6 * near.coverage(0.8).independent
    assert far.p_value > near.p_value


def test_several_sessions_ahead_there_is_no_cusum_and_no_promise() -> None:
    record = track_record(replace(scored_of(even(30)), horizon=3), promised={"3": card_of(skill=0.1)})
    assert (record.cusum, record.promise) == (None, None)
    assert record.count == 30


def card_of(skill: float) -> Scorecard:
    """A real scorecard with another skill."""
    rising = np.exp(np.linspace(4, 4.5, 200) + 0.01 * even(200).ravel())
    bars = pd.DataFrame({"close": rising}, index=pd.DatetimeIndex(DAYS[:200]))
    frame = PriceFrame.from_dataframe(bars, ticker="AAPL", source="x", as_of=datetime(2024, 1, 1, tzinfo=UTC))
    start, end = DAYS[100].item(), DAYS[199].item()
    judged, naive = (rolling_backtest(each, [frame], start, end) for each in (EwmaForecaster(), NaiveForecaster()))
    return replace(score(judged, naive), skill=skill, coverage_80=0.8 + skill)


def test_what_backtests_promised_is_weighted_by_who_spoke_how_often() -> None:
    scored = scored_of(even(40), versions=np.repeat(["3", "4", "5"], [10, 20, 10]))
    record = track_record(scored, promised={"3": card_of(0.1), "4": card_of(0.04)})
    assert record.promise is not None
    assert (record.promise.count, record.promise.skill) == (30, pytest.approx(0.06))
    assert record.promise.coverage_80 == pytest.approx(0.86)
    assert [(part.name, part.promise and part.promise.skill) for part in record.versions] == [
        ("3", 0.1),
        ("4", 0.04),
        ("5", None),
    ]
    assert track_record(scored).promise is None


# CUSUM of misses


def cusum_of(returns: np.ndarray) -> MissCusum:
    names = [f"T{number}" for number in range(returns.shape[1])]
    found = track_record(scored_of(returns, names)).cusum
    assert found is not None
    return found


def test_a_calibrated_forecaster_crosses_the_threshold_in_one_year_of_twenty() -> None:
    def crossed(shares: np.ndarray) -> float:
        """How many of the years cross it on any session. [Y, S]"""
        found = [miss_cusum(year, DAYS[: len(year)]) for year in shares]
        return float(np.mean([max(max(each.too_many), max(each.too_few)) > each.threshold for each in found]))

    random = np.random.default_rng(7)
    alone = crossed((random.random((2000, 250)) < 0.2).astype(float))
    assert 0.035 < alone < 0.06
    together = [(np.abs(even(250, 30, together=0.4, seed=seed)) > 0.4).mean(axis=1) for seed in range(300)]
    assert crossed(np.array(together)) < 0.05, "tickers that move together cross it no more often"


@pytest.mark.parametrize(("width", "alarm"), [(1.7, "too many misses"), (0.9, "too few misses")])
def test_intervals_that_turn_wrong_are_told_with_the_session(width: float, alarm: str) -> None:
    good, wrong = even(120, seed=1), width * even(200, seed=2)
    if width < 1:
        wrong = np.clip(wrong, -0.4, 0.4)
    found = cusum_of(np.concatenate([good, wrong]))
    assert found.alarm == alarm
    assert found.since is not None
    assert DAYS[121].item() < found.since <= DAYS[121 + 120].item()
    calm = cusum_of(good)
    assert (calm.alarm, calm.since) == (None, None)


def test_an_alarm_ends_when_the_intervals_hold_again() -> None:
    wrong, good = np.full((30, 1), 0.49), np.tile([[0.0], [0.0], [0.49], [0.0], [0.0]], (20, 1))
    assert cusum_of(wrong).alarm == "too many misses"
    assert cusum_of(wrong).since == DAYS[int(np.ceil(5.25 / np.log(1.5)))].item()
    assert cusum_of(np.concatenate([wrong, good])).alarm is None


# What it says of sixty real days


def speaker(forecaster: Forecaster) -> Speaker:
    version = ModelVersion(
        name="stockcast-us",
        version="1",
        kind=forecaster.kind,
        run_id="r",
        experiment_id="1",
        created_at=datetime(2012, 6, 1, tzinfo=UTC),
        trained_until=None,
        tickers=("AAPL",),
        aliases=(),
        promoted=True,
        reasons=(),
        note="",
    )
    return Speaker(version, forecaster, None, None, Config())


@pytest.mark.parametrize(
    "forecaster",
    [
        EwmaForecaster(),
        RecalibratedForecaster(EwmaForecaster(), np.tile(CENTRAL, (5, 1)), adaptation=0.02, trained_until=None),
    ],
    ids=["as it is", "adapting to each ticker"],
)
def test_sixty_days_lived_through_are_worth_what_the_backtest_says(
    database: Database, sample_frames: tuple[PriceFrame, ...], forecaster: Forecaster
) -> None:
    """Each evening the history ends that day, and the forecast is journaled; then the rest arrives at once."""
    journal, adaptations = Journal(database), Adaptations(database)
    sessions = sample_frames[0].sessions
    first = int(np.searchsorted(sessions, np.datetime64("2012-06-01")))
    for day in sessions[first : first + 60]:
        closed = closing_times("XNYS", np.array([day]))[0].item().replace(tzinfo=UTC)
        for frame in sample_frames:
            forecast_ticker(
                speaker(forecaster),
                frame.until(day.item()),
                None,
                journal,
                adaptations,
                universe="us",
                face="schedule",
                now=closed + timedelta(minutes=30),
            )
    outcomes = Outcomes(database)
    written = sum(outcomes.score(frame, datetime(2013, 3, 4, tzinfo=UTC)).written for frame in sample_frames)
    assert written == 60 * 3 * 5
    record = track_record(outcomes.scored("us"))
    # Longer than the sixty days, so that the last one's furthest horizon is known, too.
    start, end, beyond = (sessions[first + ahead].item() for ahead in (1, 60, 64))
    judged, naive = (rolling_backtest(each, sample_frames, start, end) for each in (forecaster, NaiveForecaster()))
    card, scores = score(judged, naive), record.scores
    assert scores is not None
    assert (scores.count, scores.first_session, scores.last_session) == (180, start, end)
    figures = ("crps", "naive_crps", "skill", "mape", "naive_mape", "mape_ratio", "dm_statistic")
    for name in figures:
        assert getattr(scores, name) == pytest.approx(getattr(card, name), rel=1e-9), name
    assert scores.p_value == pytest.approx(card.dm_p_value, rel=1e-9)
    for each, share in zip(scores.coverages, (80, 90, 95), strict=True):
        assert each.share == getattr(card, f"coverage_{share}")
        assert each.naive_share == getattr(card, f"naive_coverage_{share}")
    for part, theirs in zip(record.tickers, card.tickers, strict=True):
        assert (part.name, part.scores.count) == (theirs.ticker, theirs.count)
        assert part.scores.crps == pytest.approx(theirs.crps, rel=1e-9)
        assert part.scores.coverage(0.8).share == theirs.coverage_80
    whole = rolling_backtest(forecaster, sample_frames, start, beyond)
    for horizon in range(1, 6):
        scored = outcomes.scored("us", horizon=horizon)
        for backtested in whole.parts:
            ours = scored.where(scored.tickers == backtested.ticker)
            came = backtested.actual_returns[:60, horizon - 1]
            told = backtested.quantile_returns[:60, horizon - 1]
            np.testing.assert_allclose(ours.returns, came, rtol=0, atol=1e-12)
            np.testing.assert_allclose(ours.quantiles, told, rtol=0, atol=1e-12)
            np.testing.assert_allclose(ours.crps, crps(told, came) * 100, rtol=1e-9)
