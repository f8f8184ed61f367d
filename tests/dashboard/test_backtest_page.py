"""The Backtest page: asks for a backtest, watches it, and tells how good the forecasts were."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from page_reading import OpenPage, assert_sound, progress_of, told

from stockcast.config import DEFAULT_UNIVERSE
from stockcast.evaluation.diagnosis import Diagnosis
from stockcast.jobs.part_table import Part
from stockcast.jobs.process import Process
from stockcast.settings import Settings
from stockcast.workflows.job_requests import BacktestRequest
from stockcast.workspace import Workspace

ASKED = BacktestRequest(model="champion", start=date(2012, 1, 3), end=date(2012, 6, 29), tickers=("AAPL", "IBM"))


@pytest.fixture(scope="session")
def judged_home(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample after a backtest of its champion as a job."""
    home = tmp_path_factory.mktemp("judged") / "home"
    shutil.copytree(sample_home, home)
    workspace = Workspace(Settings(home=home))
    judged = workspace.backtests.backtest(DEFAULT_UNIVERSE, ASKED.tickers, ASKED.model, ASKED.start, ASKED.end)
    job = workspace.jobs.submit("backtest", DEFAULT_UNIVERSE, ASKED.to_json(), taken_by=Process.current())
    result = {
        "model": "champion",
        "scorecard": judged.scorecard.to_json(),
        "diagnosis": judged.diagnosis.to_json(),
    }
    workspace.jobs.end(job, "succeeded", result=result)  # type: ignore[arg-type]
    workspace.database.close()
    return home


@pytest.fixture
def judged(use_home: Callable[[Path | None], Workspace], judged_home: Path) -> Workspace:
    """A Workspace over the sample after a backtest; the pages look at the same home."""
    return use_home(judged_home)


def test_without_a_backtest_the_page_invites_to_one(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("backtest")
    assert_sound(app)
    assert "No backtest yet" in told(app)
    card = sample.speaker(DEFAULT_UNIVERSE).scorecard
    assert card is not None
    assert app.date_input(key="backtest_first").value == card.first_session
    assert app.date_input(key="backtest_last").value == date(2013, 3, 1)
    assert app.selectbox(key="backtest_model").options[:2] == ["Champion: ewma v1", "ewma v1"]
    assert app.multiselect(key="backtest_tickers").options == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]


def test_the_page_shows_who_works_on_a_backtest_in_parts(
    sample: Workspace, open_page: OpenPage, no_worker: None
) -> None:
    # Elsewhere, since whoever looks after jobs ends a process of this machine that does not hear of a cancel.
    one, other = Process("one-machine", 4710, 0.0), Process("another-machine", 4711, 0.0)
    job = sample.jobs.submit("backtest", DEFAULT_UNIVERSE, ASKED.to_json(), taken_by=one)
    asked = [Part("forecasts", {}), Part("forecasts", {}), Part("opponents", {}), Part("opponents", {})]
    first, second, third, _queued = sample.desk.parts.add(job, asked)
    for part, process in ((first, one), (second, other), (third, one)):
        taken = sample.jobs.claim(process, part.id)
        assert taken is not None
        sample.jobs.renew(taken, "Forecasting AAPL, IBM", 0.0)
        if part == first:
            sample.jobs.end(taken, "succeeded", result={})
    app = open_page("backtest", job=job.id)
    assert_sound(app)
    [table] = app.table
    assert table.value.values.tolist() == [
        ["4710", "one-machine", "Forecasting AAPL, IBM", 1],
        ["4711", "another-machine", "Forecasting AAPL, IBM", 0],
    ]
    sample.jobs.cancel(job.id)
    sample.jobs.end(job, "cancelled", error="It was cancelled.")
    assert [part.state for part in sample.desk.parts.of(job.id)] == [
        "succeeded",
        "running",
        "running",
        "cancelled",
    ]


def test_a_press_of_the_button_queues_a_job_whose_id_stands_in_the_address(
    sample: Workspace, open_page: OpenPage, no_worker: None
) -> None:
    app = open_page("backtest")
    app.multiselect(key="backtest_tickers").set_value(["IBM"])
    app.selectbox(key="backtest_model").set_value("ewma")
    app.selectbox(key="backtest_refit").set_value("yearly")
    app.date_input(key="backtest_first").set_value(date(2012, 1, 3))
    next(each for each in app.button if each.label == "Run the backtest").click().run()
    assert_sound(app)
    [job] = sample.jobs.recent(DEFAULT_UNIVERSE, "backtest")
    assert app.query_params["job"] in (job.id, [job.id])
    asked = BacktestRequest.from_json(job.request)
    assert (asked.model, asked.tickers, asked.start, asked.refit) == ("ewma", ("IBM",), date(2012, 1, 3), "yearly")
    assert "The backtest of default" in told(app)
    assert "Starting a worker" in progress_of(app)


