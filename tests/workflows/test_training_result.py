"""What a training came to: one honest sentence, and the same thing after the job table has kept it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from pydantic import ValidationError

from stockcast.evaluation.gate import Verdict
from stockcast.evaluation.scorecard import Comparison, Scorecard, TickerScore
from stockcast.evaluation.significance import DieboldMariano
from stockcast.workflows.train import Candidate
from stockcast.workflows.training_result import Made, Opponent, Spoke, TrainingResult

TICKER = TickerScore("AAPL", "USD", 1500, 1.1, 1.2, 1.0, 1.1, 0.9, 1.0, 0.8, 0.81, 0.9, 0.91, 0.95, 0.96)
CARD = Scorecard(
    forecaster="lstm",
    fingerprint="ab" * 32,
    count=1500,
    first_session=date(2020, 1, 2),
    last_session=date(2021, 12, 30),
    currency="USD",
    mae=1.1,
    naive_mae=1.2,
    rmse=1.5,
    naive_rmse=1.6,
    mape=1.001,
    naive_mape=1.0,
    mape_ratio=1.001,
    crps=0.98,
    naive_crps=1.0,
    skill=0.0234,
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
    tickers=(TICKER,),
)
RESULT = TrainingResult(
    run_id="r1",
    experiment_id="1",
    model=Made("stockcast-default", "7", "lstm"),
    promoted=True,
    reasons=("Its CRPS is lower than that of naive.",),
    seconds=12.34,
    scorecard=CARD,
    comparisons=(Opponent("naive", 0.0234, 3.0, 0.003), Opponent("ewma", -0.01, -1.0, 0.3)),
    champion_before=Spoke("ewma v1", "r0"),
    left_out={"FB": "It is too short."},
)
CANDIDATE = Candidate(
    name="stockcast-default",
    number="7",
    verdict=Verdict(False, ("Its CRPS is not lower than that of ewma.",)),
    judged_against="1",
    champion="ewma v1",
    champion_run="r0",
    scorecard=CARD,
    comparisons=(Comparison("naive", 0.02, DieboldMariano(3.0, 0.003, 500)),),
    left_out={"FB": "It is too short."},
    seconds=12.345678,
)


@pytest.mark.parametrize(
    ("skill", "p_value", "promoted", "sentence"),
    [
        (0.0234, 0.003, True, "lstm v7 beats naive by 2.34 % (p = 0.003, 1,500 forecasts): promoted."),
        (0.0234, 1e-9, True, "lstm v7 beats naive by 2.34 % (p < 0.001, 1,500 forecasts): promoted."),
        (0.0234, 0.003, False, "lstm v7 beats naive by 2.34 % (p = 0.003, 1,500 forecasts): not promoted."),
        (
            -0.0234,
            0.003,
            False,
            "lstm v7 is worse than naive by 2.34 % (p = 0.003, 1,500 forecasts): not promoted.",
        ),
        (
            0.0234,
            0.21,
            True,
            "lstm v7 is 2.34 % better than naive, which may be chance (p = 0.210, 1,500 forecasts): promoted.",
        ),
        (
            -0.0234,
            0.21,
            False,
            "lstm v7 is 2.34 % worse than naive, which may be chance (p = 0.210, 1,500 forecasts): not promoted.",
        ),
    ],
)
def test_the_verdict_is_one_honest_sentence(skill: float, p_value: float, promoted: bool, sentence: str) -> None:
    card = replace(CARD, skill=skill, dm_p_value=p_value)
    assert replace(RESULT, scorecard=card, promoted=promoted).verdict == sentence


@pytest.mark.parametrize(("p_value", "chance"), [(0.0499, False), (0.05, False), (0.0501, True), (1.0, True)])
def test_what_is_no_proof_is_called_chance(p_value: float, chance: bool) -> None:
    result = replace(RESULT, scorecard=replace(CARD, dm_p_value=p_value))
    assert ("which may be chance" in result.verdict) == chance


def test_a_p_value_that_is_not_known_proves_nothing() -> None:
    told = replace(RESULT, scorecard=replace(CARD, dm_p_value=float("nan"))).verdict
    assert "p unknown" in told
    assert "may be chance" in told


def test_no_difference_at_all_is_called_neither_better_nor_worse() -> None:
    told = replace(RESULT, scorecard=replace(CARD, skill=0.0, dm_p_value=1.0)).verdict
    assert "worse" not in told
    assert "better" not in told


def test_a_result_survives_the_job_table() -> None:
    kept = json.loads(json.dumps(RESULT.to_json()))
    assert TrainingResult.from_json(kept) == RESULT
    assert kept["scorecard"]["first_session"] == "2020-01-02"
    assert RESULT.label == "lstm v7"


def test_a_candidate_survives_the_job_table() -> None:
    kept = json.loads(json.dumps(CANDIDATE.to_json()))
    assert Candidate.from_json(kept) == CANDIDATE


def test_plain_data_that_is_no_result_is_refused() -> None:
    for data in ({}, {**RESULT.to_json(), "model": None}):
        with pytest.raises(ValidationError):
            TrainingResult.from_json(data)
