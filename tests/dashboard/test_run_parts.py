"""How runs are put in order and side by side."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from stockcast.registry.run_summary import RunSummary
from stockcast.ui.run_comparison import figure_table, parameter_table
from stockcast.ui.runs_filter import ORDERS, RunFilter

NOON = datetime(2024, 6, 28, 12, 0, tzinfo=UTC)
LSTM = RunSummary(
    run_id="a" * 32,
    experiment_id="1",
    universe="default",
    name="LSTM",
    kind="lstm",
    status="FINISHED",
    started_at=NOON,
    seconds=60.0,
    tickers=("AAPL",),
    version="2",
    promoted=True,
    fingerprint="same",
    scores={"skill": 0.0125, "count": 1944.0, "mape_ratio": 1.0, "dm_p_value": 0.01},
    parameters={"training.seed": "1", "network.hidden_size": "32", "universe.tickers": "['AAPL']"},
    note="",
    tags={},
    deleted=False,
)
# Its training opened the run of the baseline, which ended first.
BASELINE = replace(
    LSTM, run_id="b" * 32, kind="ewma", version="1", started_at=NOON + timedelta(seconds=5), seconds=1.0,
    scores={"skill": 0.004, "count": 1944.0, "mape_ratio": 1.0, "dm_p_value": 0.01},
    parameters={"training.seed": "1", "network.hidden_size": "16", "universe.tickers": "['AAPL']"},
)  # fmt: skip
RUNNING = replace(LSTM, run_id="c" * 32, status="RUNNING", seconds=None, version=None, scores={}, promoted=None)


def test_the_newest_is_what_runs_and_then_what_ended_last() -> None:
    runs = [BASELINE, LSTM, RUNNING]
    assert RunFilter().chosen(runs, {}) == [RUNNING, LSTM, BASELINE]
    assert RunFilter(order="Oldest").chosen(runs, {}) == [BASELINE, LSTM, RUNNING]


def test_runs_without_the_figure_come_last_in_every_order() -> None:
    for order in ORDERS.keys() - {"Newest", "Oldest"}:
        assert RunFilter(order=order).chosen([RUNNING, BASELINE, LSTM], {})[-1] == RUNNING, order


def test_only_the_parameters_that_differ_are_shown_beside_one_another() -> None:
    table = parameter_table([LSTM, BASELINE])
    assert table.to_dict("list") == {"Parameter": ["network.hidden_size"], "lstm v2": ["32"], "ewma v1": ["16"]}


def test_a_difference_to_the_baseline_is_told_with_its_sense_and_never_across_other_data() -> None:
    table = figure_table([BASELINE, LSTM], BASELINE, {}).set_index("Measure")
    assert table.loc["Skill over naive", "lstm v2"].replace("\N{NO-BREAK SPACE}", " ") == "+1.25 % (+0.85, better)"
    assert table.loc["Forecasts judged", "lstm v2"] == "1,944"
    other = replace(LSTM, fingerprint="other")
    assert (
        "("
        not in figure_table([BASELINE, other], BASELINE, {})
        .set_index("Measure")
        .loc["Skill over naive", "lstm v2"]
    )


def test_a_p_value_that_rounds_to_nought_is_told_as_small() -> None:
    sure = replace(LSTM, scores={**LSTM.scores, "dm_p_value": 0.0004})
    table = figure_table([BASELINE, sure], BASELINE, {}).set_index("Measure")
    assert table.loc["p (Diebold-Mariano)", "lstm v2"] == "< 0.001 (-0.010)"
    assert table.loc["p (Diebold-Mariano)", "ewma v1"] == "0.010"
