"""Watches over a universe's track record: scores what has come true, asks the rules, and sees to what they say.

It may run at any time, twice, and in two processes at once: an alert is opened, answered with a training and told
once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from stockcast.config import AlertsConfig
from stockcast.errors import StockcastError
from stockcast.logs import get_logger
from stockcast.monitoring.acknowledgements import Acknowledgements, sift
from stockcast.monitoring.alerts import Alert, Alerts
from stockcast.monitoring.drift_history import DriftDay
from stockcast.monitoring.notify import Notifier
from stockcast.monitoring.outcomes import Scoring
from stockcast.monitoring.performance_rules import YEAR, Verdict, judge, judge_drift
from stockcast.monitoring.scored import Scored

_log = get_logger(__name__)

# Longer than a year of sessions, and no rule looks further back.
_RECORD = timedelta(days=YEAR * 7 // 5 + 30)
_TOLD_AT_MOST = 20  # alerts that a message names one by one


class Track(Protocol):
    """What is asked of the track record."""

    def score(self) -> Scoring: ...
    def counted(self, universe: str, *, since: date | None = None) -> Scored: ...
    def drift(self, universe: str, *, since: date | None = None) -> tuple[DriftDay, ...]: ...


@dataclass(frozen=True)
class Watched:
    """What a look found and did."""

    universe: str
    scored: int  # outcomes that were written down
    verdicts: tuple[Verdict, ...]
    opened: tuple[Alert, ...]
    closed: tuple[Alert, ...]
    standing: tuple[Alert, ...]  # open or acknowledged, after this look
    training: str | None  # id of the job that an alert asked for in this look
    told: tuple[Alert, ...]  # those that a message was sent about
    problems: tuple[str, ...]  # what could not be done, in sentences; the rest was

    @property
    def sentence(self) -> str:
        """For a person."""
        judged = sum(verdict.outcome != "unknown" for verdict in self.verdicts)
        return (
            f"{self.universe}: {self.scored:,} outcomes scored, {judged:,} of {len(self.verdicts):,} rules with "
            f"enough forecasts; {len(self.opened):,} alerts opened, {len(self.closed):,} closed, "
            f"{len(self.standing):,} standing."
        )


def watch(
    universe: str,
    config: AlertsConfig,
    track: Track,
    alerts: Alerts,
    said: Acknowledgements,
    notifier: Notifier,
    train: Callable[[str], str],
    now: datetime,
) -> Watched:
    """One look. `train` asks for a training under a key and returns the id of its job, or of the active one.

    Raises DatabaseUnavailable; a message or training that fails is told in `problems` and tried again next time.
    """
    scored = track.score().written
    verdicts = (
        *judge(track.counted(universe, since=(now - _RECORD).date()), config),
        *_judge_drift(universe, config, track, said, now),
    )
    settled = alerts.settle(universe, verdicts, now)
    for alert in settled.opened:
        _log.warning("alert_opened", **_fields(alert), sentence=alert.sentence)
    for alert in settled.closed:
        _log.info("alert_closed", **_fields(alert))
    training, problem = _retrain(universe, config, alerts, train, now)
    told, problems = _tell(universe, config, alerts, notifier, now)
    return Watched(
        universe=universe,
        scored=scored,
        verdicts=verdicts,
        opened=settled.opened,
        closed=settled.closed,
        standing=alerts.list(universe),
        training=training,
        told=told,
        problems=(*problem, *problems),
    )


def _judge_drift(
    universe: str, config: AlertsConfig, track: Track, said: Acknowledgements, now: datetime
) -> list[Verdict]:
    """A verdict for each ticker that was forecast of late; what was acknowledged does not count as red."""
    words = said.find(universe)
    found: defaultdict[str, list[tuple[date, bool]]] = defaultdict(list)
    since = now - timedelta(days=2 * config.drift_sessions + 30)
    for day in track.drift(universe, since=since.date()):
        shown = sift(day.report, [word for word in words if word.ticker == day.ticker], day.cutoff).shown
        found[day.ticker].append((day.cutoff, shown.severity == "red"))
    return [judge_drift(ticker, days, config) for ticker, days in found.items()]


def _retrain(
    universe: str, config: AlertsConfig, alerts: Alerts, train: Callable[[str], str], now: datetime
) -> tuple[str | None, tuple[str, ...]]:
    """Asks for one training on behalf of all alerts that wait for one, unless there was one not long ago."""
    waiting = alerts.unanswered(universe) if config.retrain == "auto" else ()
    last = alerts.last_training(universe)
    if not waiting or (last is not None and now - last < timedelta(days=config.retrain_pause)):
        return None, ()
    try:
        job_id = train(f"alert {waiting[0].id}")
    except StockcastError as problem:
        return None, (f"No training was queued: {problem}",)
    alerts.link(waiting, job_id, now)
    _log.info("alert_retrains", universe=universe, alerts=[alert.id for alert in waiting], job_id=job_id)
    return job_id, ()


def _tell(
    universe: str, config: AlertsConfig, alerts: Alerts, notifier: Notifier, now: datetime
) -> tuple[tuple[Alert, ...], tuple[str, ...]]:
    """Sends one message about all that is new. It counts as told when one address has taken it."""
    if config.notify == "never" or not notifier.count:
        return (), ()
    pause = timedelta(hours=config.notify_pause)
    news = alerts.take_news(universe, closed_too=config.notify == "changes", pause=pause, now=now)
    if not news:
        return (), ()
    sent = notifier.send(*message(universe, news))
    alerts.told(news, sent=sent.taken > 0, problem=" ".join(sent.problems) or None, now=now)
    for problem in sent.problems:
        _log.warning("notification_failed", universe=universe, sentence=problem)
    return (news if sent.taken else ()), sent.problems


def message(universe: str, news: Sequence[Alert]) -> tuple[str, str]:
    """Title and body, in plain text."""
    counts = [
        f"{sum((alert.state == 'closed') == closed for alert in news):,} {word}"
        for closed, word in ((False, "opened"), (True, "closed"))
    ]
    lines = [_line(alert) for alert in news[:_TOLD_AT_MOST]]
    if len(news) > _TOLD_AT_MOST:
        lines.append(f"And {len(news) - _TOLD_AT_MOST:,} more: stockcast alerts list --universe {universe}")
    told = ", ".join(count for count in counts if not count.startswith("0 "))
    return f"stockcast: alerts of {universe}: {told}", "\n\n".join(lines)


def _line(alert: Alert) -> str:
    if alert.state == "closed":
        return f"CLOSED: {alert.subject}, open since {alert.opened_at:%Y-%m-%d}."
    training = f" A training was asked for (job {alert.job_id})." if alert.job_id else ""
    return f"OPENED: {alert.subject}. {alert.sentence}{training} (Alert {alert.id}.)"


def _fields(alert: Alert) -> dict[str, str | int | None]:
    return {"universe": alert.universe, "ticker": alert.ticker, "rule": alert.rule, "alert_id": alert.id}