def test_dates_in_the_wrong_order_are_refused_in_words(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("backtest")
    app.date_input(key="backtest_first").set_value(date(2012, 6, 1))
    app.date_input(key="backtest_last").set_value(date(2012, 1, 3))
    next(each for each in app.button if each.label == "Run the backtest").click().run()
    assert_sound(app)
    assert "The start 2012-06-01 lies after the end 2012-01-03. Swap the two dates." in " ".join(told(app).split())
    assert not sample.jobs.recent(DEFAULT_UNIVERSE, "backtest")


def test_the_latest_backtest_is_told_with_its_verdict_first(judged: Workspace, open_page: OpenPage) -> None:
    [job] = judged.jobs.recent(DEFAULT_UNIVERSE, "backtest")
    assert job.result is not None
    found = Diagnosis.from_json(job.result["diagnosis"])  # type: ignore[arg-type]
    app = open_page("backtest")
    assert_sound(app)
    said = told(app)
    assert found.verdict in said
    assert said.startswith(found.verdict)
    assert "Sessions 2012-01-03 to 2012-06-29, 2 tickers of the universe default, not fitted again" in said
    labels = [metric.label.replace("\N{NO-BREAK SPACE}", " ") for metric in app.metric]
    assert labels == ["Skill over naive", "Skill over GARCH", "80 % interval held", "Forecasts judged"]
    assert f"Forecasts judged {found.scorecard.count:,}" in said
    assert len(app.get("plotly_chart")) == 6
    worst, tickers = app.dataframe
    assert len(worst.value) == 10
    assert tickers.value.ticker.tolist() == ["AAPL", "IBM"]
    assert (
        "Winkler score, 90 % interval".replace(" %", "\N{NO-BREAK SPACE}%")
        in app.table[0].value["Measure"].tolist()
    )
    assert [each.proto.label for each in app.get("download_button")] == [
        "Download the report",
        "Download the tickers as CSV",
    ]


def test_the_address_names_which_backtest_is_shown(judged: Workspace, open_page: OpenPage) -> None:
    [job] = judged.jobs.recent(DEFAULT_UNIVERSE, "backtest")
    failed = judged.jobs.submit("backtest", DEFAULT_UNIVERSE, ASKED.to_json(), taken_by=Process.current())
    judged.jobs.end(failed, "failed", error="The lstm model has learnt from it.", hint="Start the backtest later.")
    assert "interval held" in told(open_page("backtest", job=job.id))
    app = open_page("backtest", job=failed.id)
    assert_sound(app)
    assert "The backtest failed The lstm model has learnt from it." in told(app)
    assert "Start the backtest later." in told(app)
    assert "interval held" in told(open_page("backtest")), "without an address the last good one is shown"


def test_a_job_of_another_kind_leads_back_to_the_backtests(judged: Workspace, open_page: OpenPage) -> None:
    other = judged.jobs.submit("fetch", DEFAULT_UNIVERSE, {}, taken_by=Process.current())
    judged.jobs.end(other, "succeeded", result={"stored": ["Added 10 sessions."], "failed": {}})
    app = open_page("backtest", job=other.id)
    assert_sound(app)
    assert "Show the latest backtest" in [link.proto.label for link in app.get("page_link")]


def test_a_backtest_of_another_version_of_the_program_is_told(judged: Workspace, open_page: OpenPage) -> None:
    old = judged.jobs.submit("backtest", DEFAULT_UNIVERSE, ASKED.to_json(), taken_by=Process.current())
    judged.jobs.end(old, "succeeded", result={"model": "x", "diagnosis": {"label": "lstm v9"}})
    app = open_page("backtest", job=old.id)
    assert_sound(app)
    assert "Run the backtest again" in told(app)


def test_an_unknown_job_is_told(sample: Workspace, open_page: OpenPage) -> None:
    app = open_page("backtest", job="nope")
    assert_sound(app)
    assert "There is no job" in told(app)
