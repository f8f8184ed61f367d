"""Watching a track record: from outcomes to alerts, a training and one message, however often somebody looks."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from live_records import calibrated_pit
from price_payloads import days_until, yahoo_payload
from pydantic import SecretStr
from sqlalchemy import delete, insert
from webhook import Webhook, webhook

from stockcast.config import Config
from stockcast.forecasting.quantiles import LEVELS
from stockcast.jobs.job import Job
from stockcast.jobs.local_runner import LocalRunner
from stockcast.jobs.process import Process
from stockcast.monitoring.alerts import STATES
from stockcast.monitoring.findings import DriftReport, Finding
from stockcast.prices.sessions import sessions_between
from stockcast.prices.yahoo import YahooPrices
from stockcast.settings import Settings
from stockcast.tables import journal, outcomes
from stockcast.workflows.job_requests import TrainRequest
from stockcast.workflows.watch import message
from stockcast.workspace import Workspace

NOW = datetime(2024, 5, 15, 23, tzinfo=UTC)
TICKERS = ("AAPL", "IBM", "MSFT")
SESSIONS: list[date] = sessions_between("XNYS", date(2023, 1, 3), date(2024, 5, 15)).tolist()
SPLIT = Finding("integrity", "red", "split", -0.69, 0.45, "Close fell 50.2 %.", (12,))


class Clock:
    """A time that a test sets."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as found:
        yield found


@pytest.fixture
def open_workspace(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Workspace]]:
    """Workspaces over one home, whose jobs wait until the test does them."""
    monkeypatch.setattr(LocalRunner, "wake", lambda _self: None)
    opened: list[Workspace] = []

    def open_one(addresses: str = "") -> Workspace:
        settings = Settings(home=tmp_path / "home", threads=1, notify_urls=SecretStr(addresses))
        opened.append(Workspace(settings, clock))
        return opened[-1]

    yield open_one
    for each in opened:
        each.database.close()


@pytest.fixture
def workspace(open_workspace: Callable[..., Workspace]) -> Workspace:
    return open_workspace()


def configure(workspace: Workspace, *assignments: str) -> None:
    base = Config().with_overrides([f"universe.tickers=[{', '.join(TICKERS)}]", *assignments])
    workspace.configs.save("default", base, "", NOW)


def plant(
    workspace: Workspace,
    advantage: float,
    sessions: list[date],
    tickers: tuple[str, ...] = TICKERS,
    report: DriftReport = DriftReport(),  # noqa: B008
) -> None:
    """A live record of forecasts that are better than naive by `advantage` in CRPS, in place of what was there."""
    random = np.random.default_rng(1)
    pit = calibrated_pit(random, len(sessions), len(tickers))
    levels, zeros = LEVELS.tolist(), [[0.0] * len(LEVELS)]
    said, came = [], []
    for day, session in enumerate(sessions):
        cutoff = SESSIONS[SESSIONS.index(session) - 1]
        for place, ticker in enumerate(tickers):
            number = len(said) + 1
            said.append({
                "id": number, "issued_at": datetime(cutoff.year, cutoff.month, cutoff.day, 23, tzinfo=UTC),
                "face": "schedule", "universe": "default", "ticker": ticker, "cutoff": cutoff,
                "model": "stockcast-default", "model_version": "1", "fingerprint": f"{number}", "last_close": 1.0,
                "sessions": [session.isoformat()], "levels": levels, "log_returns": zeros,
                "naive_log_returns": zeros, "findings": report.to_json(), "from_store": True,
            })  # fmt: skip
            own = 1.0 + 0.1 * random.standard_normal()
            came.append({
                "journal_id": number, "horizon": 1, "session": session, "log_return": 0.0, "crps": own,
                "naive_crps": own + advantage + 0.1 * random.standard_normal(), "pit": pit[day, place],
                "live": True, "scored_at": NOW,
            })  # fmt: skip
    with workspace.database.write() as connection:
        connection.execute(delete(outcomes))
        connection.execute(delete(journal))
        connection.execute(insert(journal), said)
        connection.execute(insert(outcomes), came)


LAST_60 = SESSIONS[-60:]


def test_a_record_worse_than_naive_opens_an_alert_once_and_closes_it_when_it_is_over(workspace: Workspace) -> None:
    configure(workspace)
    plant(workspace, -0.2, LAST_60)
    first = workspace.alerts.watch("default")
    assert {(alert.rule, alert.ticker) for alert in first.opened} == {
        ("skill", None), ("skill", "AAPL"), ("skill", "IBM"), ("skill", "MSFT")
    }  # fmt: skip
    assert first.standing == workspace.alerts.list("default")
    assert "4 alerts opened, 0 closed, 4 standing" in first.sentence
    assert (first.training, first.problems, workspace.jobs.recent()) == (None, (), []), "nobody asked for that"
    again = workspace.alerts.watch("default")
    assert (again.opened, again.closed, len(again.standing)) == ((), (), 4)
    plant(workspace, +0.2, LAST_60)
    over = workspace.alerts.watch("default")
    assert (len(over.closed), over.standing) == (4, ())
    assert {alert.state for alert in workspace.alerts.list(states=STATES)} == {"closed"}


