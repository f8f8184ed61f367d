"""Nightly work: each universe whose configuration has a schedule is downloaded and trained when it is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from stockcast.config import ScheduleConfig

# A machine that slept through the night catches up in the morning, not after a holiday.
LATE = timedelta(hours=12)


@dataclass(frozen=True)
class Plan:
    """When a universe is trained by itself. Moments are aware, in the schedule's time zone."""

    universe: str
    rule: ScheduleConfig
    since: datetime | None  # when the rule was saved; it says nothing of earlier times

    @property
    def words(self) -> str:
        """The rule as a person says it: At 22:30 on Monday through Friday."""
        return CronSim(self.rule.cron, _EPOCH).explain()

    def following(self, now: datetime) -> datetime:
        """The next time after `now`."""
        # Times of one zone compare by the clock on the wall, which shows an hour twice when it goes back.
        start = now.astimezone(ZoneInfo(self.rule.timezone)) - _TWICE
        return next(time for time in CronSim(self.rule.cron, start) if time.astimezone(UTC) > now)

    def coming(self, now: datetime, count: int) -> list[datetime]:
        """The next `count` times after `now`, in UTC."""
        found = [self.following(now).astimezone(UTC)]
        while len(found) < count:
            found.append(self.following(found[-1]).astimezone(UTC))
        return found

    def due(self, now: datetime) -> datetime | None:
        """The last time that has come, if it came after the rule and is not too long ago."""
        start = now.astimezone(ZoneInfo(self.rule.timezone)) + _TWICE
        times = CronSim(self.rule.cron, start, reverse=True)
        last = next(time for time in times if time.astimezone(UTC) <= now).astimezone(UTC)
        fresh = now - last <= LATE and (self.since is None or last >= self.since)
        return last if fresh else None

    def key(self, due: datetime) -> str:
        """The key of the job for one time: however many workers look, it is asked for once."""
        return f"schedule {self.universe} {due.astimezone(UTC):%Y-%m-%dT%H:%M}"


def plan(universe: str, rule: ScheduleConfig, since: datetime | None) -> Plan | None:
    """The plan of a universe; None when it has no schedule."""
    return Plan(universe, rule, since) if rule.cron else None


_TWICE = timedelta(hours=2)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
