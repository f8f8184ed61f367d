"""Schedules: when a universe is due, in its own time zone, and once."""

from __future__ import annotations

from collections.abc import Iterator
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
    assert rule.following(rule.following(now)) > rule.following(now)
    if due is not None:
        assert timedelta(0) <= now - due <= LATE
        assert rule.following(due) > now, "nothing has come since"
        assert rule.key(due) == rule.key(due.astimezone(UTC)), "one key, whoever asks from where"


NEW_YORK = ZoneInfo("America/New_York")
FORWARD = datetime(2024, 3, 10, 4, tzinfo=UTC)  # 23:00; at 02:00 it becomes 03:00
BACK = datetime(2024, 11, 3, 3, tzinfo=UTC)  # 23:00; at 02:00 it becomes 01:00 again


def every_minute(rule: Plan, start: datetime) -> Iterator[tuple[datetime, datetime | None, datetime]]:
    """Now, what is due and what follows, through a night in which the clocks change."""
    for minute in range(8 * 60):
        now = start + timedelta(minutes=minute)
        yield now, rule.due(now), rule.following(now)


@pytest.mark.parametrize("cron", ["30 1 * * *", "30 2 * * *", "0 3 * * *"])
@pytest.mark.parametrize("start", [FORWARD, BACK])
def test_a_night_in_which_the_clocks_change_has_one_training(cron: str, start: datetime) -> None:
    rule = planned(cron, "America/New_York", since=start)
    keys = {rule.key(due) for _, due, _ in every_minute(rule, start) if due is not None}
    assert len(keys) == 1
    later = start + timedelta(hours=8)
    assert rule.following(later).astimezone(NEW_YORK).date() == (later + timedelta(days=1)).date()


@pytest.mark.parametrize("cron", ["30 1 * * *", "30 2 * * *", "0 * * * *"])
@pytest.mark.parametrize("start", [FORWARD, BACK])
def test_what_follows_has_not_come_in_a_night_in_which_the_clocks_change(cron: str, start: datetime) -> None:
    rule = planned(cron, "America/New_York")
    wrong = [(now, follows) for now, _, follows in every_minute(rule, start) if follows.astimezone(UTC) <= now]
    assert not wrong, f"{len(wrong)} of {8 * 60}, first {wrong[0]}"


@pytest.mark.parametrize("start", [FORWARD, BACK])
def test_whatever_was_announced_becomes_due_in_a_night_in_which_the_clocks_change(start: datetime) -> None:
    rule, end = planned("0 * * * *", "America/New_York", since=start), start + timedelta(hours=7)
    announced = {rule.key(follows) for _, _, follows in every_minute(rule, start) if follows <= end}
    due = {rule.key(due) for _, due, _ in every_minute(rule, start) if due is not None}
    assert announced <= due


def test_sao_paulo_knows_no_summer_time_any_more_but_did() -> None:
    nightly = planned("30 22 * * *", "America/Sao_Paulo")
    assert nightly.key(nightly.following(datetime(2024, 1, 15, 12, tzinfo=UTC))).endswith("2024-01-16T01:30")
    assert nightly.key(nightly.following(datetime(2019, 1, 15, 12, tzinfo=UTC))).endswith("2019-01-16T00:30")


def test_a_machine_that_slept_catches_up_with_the_last_time_alone() -> None:
    hourly, noon = planned("0 * * * *"), datetime(2024, 3, 1, 12, tzinfo=UTC)
    assert hourly.due(noon + timedelta(minutes=59)) == noon
    weekly = planned("0 12 * * 5")
    assert weekly.due(noon + timedelta(hours=11)) == noon
    assert weekly.due(noon + timedelta(days=1)) is None


def test_a_rule_saved_at_the_very_time_is_due_then() -> None:
    time = datetime(2024, 3, 1, 3, tzinfo=UTC)
    assert planned("0 3 * * *", since=time).due(time) == time
    assert planned("0 3 * * *", since=time + timedelta(seconds=1)).due(time + timedelta(seconds=1)) is None


def test_each_universe_has_keys_of_its_own() -> None:
    rule, time = ScheduleConfig(cron="0 3 * * *"), datetime(2024, 3, 1, 3, tzinfo=UTC)
    plans = [plan(universe, rule, None) for universe in ("tech", "energy")]
    assert len({each.key(time) for each in plans if each}) == 2


@pytest.mark.parametrize("early", [timedelta(microseconds=1), timedelta(milliseconds=500)])
def test_nothing_is_due_a_moment_before_its_time(early: timedelta) -> None:
    nightly, time = planned("0 3 * * *"), datetime(2024, 3, 1, 3, tzinfo=UTC)
    assert nightly.due(time - early) is None
    assert nightly.following(time - early) == time
