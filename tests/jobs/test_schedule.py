"""Schedules: when a universe is due, in its own time zone, and once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.config import ScheduleConfig
from stockcast.jobs.schedule import LATE, Plan, plan


def planned(cron: str, zone: str = "UTC", since: datetime | None = None) -> Plan:
    found = plan("default", ScheduleConfig(cron=cron, timezone=zone), since)
    assert found is not None
    return found


def test_without_a_rule_there_is_no_plan() -> None:
    assert plan("default", ScheduleConfig(), None) is None


def test_a_rule_is_told_in_words_and_by_its_next_time() -> None:
    nightly = planned("30 22 * * 1-5", "America/Sao_Paulo")
    assert nightly.words == "At 22:30 on Monday through Friday"
    friday_night = datetime(2024, 3, 2, 1, 30, tzinfo=UTC)  # 22:30 on Friday in Sao Paulo
    assert nightly.following(friday_night - timedelta(minutes=1)) == friday_night
    assert nightly.following(friday_night) == datetime(2024, 3, 4, 22, 30, tzinfo=ZoneInfo("America/Sao_Paulo"))


def test_it_is_due_from_its_time_until_it_is_too_late() -> None:
    nightly, time = planned("0 3 * * *"), datetime(2024, 3, 1, 3, tzinfo=UTC)
    assert nightly.due(time) == time
    assert nightly.due(time + LATE) == time
    assert nightly.due(time + LATE + timedelta(seconds=1)) is None
    assert nightly.due(time - timedelta(seconds=1)) is None, "yesterday's is too long ago"


def test_a_rule_says_nothing_of_the_time_before_it_was_saved() -> None:
    saved = datetime(2024, 3, 1, 4, tzinfo=UTC)
    assert planned("0 3 * * *", since=saved).due(saved + timedelta(hours=1)) is None
    assert planned("0 5 * * *", since=saved).due(saved + timedelta(hours=1)) is not None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("2024-03-09 12:00", "2024-03-11 12:00"),  # clocks go forward in New York
        ("2024-11-02 12:00", "2024-11-04 12:00"),  # and back
    ],
)
def test_it_keeps_to_the_local_hour_when_the_clocks_change(before: str, after: str) -> None:
    zone = ZoneInfo("America/New_York")
    nightly = planned("30 22 * * *", "America/New_York")
    moment, end = (datetime.fromisoformat(each).replace(tzinfo=zone) for each in (before, after))
    times = []
    while (moment := nightly.following(moment)) < end:
        times.append(moment)
    assert [(each.hour, each.minute) for each in times] == [(22, 30)] * 2
    assert len({nightly.key(each) for each in times}) == 2


@given(
    seconds=st.integers(1_577_836_800, 1_893_456_000),  # 2020 to 2030
    cron=st.sampled_from(["*/7 * * * *", "30 22 * * 1-5", "0 0 1 * *", "15 2 * * *"]),
    zone=st.sampled_from(["UTC", "America/Sao_Paulo", "America/New_York", "Asia/Tokyo"]),
)
def test_what_is_due_has_come_and_what_follows_has_not(seconds: int, cron: str, zone: str) -> None:
    now, rule = datetime.fromtimestamp(seconds, UTC), planned(cron, zone)
    due = rule.due(now)
    assert rule.following(now) > now
    if due is not None:
        assert timedelta(0) <= now - due <= LATE
        assert rule.key(due) == rule.key(due.astimezone(UTC)), "one key, whoever asks from where"
