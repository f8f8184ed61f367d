"""The desk of a Workspace: what each kind of job does, what is scheduled, and what is tied up."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from price_payloads import days_until, yahoo_payload

from stockcast.config import DEFAULT_UNIVERSE, Config
from stockcast.errors import InvalidRequest, InvalidTicker, SourceUnavailable, TooShortHistory, TrainingActive
from stockcast.jobs.job import Job
from stockcast.jobs.leftovers import remove_leftovers
from stockcast.jobs.local_runner import LocalRunner
from stockcast.jobs.part_table import Part
from stockcast.jobs.process import Process
from stockcast.prices.source import PriceQuestion
from stockcast.prices.yahoo import YahooPrices
from stockcast.settings import Settings
from stockcast.workflows.ingest import Ingested
from stockcast.workflows.job_requests import BacktestRequest, TrainRequest
from stockcast.workspace import Workspace

SAVED = datetime(2024, 5, 15, 12, tzinfo=UTC)
QUICK = ["training.max_epochs=2", "network.hidden_size=8", "training.accelerator=cpu"]


class Clock:
    """A time that a test sets."""

    now = SAVED

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the bundled sample."""
    home = tmp_path_factory.mktemp("desk") / "home"
    opened = Workspace(Settings(home=home))
    opened.ingest_sample()
    opened.database.close()
    return home


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspace(
    prepared: Path, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workspace]:
    """A Workspace over a copy, whose jobs wait until the test does them."""
    shutil.copytree(prepared, tmp_path / "home")
    monkeypatch.setattr(LocalRunner, "wake", lambda _self: None)
    opened = Workspace(Settings(home=tmp_path / "home", threads=1), clock)
    yield opened
    opened.database.close()


def do(workspace: Workspace) -> Job:
    """The next job, done in this process."""
    job = workspace.jobs.claim(Process.current())
    assert job is not None
    return workspace.desk.work.do(job, threading.Event(), lambda _text: None)


def yahoo_has(monkeypatch: pytest.MonkeyPatch, days: list[str]) -> None:
    """From now on Yahoo answers with these sessions, and knows no ticker NO."""

    def download(question: PriceQuestion) -> pd.DataFrame:
        if question.ticker == "NO":
            raise SourceUnavailable("Yahoo does not answer.", "Try again later.")
        return yahoo_payload(days)

    class PlayedYahoo(YahooPrices):
        def __init__(self, folder: Path) -> None:
            super().__init__(folder, download=download)

    monkeypatch.setattr("stockcast.workspace.YahooPrices", PlayedYahoo)


def sentences(workspace: Workspace, job: Job) -> list[str]:
    return [str(event.payload["sentence"]) for event in workspace.jobs.events(job.id, kind="note")]


def test_who_takes_a_backtest_over_judges_the_version_that_its_parts_judge(workspace: Workspace) -> None:
    many = Workspace(workspace.settings.model_copy(update={"workers": 2}), workspace.clock)
    spoke = many.champion(DEFAULT_UNIVERSE)
    days = date(2012, 9, 4), date(2012, 12, 31)
    job = many.jobs.claim(
        Process.current(), many.desk.submit_backtest(DEFAULT_UNIVERSE, ["AAPL", "IBM"], "champion", *days).id
    )
    assert job is not None
    whole = many.backtests.spread(DEFAULT_UNIVERSE, BacktestRequest.from_json(job.request))
    forecasts = [Part("forecasts", each.to_json()) for each in whole.forecasts()]
    many.desk.parts.add(job, forecasts + [Part("opponents", each.to_json()) for each in whole.opponents()])
    many.jobs.give_back(job, "interrupted", {}, counts=True)
    other = many.train(DEFAULT_UNIVERSE, until=date(2012, 6, 1), overrides=["model.kind=naive"]).model.version
    many.promote(DEFAULT_UNIVERSE, other, "in the middle of it")
    again = many.jobs.claim(Process.current(), job.id)
    assert again is not None
    done = many.desk.work.do(again, threading.Event(), lambda _line: None)
    assert done.state == "succeeded", done.error
    diagnosis = (done.result or {})["diagnosis"]
    assert isinstance(diagnosis, dict)
    assert diagnosis["label"] == spoke.label
    many.database.close()


def test_a_part_is_not_tried_again_without_its_job(workspace: Workspace) -> None:
    job = workspace.jobs.submit("fetch", DEFAULT_UNIVERSE, {}, taken_by=Process.current())
    [part] = workspace.desk.parts.add(job, [Part("downloads", {})])
    workspace.jobs.cancel(part.id)
    with pytest.raises(InvalidRequest, match="is a part of another job") as told:
        workspace.desk.retry(part.id)
    assert job.id in told.value.hint
    assert workspace.jobs.get(part.id).state == "cancelled"
    workspace.jobs.end(job, "failed", error="It was stopped.")