def test_an_empty_house_is_looked_at_without_ado(workspace: Workspace) -> None:
    found = workspace.alerts.watch("default")
    assert [verdict.outcome for verdict in found.verdicts] == ["unknown", "unknown"]
    assert (found.scored, found.standing, found.problems, found.training) == (0, (), (), None)


def test_a_record_of_another_year_is_not_looked_at(workspace: Workspace, clock: Clock) -> None:
    configure(workspace)
    plant(workspace, -0.2, LAST_60)
    clock.now = NOW + timedelta(days=400)
    assert workspace.alerts.watch("default").opened == ()


def test_red_findings_that_last_open_an_alert_unless_somebody_has_acknowledged_them(workspace: Workspace) -> None:
    configure(workspace)
    plant(workspace, 0.2, SESSIONS[-3:], ("KO",), DriftReport((SPLIT,)))
    [alert] = workspace.alerts.watch("default").opened
    assert (alert.rule, alert.ticker) == ("drift", "KO")
    assert "red findings on 3 of its last 3 sessions" in alert.sentence
    for day in workspace.track.drift("default"):
        sifted = workspace.alerts.sift(day.report, "default", "KO", day.cutoff)
        assert sifted.shown.severity == "red"
        workspace.alerts.acknowledge_drift(
            "default", "KO", sifted.shown.findings, cutoff=day.cutoff, note="A real halving."
        )
        assert workspace.alerts.sift(day.report, "default", "KO", day.cutoff).shown.findings == ()
    assert workspace.alerts.watch("default").closed == (dataclasses.replace(
        alert, state="closed", closed_at=NOW, seen_at=NOW
    ),)  # fmt: skip


# Trainings


def test_all_alerts_ask_for_one_training_and_the_next_one_waits_for_the_pause(
    workspace: Workspace, clock: Clock
) -> None:
    workspace.ingest_sample()
    configure(workspace, "alerts.retrain=auto", "alerts.retrain_pause=20")
    plant(workspace, -0.2, LAST_60)
    first = workspace.alerts.watch("default")
    [job] = workspace.jobs.recent()
    assert (job.kind, job.universe, first.training) == ("train", "default", job.id)
    assert {alert.job_id for alert in workspace.alerts.list()} == {job.id}
    workspace.jobs.cancel(job.id)
    assert workspace.alerts.watch("default").training is None, "each alert asks once"

    plant(workspace, +0.2, LAST_60)
    workspace.alerts.watch("default")
    plant(workspace, -0.2, LAST_60)
    clock.now = NOW + timedelta(days=19)
    assert len(workspace.alerts.watch("default").opened) == 4
    assert len(workspace.jobs.recent()) == 1, "it is too soon"
    clock.now = NOW + timedelta(days=20)
    second = workspace.alerts.watch("default")
    assert second.training not in (None, job.id)
    assert len(workspace.jobs.recent()) == 2


def test_a_training_that_is_active_already_is_the_one_that_an_alert_asked_for(workspace: Workspace) -> None:
    workspace.ingest_sample()
    configure(workspace, "alerts.retrain=auto")
    active = workspace.desk.submit_training("default")
    plant(workspace, -0.2, LAST_60)
    assert workspace.alerts.watch("default").training == active.id
    assert len(workspace.jobs.recent()) == 1
    assert workspace.desk.submit_retraining("default", "alert 1").id == active.id


def test_a_training_that_cannot_be_queued_is_told_and_asked_for_again(workspace: Workspace) -> None:
    configure(workspace, "alerts.retrain=auto")  # nothing is stored
    plant(workspace, -0.2, LAST_60)
    found = workspace.alerts.watch("default")
    assert len(found.opened) == 4
    assert found.training is None
    assert found.problems[0].startswith("No training was queued: ")
    workspace.ingest_sample()
    assert workspace.alerts.watch("default").training is not None


# Messages


def test_one_message_tells_all_that_is_new_and_only_once(
    open_workspace: Callable[..., Workspace], hook: Webhook
) -> None:
    workspace = open_workspace(hook.address())
    configure(workspace)
    plant(workspace, -0.2, LAST_60)
    found = workspace.alerts.watch("default")
    [sent] = hook.messages
    assert sent["title"] == "stockcast: alerts of default: 4 opened"
    assert sent["message"].count("OPENED: ") == 4
    assert "skill of AAPL in default" in sent["message"]
    assert {alert.id for alert in found.told} == {alert.id for alert in found.opened}
    assert {alert.notified_at for alert in workspace.alerts.list()} == {NOW}
    assert workspace.alerts.watch("default").told == ()
    plant(workspace, +0.2, LAST_60)
    assert len(workspace.alerts.watch("default").closed) == 4
    assert len(hook.messages) == 1, "closing is told where it is asked for"


