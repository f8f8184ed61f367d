"""Runs on a real MLflow: opened, filled, closed whatever happens, and listed again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from stockcast.errors import InvalidRequest, RegistryUnavailable
from stockcast.evaluation.scorecard import Scorecard
from stockcast.forecasting.observer import Epoch
from stockcast.registry.run_summary import tags_of
from stockcast.registry.runs import Runs
from stockcast.registry.tracking_server import TrackingServer

CARD = Scorecard(
    forecaster="lstm",
    fingerprint="f",
    count=500,
    first_session=date(2020, 1, 2),
    last_session=date(2021, 12, 30),
    currency=None,
    mae=None,
    naive_mae=None,
    rmse=None,
    naive_rmse=None,
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


BEGAN = datetime(2024, 3, 1, 12, tzinfo=UTC)


def epoch(number: int, loss: float) -> Epoch:
    return Epoch(number, 10, loss + 0.1, loss, loss, 2e-3, 0.5, BEGAN + timedelta(seconds=number))


@pytest.fixture
def runs(server: TrackingServer) -> Runs:
    return Runs(server)


def test_a_run_keeps_its_parameters_curves_figures_and_files(runs: Runs, universe: str, tmp_path: Path) -> None:
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "loss.png").write_bytes(b"png")
    with runs.recording(
        universe, "LSTM AAPL", {"windows.lookback": 60, "tickers": ("AAPL",)}, {"tickers": "AAPL,IBM"}
    ) as run:
        runs.log_epochs(run, [epoch(number, 1 / number) for number in (1, 2)])
        runs.log_epochs(run, [epoch(3, 1 / 3)])
        runs.log_scorecard(run, CARD)
        runs.log_dataset(run, ("AAPL", "IBM"), "ab" * 32)
        runs.log_folder(run, tmp_path / "plots", "plots")
        assert [found.status for found in runs.recent(universe)] == ["RUNNING"]
    [found] = runs.recent(universe)
    assert (found.run_id, found.name, found.universe, found.status) == (run, "LSTM AAPL", universe, "FINISHED")
    assert found.tickers == ("AAPL", "IBM")
    assert found.parameters == {"windows.lookback": "60", "tickers": "('AAPL',)"}
    assert found.scores["mape_ratio"] == pytest.approx(1.001)
    assert "mae" not in found.scores, "several currencies have no common error"
    assert found.seconds is not None
    assert found.seconds >= 0
    assert (found.version, found.promoted, found.kind) == (None, None, "")
    assert (found.fingerprint, found.note, found.tags, found.deleted) == ("ab" * 32, "", {}, False)
    assert runs.curve(run, "validation_loss") == [(1, 1.0), (2, 0.5), (3, pytest.approx(1 / 3))]
    assert runs.curve(run, "nothing") == []


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        (ValueError("x"), "FAILED"),
        (RegistryUnavailable("x", "y"), "FAILED"),
        (KeyboardInterrupt(), "KILLED"),
        (SystemExit(0), "KILLED"),
    ],
)
def test_a_run_is_closed_whatever_happens_inside(
    runs: Runs, universe: str, problem: BaseException, status: str
) -> None:
    def work() -> None:
        with runs.recording(universe, "run", {}, {}):
            raise problem

    with pytest.raises(type(problem)):
        work()
    assert [found.status for found in runs.recent(universe)] == [status]


def test_runs_come_newest_first_and_a_universe_sees_its_own(runs: Runs, universe: str) -> None:
    for name in ("first", "second", "third"):
        with runs.recording(universe, name, {}, {}):
            pass
    with runs.recording(f"{universe}-other", "elsewhere", {}, {}):
        pass
    assert [found.name for found in runs.recent(universe)] == ["third", "second", "first"]
    assert [found.name for found in runs.recent(universe, limit=1)] == ["third"]
    assert {"elsewhere", "third"} <= {found.name for found in runs.recent()}
    assert runs.recent("nobody-trained-this") == []


def test_long_lists_of_tickers_fit_into_a_run(runs: Runs, universe: str) -> None:
    tickers = tuple(f"TICKER{number:04}.SA" for number in range(500))
    with runs.recording(universe, "many", {"universe.tickers": tickers}, {"tickers": ",".join(tickers)}) as run:
        runs.log_dataset(run, tickers, "ab" * 32)
    [found] = runs.recent(universe)
    assert found.status == "FINISHED"
    assert found.tickers[:2] == tickers[:2]


def test_figures_that_are_no_numbers_do_not_stop_a_run(runs: Runs, universe: str) -> None:
    with runs.recording(universe, "odd", {}, {}) as run:
        runs.log_epochs(run, [epoch(1, float("nan")), epoch(2, float("inf"))])
    assert len(runs.curve(run, "validation_loss")) == 2


def test_a_run_that_does_not_exist_is_told(runs: Runs) -> None:
    with pytest.raises(RegistryUnavailable, match="logging metrics"):
        runs.log_epochs("0" * 32, [epoch(1, 1.0)])


def test_epochs_that_are_told_twice_stand_there_once(runs: Runs, universe: str) -> None:
    epochs = [epoch(number, 1 / number) for number in (1, 2, 3)]
    with runs.recording(universe, "twice", {}, {}) as run:
        runs.log_epochs(run, epochs[:2])
        runs.log_epochs(run, epochs)
        runs.log_epochs(run, [])
    for curve in ("train_loss", "validation_loss", "learning_rate", "epoch_seconds"):
        assert [step for step, _ in runs.curve(run, curve)] == [1, 2, 3]


def test_a_thousand_epochs_are_logged_at_once(runs: Runs, universe: str) -> None:
    with runs.recording(universe, "long", {}, {}) as run:
        runs.log_epochs(run, [epoch(number, 1 / number) for number in range(1, 1001)])
    assert [step for step, _ in runs.curve(run, "train_loss")] == list(range(1, 1001))


def test_a_job_finds_the_run_of_its_earlier_attempt_and_goes_on_in_it(runs: Runs, universe: str) -> None:
    run = runs.open(universe, "LSTM", {"a": 1}, {}, job="j1", inputs="x", began=BEGAN)
    runs.close(run, "FAILED")
    assert runs.open(universe, "LSTM", {"a": 1}, {}, job="j1", inputs="x") == run
    [found] = runs.recent(universe)
    assert (found.status, found.started_at) == ("RUNNING", BEGAN)


def test_a_run_that_goes_on_has_no_duration_yet(runs: Runs, universe: str) -> None:
    run = runs.open(universe, "LSTM", {}, {}, job="j1", inputs="x")
    runs.close(run, "FAILED")
    runs.open(universe, "LSTM", {}, {}, job="j1", inputs="x")
    [found] = runs.recent(universe)
    assert found.seconds is None


def test_a_run_on_other_inputs_is_closed_and_a_new_one_opened(runs: Runs, universe: str) -> None:
    first = runs.open(universe, "first", {}, {}, job="j1", inputs="x")
    other_job = runs.open(universe, "other", {}, {}, job="j2", inputs="x")
    second = runs.open(universe, "second", {}, {}, job="j1", inputs="y")
    assert len({first, second, other_job}) == 3
    assert {found.run_id: found.status for found in runs.recent(universe)} == {
        first: "KILLED", other_job: "RUNNING", second: "RUNNING",
    }  # fmt: skip
    assert runs.open(universe, "second", {}, {}, job="j1", inputs="y") == second


def test_without_a_job_every_run_is_new(runs: Runs, universe: str) -> None:
    assert runs.open(universe, "one", {}, {}) != runs.open(universe, "one", {}, {})


def test_what_an_ended_job_left_running_is_closed_and_nothing_else(runs: Runs, universe: str) -> None:
    ended = runs.open(universe, "ended", {}, {}, job="j1", inputs="x")
    runs.close(ended, "FINISHED")
    running = runs.open(universe, "running", {}, {}, job="j2", inputs="x")
    other = runs.open(universe, "other", {}, {}, job="j22", inputs="x")
    runs.close_of_job(universe, "j1", "FAILED")
    runs.close_of_job(universe, "j2", "KILLED")
    runs.close_of_job(universe, "j3", "KILLED")
    assert {found.run_id: found.status for found in runs.recent(universe)} == {
        ended: "FINISHED", running: "KILLED", other: "RUNNING",
    }  # fmt: skip


def test_people_may_say_what_they_like_of_a_run_and_take_it_back(runs: Runs, universe: str) -> None:
    with runs.recording(universe, "LSTM", {"model.kind": "lstm"}, {"tickers": "AAPL"}) as run:
        pass
    said = runs.annotate(run, " Slower, *calmer*. ", tags_of(["keep", "team = rates"]))
    assert (said.note, said.tags, said.labels) == (
        "Slower, *calmer*.", {"keep": "", "team": "rates"}, ["keep", "team=rates"],
    )  # fmt: skip
    assert (said.kind, said.tickers, said.universe) == ("lstm", ("AAPL",), universe), "what we say of it stays"
    changed = runs.annotate(run, "", {"team": "rates desk"})
    assert (changed.note, changed.labels) == ("", ["team=rates desk"])
    assert runs.recent(universe) == [runs.read(run)] == [changed]


@pytest.mark.parametrize(
    "name", ["promoted", "universe", "stockcast.job", "mlflow.note.content", "", "a/b", " a", "x" * 101]
)
def test_a_tag_of_ours_or_of_no_form_is_refused(runs: Runs, universe: str, name: str) -> None:
    run = runs.open(universe, "LSTM", {}, {})
    with pytest.raises(InvalidRequest):
        runs.annotate(run, "x", {name: "1"})
    assert runs.read(run).note == ""


def test_a_deleted_run_is_out_of_sight_until_it_is_restored(runs: Runs, universe: str) -> None:
    kept, gone = (runs.open(universe, name, {}, {}) for name in ("kept", "gone"))
    runs.delete(gone)
    assert [found.run_id for found in runs.recent(universe)] == [kept]
    assert {found.run_id: found.deleted for found in runs.recent(universe, deleted=True)} == {
        kept: False,
        gone: True,
    }
    assert runs.find(gone).deleted
    runs.restore(gone)
    assert {found.run_id for found in runs.recent(universe)} == {kept, gone}


def test_a_run_is_found_by_the_beginning_of_its_id(runs: Runs, universe: str) -> None:
    run = runs.open(universe, "LSTM", {}, {})
    assert {runs.find(which).run_id for which in (run, run[:8], run[:8].upper())} == {run}
    for unknown in ("0" * 32, run[:5], "%%%%%%", "' OR 1 = 1", run + "0"):
        with pytest.raises(InvalidRequest) as refused:
            runs.find(unknown)
        assert refused.value.hint