def test_a_download_in_parts_tells_the_same(
    workspace: Workspace, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.now = datetime(2024, 5, 15, 23, tzinfo=UTC)
    yahoo_has(monkeypatch, days_until("2024-05-15", 80))
    many = Workspace(workspace.settings.model_copy(update={"workers": 2}), clock)
    many.desk.submit_fetch(DEFAULT_UNIVERSE, ["ko", "NO", "PG"])
    done = do(many)
    assert done.state == "succeeded", done.error
    assert done.result == {
        "stored": [f"Added 80 sessions of {ticker}, 2024-01-23 to 2024-05-15." for ticker in ("KO", "PG")],
        "failed": {"NO": "Yahoo does not answer. Try again later."},
    }
    parts = many.desk.parts.of(done.id)
    assert [part.request["tickers"] for part in parts] == [["KO"], ["NO"], ["PG"]]
    many.desk.submit_fetch(DEFAULT_UNIVERSE, ["NO", "NO2"])

    def nothing(*_asked: object) -> Ingested:
        raise SourceUnavailable("Yahoo sleeps.", "Try later.")

    monkeypatch.setattr(many, "ingest_yahoo", nothing)
    failed = do(many)
    assert (failed.state, failed.error, failed.hint) == ("failed", "Yahoo sleeps.", "Try later.")
    many.database.close()


def test_a_download_stores_what_it_gets_and_tells_what_failed(
    workspace: Workspace, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.now = datetime(2024, 5, 15, 23, tzinfo=UTC)
    yahoo_has(monkeypatch, days_until("2024-05-15", 80))
    workspace.desk.submit_fetch(DEFAULT_UNIVERSE, ["ko", "NO", "KO"])
    done = do(workspace)
    assert done.state == "succeeded", done.error
    assert done.result == {
        "stored": ["Added 80 sessions of KO, 2024-01-23 to 2024-05-15."],
        "failed": {"NO": "Yahoo does not answer. Try again later."},
    }
    assert len(workspace.prices.load("KO")) == 80
    workspace.desk.submit_fetch(DEFAULT_UNIVERSE, ["NO"])
    failed = do(workspace)
    assert (failed.state, failed.error) == ("failed", "Yahoo does not answer.")


def test_what_cannot_be_meant_is_refused_before_it_is_queued(workspace: Workspace) -> None:
    with pytest.raises(InvalidTicker):
        workspace.desk.submit_fetch(DEFAULT_UNIVERSE, ["../../etc"])
    with pytest.raises(TooShortHistory):
        workspace.desk.submit_training(DEFAULT_UNIVERSE, ["FB"])
    assert workspace.jobs.recent() == []


def test_a_training_keeps_the_configuration_of_the_moment_of_asking(workspace: Workspace) -> None:
    quick = Config().with_overrides([*QUICK, "universe.tickers=[AAPL]"])
    workspace.configs.save(DEFAULT_UNIVERSE, quick, "", SAVED)
    job = workspace.desk.submit_training(DEFAULT_UNIVERSE)
    workspace.configs.save(DEFAULT_UNIVERSE, quick.with_overrides(["training.max_epochs=900"]), "", SAVED)
    done = do(workspace)
    assert (done.id, done.state) == (job.id, "succeeded"), done.error
    assert [event.payload["of"] for event in workspace.jobs.events(job.id, kind="epoch")] == [2, 2]


def test_a_schedule_queues_its_training_once_when_it_is_due(workspace: Workspace, clock: Clock) -> None:
    nightly = Config().with_overrides(["schedule.cron=30 22 * * *", "universe.tickers=[AAPL]"])
    workspace.configs.save("nightly", nightly, "", SAVED)
    assert workspace.desk.submit_due() == []
    clock.now = datetime(2024, 5, 15, 22, 30, tzinfo=UTC)
    [job] = workspace.desk.submit_due()
    assert (job.universe, job.request["refresh"]) == ("nightly", True)
    clock.now += timedelta(hours=1)
    assert workspace.desk.submit_due() == [], "however many workers look"
    clock.now += timedelta(days=1)
    assert workspace.desk.submit_due() == [], "last night's still waits"
    workspace.jobs.cancel(job.id)
    [tonight] = workspace.desk.submit_due()
    assert tonight.id != job.id
    with pytest.raises(TrainingActive):
        workspace.desk.submit_training("nightly")


def test_a_scheduled_training_downloads_what_is_new_first_or_says_why_not(
    workspace: Workspace, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Config().with_overrides([*QUICK, "universe.tickers=[KO]", "schedule.cron=0 23 * * *"])
    workspace.configs.save("nightly", asked, "", SAVED)
    clock.now = datetime(2024, 5, 15, 23, tzinfo=UTC)
    yahoo_has(monkeypatch, days_until("2024-05-14", 700))
    workspace.ingest_yahoo("KO")
    yahoo_has(monkeypatch, days_until("2024-05-15", 701))
    [job] = workspace.desk.submit_due()
    done = do(workspace)
    assert done.state == "succeeded", done.error
    assert str(workspace.prices.history("KO").last_session) == "2024-05-15"
    said = sentences(workspace, job)
    assert "KO" in said[0]
    [entry] = workspace.journal.entries()
    champion = workspace.champion("nightly")
    assert (entry.face, entry.ticker, str(entry.cutoff)) == ("schedule", "KO", "2024-05-15")
    assert entry.model_version == champion.version
    assert said[-1] == f"1 forecast issued by {champion.label}."

    workspace.configs.save("samples", Config().with_overrides([*QUICK, "universe.tickers=[AAPL]"]), "", SAVED)
    asked_again = workspace.train_request("samples").model_copy(update={"refresh": True})
    of_the_sample = workspace.jobs.submit("train", "samples", asked_again.to_json())
    assert do(workspace).state == "succeeded"
    assert sentences(workspace, of_the_sample)[0] == (
        "Nothing was downloaded: none of these histories came from Yahoo."
    )


def test_a_scheduled_training_that_fails_still_lets_yesterdays_champion_speak(workspace: Workspace) -> None:
    workspace.configs.save("nightly", Config().with_overrides(["universe.tickers=[AAPL, FB]"]), "", SAVED)
    workspace.champion("nightly")
    workspace.configs.save("nightly", Config().with_overrides(["universe.tickers=[AAPL, FB, KO]"]), "", SAVED)
    config = workspace.config("nightly")
    asked = TrainRequest(config=config, config_version=2, tickers=("FB",), refresh=True)
    job = workspace.jobs.submit("train", "nightly", asked.to_json())
    ended = do(workspace)
    assert (ended.state, "FB has 196 sessions" in (ended.error or "")) == ("failed", True)
    *_, missing, issued = sentences(workspace, job)
    assert missing.startswith("No forecast of KO: No prices of KO are stored.")
    assert issued == "2 forecasts issued by ewma v1."
    assert {(entry.ticker, entry.face) for entry in workspace.journal.entries()} == {
        ("AAPL", "schedule"),
        ("FB", "schedule"),
    }


def test_a_training_that_somebody_asked_for_issues_nothing(workspace: Workspace) -> None:
    workspace.desk.submit_training(DEFAULT_UNIVERSE, ["AAPL"], overrides=["model.kind=ewma"])
    assert do(workspace).state == "succeeded"
    assert workspace.journal.entries() == []


def test_a_job_cancelled_between_two_attempts_leaves_no_open_run(workspace: Workspace) -> None:
    quick = Config().with_overrides([*QUICK, "universe.tickers=[AAPL]"])
    workspace.configs.save(DEFAULT_UNIVERSE, quick, "", SAVED)
    job = workspace.desk.submit_training(DEFAULT_UNIVERSE)
    taken = workspace.jobs.claim(Process.current())
    assert taken is not None
    run = workspace.runs.open(DEFAULT_UNIVERSE, "LSTM AAPL", {}, {}, job=job.id, inputs="x")
    workspace.jobs.give_back(taken, "interrupted", {"attempt": 1}, counts=True)
    workspace.jobs.cancel(job.id)
    [loose] = workspace.jobs.loose()
    workspace.desk.tie_up(loose)
    assert {each.run_id: each.status for each in workspace.runs.recent(DEFAULT_UNIVERSE)} == {run: "KILLED"}
    assert workspace.jobs.loose() == []


def test_old_leftovers_are_removed_and_young_ones_are_kept(workspace: Workspace) -> None:
    scratch, logs = workspace.settings.home / "scratch", workspace.desk.logs
    scratch.mkdir(exist_ok=True)
    (scratch / "old").mkdir()
    (scratch / "old" / "file").write_text("x")
    for file in (scratch / "new", logs / "old.ckpt", logs / "new.ckpt", logs / "job.log"):
        file.write_text("x")
    long_ago = time.time() - 40 * 86400
    for entry in (scratch / "old", logs / "old.ckpt", logs / "job.log"):
        os.utime(entry, (long_ago, long_ago))
    remove_leftovers(scratch, logs)
    assert [entry.name for entry in scratch.iterdir()] == ["new"]
    assert sorted(entry.name for entry in logs.iterdir()) == ["job.log", "new.ckpt"]