def test_a_webhook_that_is_down_breaks_nothing_and_is_told_at_the_next_look(
    open_workspace: Callable[..., Workspace], hook: Webhook
) -> None:
    workspace = open_workspace(hook.address())
    configure(workspace)
    plant(workspace, -0.2, LAST_60)
    hook.answers = False
    found = workspace.alerts.watch("default")
    assert (len(found.opened), found.told) == (4, ())
    assert found.problems == ("Address 1 of 1 (json) did not take the message (HTTP 503).",)
    assert all("HTTP 503" in (alert.notify_error or "") for alert in workspace.alerts.list())
    hook.answers = True
    assert len(workspace.alerts.watch("default").told) == 4
    assert len(hook.messages) == 1
    assert {alert.notify_error for alert in workspace.alerts.list()} == {None}


def test_nobody_is_told_where_the_universe_says_so(
    open_workspace: Callable[..., Workspace], hook: Webhook
) -> None:
    workspace = open_workspace(hook.address())
    configure(workspace, "alerts.notify=never")
    plant(workspace, -0.2, LAST_60)
    assert len(workspace.alerts.watch("default").opened) == 4
    assert hook.messages == []


def test_a_message_about_many_alerts_names_the_first_and_counts_the_rest(workspace: Workspace) -> None:
    configure(workspace, "alerts.retrain=auto")
    plant(workspace, -0.2, LAST_60)
    [alert, *_] = workspace.alerts.watch("default").opened
    closed = dataclasses.replace(alert, state="closed", closed_at=NOW)
    asked = dataclasses.replace(alert, job_id="job-7")
    title, body = message("default", [asked] * 23 + [closed])
    assert title == "stockcast: alerts of default: 23 opened, 1 closed"
    assert body.count("OPENED") == 20
    assert "A training was asked for (job job-7)." in body
    assert body.endswith("And 4 more: stockcast alerts list --universe default")
    assert message("default", [closed]) == (
        "stockcast: alerts of default: 1 closed",
        "CLOSED: skill of default, open since 2024-05-15.",
    )


# Where it runs


def do(workspace: Workspace) -> Job:
    """The next job, done in this process."""
    job = workspace.jobs.claim(Process.current())
    assert job is not None
    return workspace.desk.work.do(job, threading.Event(), lambda _text: None)


@pytest.fixture
def yahoo(monkeypatch: pytest.MonkeyPatch) -> None:
    class PlayedYahoo(YahooPrices):
        def __init__(self, folder: Path) -> None:
            super().__init__(folder, download=lambda _question: yahoo_payload(days_until("2024-05-15", 80)))

    monkeypatch.setattr("stockcast.workspace.YahooPrices", PlayedYahoo)


@pytest.mark.usefixtures("yahoo")
def test_a_download_is_followed_by_a_look(workspace: Workspace) -> None:
    configure(workspace)
    plant(workspace, -0.2, LAST_60)
    job = workspace.desk.submit_fetch("default", ["KO"])
    assert do(workspace).state == "succeeded"
    notes = [str(event.payload["sentence"]) for event in workspace.jobs.events(job.id, kind="note")]
    assert sum(note.startswith("Alert ") for note in notes) == 4
    assert len(workspace.alerts.list()) == 4


@pytest.mark.usefixtures("yahoo")
def test_a_look_that_breaks_does_not_undo_the_download(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("stockcast.alert_desk.watch", broken)
    job = workspace.desk.submit_fetch("default", ["KO"])
    assert do(workspace).state == "succeeded"
    assert workspace.prices.has("KO")
    notes = [str(event.payload["sentence"]) for event in workspace.jobs.events(job.id, kind="note")]
    assert notes[-1] == "The track record was not watched: ZeroDivisionError"


def test_a_night_whose_training_fails_is_followed_by_a_look(workspace: Workspace) -> None:
    configure(workspace)  # nothing is stored
    plant(workspace, -0.2, LAST_60)
    asked = TrainRequest(config=workspace.config("default"), config_version=1, refresh=True)
    workspace.jobs.submit("train", "default", asked.to_json())
    assert do(workspace).state == "failed"
    assert len(workspace.alerts.list()) == 4


def test_a_training_that_somebody_asked_for_looks_at_nothing(workspace: Workspace) -> None:
    configure(workspace)
    plant(workspace, -0.2, LAST_60)
    asked = TrainRequest(config=workspace.config("default"), config_version=1)
    workspace.jobs.submit("train", "default", asked.to_json())
    assert do(workspace).state == "failed"
    assert workspace.alerts.list() == ()
