"""Alerts: one for each rule and ticker that stands, kept through its whole life, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from at_once import all_at_once
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from stockcast import tables
from stockcast.database import Database
from stockcast.errors import InvalidRequest
from stockcast.monitoring.alerts import STATES, Alert, Alerts
from stockcast.monitoring.performance_rules import Outcome, Rule, Verdict

NOON = datetime(2024, 5, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A fresh database with all tables."""
    sqlite = f"sqlite:///{tmp_path / 'stockcast.db'}"
    opened = Database(sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    yield opened
    opened.close()


@pytest.fixture
def alerts(database: Database) -> Alerts:
    return Alerts(database)


def says(outcome: Outcome, rule: Rule = "skill", ticker: str | None = None, sentence: str = "Bad.") -> Verdict:
    return Verdict(rule, ticker, outcome, sentence, {"skill": -0.1})


def settle(alerts: Alerts, *verdicts: Verdict, now: datetime = NOON) -> tuple[list[int], list[int]]:
    found = alerts.settle("default", verdicts, now)
    return [alert.id for alert in found.opened], [alert.id for alert in found.closed]


def test_the_columns_are_the_fields_of_an_alert() -> None:
    assert [field.name for field in fields(Alert)] == [column.name for column in tables.alerts.columns]


def test_an_alert_opens_stands_and_closes_and_is_kept(alerts: Alerts) -> None:
    [number], _ = settle(alerts, says("fires"))
    assert settle(alerts, says("fires", sentence="Worse."), now=NOON + DAY) == ([], [])
    assert settle(alerts, says("holds", sentence="Still."), now=NOON + 2 * DAY) == ([], [])
    standing = alerts.get(number)
    assert (standing.state, standing.sentence, standing.ticker) == ("open", "Still.", None)
    assert (standing.opened_at, standing.seen_at, standing.closed_at) == (NOON, NOON + 2 * DAY, None)
    assert settle(alerts, says("unknown"), now=NOON + 3 * DAY) == ([], []), "nobody knows whether it is over"
    assert settle(alerts, says("quiet"), now=NOON + 4 * DAY) == ([], [number])
    closed = alerts.get(number)
    assert (closed.state, closed.closed_at, closed.sentence) == ("closed", NOON + 4 * DAY, "Still.")
    assert settle(alerts, says("quiet")) == ([], [])
    [again], _ = settle(alerts, says("fires"), now=NOON + 5 * DAY)
    assert again != number
    assert [alert.id for alert in alerts.list(states=STATES)] == [again, number]
    assert alerts.list("default") == (alerts.get(again),)


@pytest.mark.parametrize("outcome", ["holds", "quiet", "unknown"])
def test_only_what_rings_opens_an_alert(alerts: Alerts, outcome: Outcome) -> None:
    assert settle(alerts, says(outcome)) == ([], [])
    assert alerts.list(states=STATES) == ()


def test_each_universe_rule_and_ticker_has_an_alert_of_its_own(alerts: Alerts) -> None:
    opened, _ = settle(alerts, says("fires"), says("fires", ticker="KO"), says("fires", "coverage", "KO"))
    assert len(set(opened)) == 3
    assert len(alerts.settle("banks", [says("fires")], NOON).opened) == 1
    assert [alert.subject for alert in alerts.list("default")] == [
        "coverage of KO in default",
        "skill of KO in default",
        "skill of default",
    ]
    assert len(alerts.list()) == 4
    assert len(alerts.list(limit=2)) == 2


def test_the_database_refuses_a_second_standing_alert(alerts: Alerts, database: Database) -> None:
    settle(alerts, says("fires"))
    row = {"universe": "default", "rule": "skill", "state": "acknowledged", "sentence": "", "evidence": {}}
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(insert(tables.alerts).values(opened_at=NOON, seen_at=NOON, **row))


def test_processes_that_look_at_once_open_one_alert_and_tell_it_once(database: Database) -> None:
    url = database.url

    def look(number: int) -> object:
        own = Alerts(Database(url))
        verdicts = [says("fires", ticker=f"T{each:02d}") for each in range(20)]
        opened = own.settle("default", verdicts[::-1] if number % 2 else verdicts, NOON).opened
        taken = own.take_news("default", closed_too=True, pause=DAY, now=NOON)
        return len(opened), len(taken)

    found = all_at_once(4, look)
    assert [sum(counts) for counts in zip(*found, strict=True)] == [20, 20]  # type: ignore[arg-type]
    assert len(Alerts(database).list(states=STATES)) == 20


def test_an_acknowledged_alert_stands_with_its_note_and_opens_no_other(alerts: Alerts) -> None:
    [number], _ = settle(alerts, says("fires"))
    said = alerts.acknowledge(number, " Volatile week. ", NOON + DAY)
    assert (said.state, said.note, said.acknowledged_at) == ("acknowledged", "Volatile week.", NOON + DAY)
    assert settle(alerts, says("fires"), now=NOON + 2 * DAY) == ([], [])
    assert alerts.get(number).seen_at == NOON + 2 * DAY
    assert alerts.acknowledge(number, "Asked the vendor.", NOON).note == "Volatile week.\nAsked the vendor."
    settle(alerts, says("quiet"))
    assert (alerts.get(number).state, alerts.get(number).note) == ("closed", "Volatile week.\nAsked the vendor.")
    [again], _ = settle(alerts, says("fires"))
    assert alerts.get(again).state == "open", "the note was on the one before"


def test_what_cannot_be_acknowledged_is_refused(alerts: Alerts) -> None:
    [number], _ = settle(alerts, says("fires"))
    with pytest.raises(InvalidRequest, match="needs a note"):
        alerts.acknowledge(number, "  ", NOON)
    with pytest.raises(InvalidRequest, match="no alert 999"):
        alerts.acknowledge(999, "Seen.", NOON)
    settle(alerts, says("quiet"))
    with pytest.raises(InvalidRequest, match="closed already"):
        alerts.acknowledge(number, "Seen.", NOON)
    assert alerts.get(number).note is None


# Messages


def news(alerts: Alerts, now: datetime = NOON, *, closed_too: bool = True, pause: timedelta = DAY) -> list[int]:
    """Takes what is to be told."""
    return [alert.id for alert in alerts.take_news("default", closed_too=closed_too, pause=pause, now=now)]


def told(alerts: Alerts, *numbers: int, now: datetime = NOON, problem: str | None = None) -> None:
    alerts.told([alerts.get(number) for number in numbers], sent=problem is None, problem=problem, now=now)


def test_an_alert_is_told_once_and_its_end_too(alerts: Alerts) -> None:
    [number], _ = settle(alerts, says("fires"))
    assert news(alerts) == [number]
    assert news(alerts) == [], "somebody is telling it"
    told(alerts, number)
    assert news(alerts, NOON + 9 * DAY) == []
    settle(alerts, says("quiet"), now=NOON + 9 * DAY)
    assert news(alerts, NOON + 9 * DAY, closed_too=False) == []
    assert news(alerts, NOON + 9 * DAY) == [number]
    told(alerts, number, now=NOON + 10 * DAY)
    assert news(alerts, NOON + 20 * DAY) == []


def test_a_message_that_failed_is_sent_at_the_next_look_and_the_reason_is_kept(alerts: Alerts) -> None:
    [number], _ = settle(alerts, says("fires"))
    news(alerts)
    told(alerts, number, problem="Address 1 of 1 (json) did not take the message (HTTP 500).")
    assert "HTTP 500" in (alerts.get(number).notify_error or "")
    assert news(alerts) == [number]
    told(alerts, number)
    assert (alerts.get(number).notify_error, alerts.get(number).notified_at) == (None, NOON)


def test_a_process_that_died_while_it_told_is_followed_by_another(alerts: Alerts) -> None:
    [number], _ = settle(alerts, says("fires"))
    assert news(alerts) == [number]
    assert news(alerts, NOON + timedelta(minutes=4)) == []
    assert news(alerts, NOON + timedelta(minutes=6)) == [number]


def test_a_rule_that_comes_and_goes_is_told_at_most_once_in_the_pause(alerts: Alerts) -> None:
    [first], _ = settle(alerts, says("fires"))
    news(alerts)
    told(alerts, first)
    settle(alerts, says("quiet"), now=NOON + DAY / 4)
    later = NOON + DAY / 2
    [second, other], _ = settle(alerts, says("fires"), says("fires", ticker="KO"), now=later)
    assert news(alerts, later) == [other], "another ticker has a pause of its own"
    told(alerts, other, now=later)
    assert news(alerts, NOON + DAY - timedelta(seconds=1)) == []
    assert news(alerts, NOON + DAY) == [first, second]


def test_without_a_pause_everything_is_told_at_once(alerts: Alerts) -> None:
    [first], _ = settle(alerts, says("fires"))
    news(alerts)
    told(alerts, first)
    settle(alerts, says("quiet"), now=NOON + timedelta(seconds=1))
    assert news(alerts, NOON + timedelta(seconds=1), pause=timedelta(0)) == [first]


def test_what_was_acknowledged_is_quiet_and_so_is_old_news(alerts: Alerts) -> None:
    opened, _ = settle(alerts, says("fires"), says("fires", ticker="KO"))
    alerts.acknowledge(opened[0], "Known.", NOON)
    assert news(alerts) == opened[1:]
    told(alerts, *opened)
    settle(alerts, says("quiet"), says("quiet", ticker="KO"), now=NOON + 2 * DAY)
    assert news(alerts, NOON + 10 * DAY) == []
    assert news(alerts, NOON + 8 * DAY) == opened


# Trainings


def test_an_alert_asks_for_one_training(alerts: Alerts) -> None:
    opened, _ = settle(alerts, says("fires"), says("fires", "coverage", "KO"), says("fires", "drift", "KO"))
    assert [alert.id for alert in alerts.unanswered("default")] == opened[:2], "drift is for the data to mend"
    assert alerts.last_training("default") is None
    waiting = alerts.unanswered("default")
    alerts.link(waiting, "job-1", NOON)
    alerts.link(waiting, "job-2", NOON + DAY)
    assert alerts.unanswered("default") == ()
    assert [alerts.get(number).job_id for number in opened] == ["job-1", "job-1", None]
    assert alerts.last_training("default") == NOON
    assert alerts.last_training("banks") is None


def test_an_acknowledged_alert_asks_for_no_training(alerts: Alerts) -> None:
    [number], _ = settle(alerts, says("fires"))
    alerts.acknowledge(number, "Known.", NOON)
    assert alerts.unanswered("default") == ()
