"""The gate: each rule alone turns the verdict, and each verdict says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from stockcast.config import PromotionConfig
from stockcast.evaluation.gate import judge
from stockcast.evaluation.scorecard import Comparison, Scorecard
from stockcast.evaluation.significance import DieboldMariano

RULES = PromotionConfig(max_mape_ratio=1.003)
CARD = Scorecard(
    forecaster="lstm",
    fingerprint="f",
    count=500,
    first_session=date(2020, 1, 2),
    last_session=date(2021, 12, 30),
    currency="USD",
    mae=1.0,
    naive_mae=1.0,
    rmse=1.0,
    naive_rmse=1.0,
    mape=1.001,
    naive_mape=1.0,
    mape_ratio=1.001,
    crps=0.9,
    naive_crps=1.0,
    skill=0.1,
    dm_statistic=3.0,
    dm_p_value=0.003,
    coverage_80=0.8,
    naive_coverage_80=0.81,
    coverage_95=0.95,
    naive_coverage_95=0.96,
    coverage_90=0.9,
    naive_coverage_90=0.91,
    winkler_90=7.1,
    naive_winkler_90=7.4,
    log_score=1.9,
    naive_log_score=2.0,
    qlike=1.8,
    naive_qlike=1.9,
    direction=0.51,
    direction_count=500,
    up_share=0.52,
    tickers=(),
)


def against(opponent: str, skill: float, p_value: float = 0.01) -> Comparison:
    return Comparison(opponent, skill, DieboldMariano(2.5 if skill > 0 else -2.5, p_value, 250))


GOOD = (against("naive", 0.02), against("ewma", 0.004))


def test_a_candidate_that_beats_every_opponent_is_promoted_and_told_why() -> None:
    verdict = judge(CARD, GOOD, [], RULES)
    assert verdict.promoted
    assert len(verdict.reasons) == 2
    assert "lower than that of naive" in verdict.reasons[0]
    assert "skill +0.40 %" in verdict.reasons[1]
    assert "over 500 forecasts" in verdict.reasons[1]


@pytest.mark.parametrize(
    ("card", "comparisons", "objections", "reason"),
    [
        (replace(CARD, mape_ratio=1.0031), GOOD, [], "Its MAPE is 1.0031 times the naive one"),
        (replace(CARD, mape_ratio=float("nan")), GOOD, [], "MAPE"),
        (CARD, (GOOD[0], against("ewma", 0.0)), [], "not lower than that of ewma"),
        (CARD, (against("naive", -0.001), GOOD[1]), [], "not lower than that of naive"),
        (CARD, (*GOOD, against("the champion lstm v3", -0.2)), [], "not lower than that of the champion lstm v3"),
        (CARD, (*GOOD, against("the champion lstm v3", float("nan"))), [], "the champion lstm v3"),
        (CARD, GOOD, ["The champion cannot be judged."], "The champion cannot be judged."),
    ],
)
def test_each_rule_alone_turns_the_verdict(
    card: Scorecard, comparisons: tuple[Comparison, ...], objections: list[str], reason: str
) -> None:
    verdict = judge(card, comparisons, objections, RULES)
    assert not verdict.promoted
    assert len(verdict.reasons) == 1
    assert reason in verdict.reasons[0]


def test_the_mape_limit_is_the_configured_one_and_inclusive() -> None:
    assert judge(replace(CARD, mape_ratio=1.003), GOOD, [], RULES).promoted
    assert not judge(CARD, GOOD, [], PromotionConfig(max_mape_ratio=1.0)).promoted


def test_every_failure_is_told_not_only_the_first() -> None:
    verdict = judge(replace(CARD, mape_ratio=2.0), (against("naive", -1), against("ewma", -1)), ["No."], RULES)
    assert len(verdict.reasons) == 4


def test_a_lead_that_may_be_luck_is_promoted_but_said() -> None:
    verdict = judge(CARD, (GOOD[0], against("ewma", 0.001, p_value=0.4)), [], RULES)
    assert verdict.promoted
    assert "not significantly" in verdict.reasons[1]
    assert "significantly" not in verdict.reasons[0]
